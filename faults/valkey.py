"""A Valkey that can also lose its snapshots, and take the address of another one."""

import signal
import time
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.valkey import BreakableValkey

Image = list[tuple[Any, Any, int]]  # key, its dump, the millisecond in which it ends; below 0 it does not end


class FaultyValkey(BreakableValkey):
    """One server; after `take_over` it is reached where the other one was."""

    def follow(self, other: BreakableValkey) -> None:
        """Become a replica of another one, with all of its data, at once."""
        other.admin.config_set("repl-diskless-sync-delay", "0")  # else it waits five seconds for further replicas
        super().follow(other)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._server is not None
        self._server.send_signal(number)

    def forget(self) -> None:
        """Lose every snapshot, while it does not run."""
        for snapshot in self._directory.glob("*.rdb"):
            snapshot.unlink()

    def image(self) -> Image:
        """Return everything that it holds, each with the moment of its end."""
        keys = list(self.admin.scan_iter())
        return [(key, self.admin.dump(key), int(self.admin.pexpiretime(key))) for key in keys]

    def go_on_from(self, image: Image) -> None:
        """Hold only this, in the same run. What has ended since the image was made is gone."""
        with self.admin.pipeline() as step:
            step.flushall()
            for key, value, ends in image:
                if value is not None and (ends < 0 or ends > time.time() * 1000):
                    step.restore(key, max(ends, 0), value, absttl=ends > 0)
            step.execute()

    def take_over(self, other: "FaultyValkey") -> None:
        """Crash the other one, and listen at its address from now on."""
        other.crash()
        self.be_promoted()
        self.admin.config_set("port", other.port)
        self.port, self.url = other.port, other.url
        self.admin = Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), socket_timeout=5)
        self.admin.ping()
