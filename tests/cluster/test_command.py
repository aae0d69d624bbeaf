"""`make cluster`: a cluster for a developer, until Ctrl-C."""

import signal
import subprocess
import sys

import pytest
from redis import Redis, RedisError

from app.core.redis_client import connect
from devstack.layout import find_free_ports

pytestmark = pytest.mark.slow

NODES, BUS = 6, 10_000  # the nodes talk to each other on ports so much higher


def test_a_cluster_runs_until_it_is_interrupted_and_leaves_nothing_running() -> None:
    port = find_free_ports(NODES, above=BUS)
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
