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

from app.core.errors import Problem
from app.core.metrics import HTTP_REQUESTS_SHED
from app.web import best_language
from app.web.operations import observe
from app.web.problems import problem_body

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class BusyPage(NamedTuple):
    """What is told where people look instead of programs: under `prefix`, with these headers."""

    prefix: str
    headers: list[tuple[str, str]]
    body: bytes


class Priority(IntEnum):
    """What a request is to those who wait: somebody at a station, somebody who opens their code, everybody else."""

    CHECK = 0
    SHOW = 1
    REST = 2


MAX_WAITING = {Priority.CHECK: 96, Priority.SHOW: 72, Priority.REST: 24}  # others before one, in one process
RETRY_AFTER_SECONDS = {Priority.CHECK: (1, 2), Priority.SHOW: (2, 6), Priority.REST: (5, 15)}  # seconds, from and to
MAX_WAIT_SECONDS = 2.0  # seconds that a request waits at most: where nothing moves, nobody is kept
FAST_PATH_CONCURRENCY = 3  # requests that the gate works on: one reckons while the others wait for Redis
_CHECKS, _SHOWS = "/api/v1/checks", ("/api/v1/code", "/api/v1/code.png", "/api/v1/code.svg")
_OPERATIONS = ("/healthz", "/readyz", "/metrics")
_PROBLEM = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]


def thread_count(max_concurrency: int) -> int:
    """How many threads a process needs, so that who is turned away waits for none."""
    return FAST_PATH_CONCURRENCY + max_concurrency + 2 * max(MAX_WAITING.values()) + 8


def priority_of(path: str) -> Priority:
    """How urgent a request is, by its path alone."""
    if path.startswith(_CHECKS):
        return Priority.CHECK
    return Priority.SHOW if path in _SHOWS else Priority.REST


class ConcurrencyLimiter:
    """Those who are worked on, and those who wait: `enter` before the work and `leave` after it."""

    def __init__(self, max_concurrency: int, max_wait: float = MAX_WAIT_SECONDS) -> None:
        self._patience = max_wait
        self._lock = threading.Lock()
        self._free = max_concurrency
        self._waiting: tuple[deque[threading.Lock], ...] = tuple(deque() for _ in Priority)

    def enter(self, priority: Priority) -> bool:
        """Whether the caller may go on, when its turn has come; False when too many wait, or nothing moves."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            if sum(map(len, self._waiting)) >= MAX_WAITING[priority]:
                return False
            turn = threading.Lock()
            turn.acquire()
            self._waiting[priority].append(turn)
        if turn.acquire(timeout=self._patience):
            return True
        with self._lock:
            if turn not in self._waiting[priority]:  # it was called in this very moment
                return True
            self._waiting[priority].remove(turn)
            return False

    def leave(self) -> None:
        """The caller is done: the most urgent one goes on, of these who came first."""
        with self._lock:
            for queue in self._waiting:
                if queue:
                    queue.popleft().release()
                    return
            self._free += 1


def shed(
    priority: Priority, environ: Environ, start_response: StartResponse, page: BusyPage | None = None
) -> Iterable[bytes]:
    """Answer 503 at once, with a moment to come back that nobody else gets; the more urgent, the sooner."""
    HTTP_REQUESTS_SHED.labels(priority.name.lower()).inc()
    observe(environ, None, 503)
    if page is not None and f"{environ['PATH_INFO']}/".startswith(page.prefix):
        body, headers = page.body, page.headers
    else:
        body, headers = _busy_body(best_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))), _PROBLEM
    later = ("Retry-After", str(random.randint(*RETRY_AFTER_SECONDS[priority])))
    start_response("503 Service Unavailable", [*headers, later, ("Content-Length", str(len(body)))])
    return (body,)


@lru_cache(2)
def _busy_body(language: str) -> bytes:
    return problem_body(Problem("busy"), language)


class LoadShedder:
    """A WSGI application in front of another that works on so many requests at a time; operations always come in."""

    def __init__(
        self, app: Application, max_concurrency: int, max_wait: float = MAX_WAIT_SECONDS, page: BusyPage | None = None
    ) -> None:
        self._app = app
        self._page = page
        self._crowd = ConcurrencyLimiter(max_concurrency, max_wait)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in _OPERATIONS:
            return self._app(environ, start_response)
        priority = priority_of(path)
        if not self._crowd.enter(priority):
            return shed(priority, environ, start_response, self._page)
        try:
            return self._app(environ, start_response)
        finally:
            self._crowd.leave()
