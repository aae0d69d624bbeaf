#!/usr/bin/env bash
# redis-py 8.1.0
#
# A pool of two connections, both in use, and a third caller. One pool refuses at once (ConnectionPool), the other waits
# (BlockingConnectionPool, timeout=0.2). redis-py has an error of its own for "the pool is full": MaxConnectionsError.
# Guess: both pools raise it, the second one 0.2 seconds later.
# Really: only the first does. The blocking pool raises a plain redis.ConnectionError, the class of a server that is away.
#   `except MaxConnectionsError` sees nothing, and a circuit breaker or a fallback that listens to ConnectionError takes a
#   busy moment of its own process for a dead Redis. The text of the error, "No connection available.", is all that
#   differs; a queue_class whose get() raises MaxConnectionsError mends it.
# Why it matters: to exchange the pool is the usual advice against "Too many connections". A health-code backend that
#   follows it, and tells the two errors apart as the library suggests, refuses every citizen for a moment because one
#   process had more threads than connections.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q redis==8.1.0
"$folder/venv/bin/python" - <<'PY'
import socket
import threading
from queue import Empty, LifoQueue

from redis import BlockingConnectionPool, Connection, ConnectionPool, Redis
from redis.exceptions import ConnectionError, MaxConnectionsError

listener = socket.create_server(("127.0.0.1", 0))


def serve(client):
    with client:
        while data := client.recv(65536):
            client.sendall(b"+OK\r\n" * data.count(b"*"))


def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()


class Places(LifoQueue):
    def get(self, block=True, timeout=None):
        try:
            return super().get(block, timeout)
        except Empty:
            raise MaxConnectionsError("full") from None


def error(pool):
    """Return the class of the error of a third caller."""
    held = [pool.get_connection() for _ in range(2)]
    try:
        Redis(connection_pool=pool).ping()
    except ConnectionError as raised:
        return type(raised)
    finally:
        for connection in held:
            pool.release(connection)


where = {"host": "127.0.0.1", "port": listener.getsockname()[1], "max_connections": 2, "protocol": 2}
plain = error(ConnectionPool(connection_class=Connection, **where))
waiting = error(BlockingConnectionPool(timeout=0.2, **where))
mended = error(BlockingConnectionPool(timeout=0.2, queue_class=Places, **where))
print("ConnectionPool:                       ", plain.__name__)
print("BlockingConnectionPool:               ", waiting.__name__)
print("BlockingConnectionPool with the queue:", mended.__name__)
assert (plain, waiting, mended) == (MaxConnectionsError, ConnectionError, MaxConnectionsError), "changed"
PY
