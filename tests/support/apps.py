"""The application of the tests: made once a run, because to make it takes longer than most tests."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from app import create_app
from app.api.fast_path import FastPath
from app.runtime import Services
from app.web.limits import limiter
from tests.support.rsgi import end, put_before


class LateRule(Rule):
    """A route that compiles what builds its address when the first address is built, not for each application.

    That is most of the time in which an application is made, and no test asks for more than a few addresses.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(partial(super()._compile_builder, append_unknown))

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            return compiled()(rule, **values)

        return build


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
