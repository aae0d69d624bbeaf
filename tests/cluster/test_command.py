"""`make cluster`: a cluster for a developer, until Ctrl-C."""

import random
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest
from redis import Redis, RedisError

from app.core.redis_client import connect

pytestmark = pytest.mark.slow

NODES = 6


def free_row() -> int:
    """The first of as many free ports in a row as the nodes take; so are those of their bus, 10,000 above."""
    while True:
        first = random.randrange(20_000, 50_000)
        with suppress(OSError), ExitStack() as stack:
            for port in range(first, first + NODES):
                for each in (port, port + 10_000):
                    stack.enter_context(socket.create_server(("127.0.0.1", each)))
            return first


def test_a_cluster_runs_until_it_is_interrupted_and_leaves_nothing_running() -> None:
    port = free_row()
    command = [sys.executable, "-m", "devstack", "cluster", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        name, _, url = running.stdout.readline().strip().partition(" = ")
        client = connect(url, 0.5)
        assert (name, client.set("a", "b"), client.get("a")) == ("redis.url", True, b"b")
        client.close()
        running.send_signal(signal.SIGINT)
    assert running.returncode == 130
    for each in range(port, port + NODES):
        with pytest.raises(RedisError):
            Redis(port=each).ping()
