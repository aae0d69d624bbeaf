#!/usr/bin/env bash
# redis-py 8.1.0 (with valkey-py 6.2.0 for comparison)
#
# Two clients of one server, with the same time-outs: Redis(host=…, port=…) and Redis.from_url("redis://…"). The server
# takes a command and closes the connection instead of answering.
# Guess: from_url is another spelling of the same client, so both send an INCR equally often.
# Really: the constructor sends it 11 times (ten retries, which its signature has as a default), from_url once: it makes
#   the pool itself, and the pool's connections know nothing of that default. valkey-py sends it once either way.
# Why it matters: a health-code backend counts checks and attempts to log in with INCR. Whether a lost connection counts
#   once or eleven times depends on how the address was written in the configuration, and a test that uses the one
#   form proves nothing about the other. Say `retry=` aloud in both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q redis==8.1.0 valkey==6.2.0
"$folder/venv/bin/python" - <<'PY'
import contextlib
import socket
import threading

import redis
import valkey

listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
received = []


def serve(client):
    with client:
        while data := client.recv(65536):
            if b"INCR" in data:
                received.append(data)
                return
            client.sendall(b"+OK\r\n" * data.count(b"*"))


def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()


def sent(client):
    """Return how often one incr is sent."""
    received.clear()
    with contextlib.suppress(Exception):
        client.incr("count")
    return len(received)


seconds = {"socket_timeout": 2, "socket_connect_timeout": 2, "protocol": 2}
seen = {
    f"{library.__name__} {form}": sent(client)
    for library, clients in (
        (redis, (redis.Redis("127.0.0.1", port, **seconds), redis.Redis.from_url(f"redis://127.0.0.1:{port}", **seconds))),
        (
            valkey,
            (valkey.Valkey("127.0.0.1", port, **seconds), valkey.Valkey.from_url(f"valkey://127.0.0.1:{port}", **seconds)),
        ),
    )
    for form, client in zip(("constructor", "from_url"), clients, strict=True)
}
for name, number in seen.items():
    print(f"{name}: INCR sent {number} times")
assert list(seen.values()) == [11, 1, 1, 1], "changed"
PY
