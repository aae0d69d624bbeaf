#!/usr/bin/env bash
# Flask-Limiter 4.1.1, limits 5.8.0, redis-py 8.1.0
#
# A limiter that may fall back to the memory of its process and swallows errors; its Redis is away when the process starts.
# Guess: redis://… and redis+cluster://… differ in the client alone: both start, and count in memory until Redis is back.
# Really: with redis:// the application starts and limits from memory. With redis+cluster:// making the limiter raises
#   RedisClusterException, whatever `in_memory_fallback_enabled` and `swallow_errors` say: the cluster's client connects when
#   it is made, and both settings are about what comes after.
# Why it matters: a web process of a health code that is started again during an outage of its cluster does not come up at
#   all, although it was told to do without. Give the storage a client that connects at its first use.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q flask-limiter==4.1.1 limits==5.8.0 redis==8.1.0
"$folder/venv/bin/python" - <<'PY'
from flask import Flask
from flask_limiter import Limiter


def start(uri):
    app = Flask("there")
    limiter = Limiter(
        lambda: "me", app=app, storage_uri=uri, in_memory_fallback=["1 per hour"], in_memory_fallback_enabled=True, swallow_errors=True
    )
    app.get("/")(limiter.limit("1 per hour")(lambda: "good"))
    client = app.test_client()
    return [client.get("/").status_code for _ in range(2)]


seen = {}
for uri in ("redis://127.0.0.1:1", "redis+cluster://127.0.0.1:1"):
    try:
        seen[uri] = start(uri)
    except Exception as error:
        seen[uri] = type(error).__name__
for uri, what in seen.items():
    print(uri, what)
assert list(seen.values()) == [[200, 429], "RedisClusterException"], "changed"
PY
