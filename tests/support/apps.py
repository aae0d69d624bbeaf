"""The application of the tests: made once a run, because to make it takes longer than most tests."""

from flask import Flask

from app import create_app
from app.api.fast_path import FastPath
from app.runtime import Services
from app.web.limits import limiter
from tests.support.rsgi import end, put_before


class Apps:
    """Applications that several tests share; a test that changes one makes its own with `create_app`.

    All applications of a process share one limiter, which counts where the newest of them says: when another one was
    made in between, with settings of its own, ours are made anew.
    """

    def __init__(self) -> None:
        self._made: dict[str, Flask] = {}
        self.servers: dict[str, FastPath] = {}
        self._counters: list[object] = []

    def of(self, name: str, services: Services) -> Flask:
        """The application of these services, which are always the same ones for this name."""
        if not any(limiter.storage is counters for counters in self._counters):
            self.end()
        if name not in self._made:
            self._made[name] = create_app(services)
            self.servers[name] = put_before(self._made[name], services)
            self._counters.append(limiter.storage)
        return self._made[name]

    def end(self) -> None:
        """Forget them all."""
        for server in self.servers.values():
            end(server)
        self.servers.clear()
        self._made.clear()
        self._counters.clear()
