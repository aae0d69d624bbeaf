"""Who is let in when more come than can be served: checks outlive shows, and shows outlive the rest.

A process works on few requests at a time; some wait for their turn, the most urgent first; who would wait in vain is
told at once when to come back, each at another moment, so that a crowd neither waits nor returns as one.
"""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

from app.errors import Problem
from app.web import best_language
from app.web.operations import TURNED_AWAY
from app.web.problems import body_of

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]


class Page(NamedTuple):
    """What is told where people look instead of programs: under `prefix`, with these headers."""

    prefix: str
    headers: list[tuple[str, str]]
    body: bytes


class Urgency(IntEnum):
    """What a request is to those who wait: somebody at a station, somebody who opens their code, everybody else."""

    CHECK = 0
    SHOW = 1
    REST = 2


MAY_WAIT = {Urgency.CHECK: 96, Urgency.SHOW: 72, Urgency.REST: 24}  # others before one, in one process
COME_BACK = {Urgency.CHECK: (1, 2), Urgency.SHOW: (2, 6), Urgency.REST: (5, 15)}  # seconds, from and to
PATIENCE = 2.0  # seconds that a request waits at most: where nothing moves, nobody is kept
PLAIN_AT_A_TIME = 3  # requests that the gate works on: one reckons while the others wait for Redis
_CHECKS, _SHOWS = "/api/v1/checks", ("/api/v1/code", "/api/v1/code.png", "/api/v1/code.svg")
_OPERATIONS = ("/healthz", "/readyz", "/metrics")
_PROBLEM = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]


def threads(at_a_time: int) -> int:
    """How many threads a process needs, so that who is turned away waits for none."""
    return PLAIN_AT_A_TIME + at_a_time + 2 * max(MAY_WAIT.values()) + 8


def urgency_of(path: str) -> Urgency:
    """How urgent a request is, by its path alone."""
    if path.startswith(_CHECKS):
        return Urgency.CHECK
    return Urgency.SHOW if path in _SHOWS else Urgency.REST


class Crowd:
    """Those who are worked on, and those who wait: `enter` before the work and `leave` after it."""

    def __init__(self, at_a_time: int, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._free = at_a_time
        self._waiting: tuple[deque[threading.Lock], ...] = tuple(deque() for _ in Urgency)

    def enter(self, urgency: Urgency) -> bool:
        """Whether the caller may go on, when its turn has come; False when too many wait, or nothing moves."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if sum(map(len, self._waiting)) >= MAY_WAIT[urgency]:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._waiting[urgency].append(turn)
        if turn.acquire(timeout=self._patience):
            return True
        with self._lock:
            if turn not in self._waiting[urgency]:  # it was called in this very moment
                return True
            self._waiting[urgency].remove(turn)
            return False

    def leave(self) -> None:
        """The caller is done: the most urgent one goes on, of these who came first."""
        with self._lock:
            for queue in self._waiting:
                if queue:
                    queue.popleft().release()
                    return
            self._free += 1


def turn_away(urgency: Urgency, environ: Environ, start_response: Start, page: Page | None = None) -> Iterable[bytes]:
    """Answer 503 at once, with a moment to come back that nobody else gets; the more urgent, the sooner."""
    TURNED_AWAY.labels(urgency.name.lower()).inc()
    if page is not None and f"{environ['PATH_INFO']}/".startswith(page.prefix):
        body, headers = page.body, page.headers
    else:
        body, headers = _busy(best_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))), _PROBLEM
    later = ("Retry-After", str(random.randint(*COME_BACK[urgency])))
    start_response("503 Service Unavailable", [*headers, later, ("Content-Length", str(len(body)))])
    return (body,)


@lru_cache(2)
def _busy(language: str) -> bytes:
    return body_of(Problem("busy"), language)


class Bounded:
    """A WSGI application in front of another that works on so many requests at a time; operations always come in."""

    def __init__(self, app: Application, at_a_time: int, patience: float = PATIENCE, page: Page | None = None) -> None:
        self._app = app
        self._page = page
        self._crowd = Crowd(at_a_time, patience)

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in _OPERATIONS:
            return self._app(environ, start_response)
        urgency = urgency_of(path)
        if not self._crowd.enter(urgency):
            return turn_away(urgency, environ, start_response, self._page)
        try:
            return self._app(environ, start_response)
        finally:
            self._crowd.leave()
