"""Load shedding by priority: under overload, checks are served before shows, and shows before the rest.

A process handles few requests at a time; some wait, by priority and then in order of arrival. A request that would wait
in vain is answered 503 at once, with a random Retry-After, so that the callers do not come back at the same moment.
"""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
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
    """The answer under overload for people instead of programs: under `prefix`, with these headers."""

    prefix: str
    headers: list[tuple[str, str]]
    body: bytes


class BusyAnswer(NamedTuple):
    """The headers of every answer under overload, and the page for people, if there is one."""

    headers: Sequence[tuple[str, str]] = ()
    page: BusyPage | None = None


class Priority(IntEnum):
    """The priority of a request: somebody waits at a station, somebody opens their code, everything else."""

    CHECK = 0
    SHOW = 1
    REST = 2


MAX_WAITING = {Priority.CHECK: 96, Priority.SHOW: 72, Priority.REST: 24}  # requests ahead in the queue of one process
RETRY_AFTER_SECONDS = {Priority.CHECK: (1, 2), Priority.SHOW: (2, 6), Priority.REST: (5, 15)}  # seconds, from and to
MAX_WAIT_SECONDS = 2.0  # a longer wait means that nothing moves
FAST_PATH_CONCURRENCY = 3  # requests on the fast path at a time: one computes while the others wait for Redis
_CHECKS, _SHOWS = "/api/v1/checks", ("/api/v1/code", "/api/v1/code.png", "/api/v1/code.svg")
_OPERATIONS = ("/healthz", "/readyz", "/metrics")
_PROBLEM = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
_PLAIN = BusyAnswer()


def thread_count(max_concurrency: int) -> int:
    """Return how many threads a process needs, so that a shed request never waits for a thread."""
    return FAST_PATH_CONCURRENCY + max_concurrency + 2 * max(MAX_WAITING.values()) + 8


def priority_of(path: str) -> Priority:
    """Return the priority of a request, by its path alone."""
    if path.startswith(_CHECKS):
        return Priority.CHECK
    return Priority.SHOW if path in _SHOWS else Priority.REST


class ConcurrencyLimiter:
    """The requests in progress and the queue of those that wait: `enter` before the work and `leave` after it."""

    def __init__(self, max_concurrency: int, max_wait: float = MAX_WAIT_SECONDS) -> None:
        self._patience = max_wait
        self._lock = threading.Lock()
        self._free = max_concurrency
        self._waiting: tuple[deque[threading.Lock], ...] = tuple(deque() for _ in Priority)

    def enter(self, priority: Priority) -> bool:
        """Wait for a place; return False when too many wait, or after the longest wait."""
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
            if turn not in self._waiting[priority]:  # it was given a place at this very moment
                return True
            self._waiting[priority].remove(turn)
            return False

    def leave(self) -> None:
        """Pass the caller's place to the first request of the highest priority."""
        with self._lock:
            for queue in self._waiting:
                if queue:
                    queue.popleft().release()
                    return
            self._free += 1


def shed(
    priority: Priority, environ: Environ, start_response: StartResponse, answer: BusyAnswer = _PLAIN
) -> Iterable[bytes]:
    """Answer 503 at once, with a random Retry-After, shorter for a higher priority."""
    HTTP_REQUESTS_SHED.labels(priority.name.lower()).inc()
    observe(environ, None, 503)
    page = answer.page
    if page is not None and f"{environ['PATH_INFO']}/".startswith(page.prefix):
        body, headers = page.body, page.headers
    else:
        body = _busy_body(best_language(environ.get("HTTP_ACCEPT_LANGUAGE", "")))
        headers = [*_PROBLEM, *answer.headers]
    later = ("Retry-After", str(random.randint(*RETRY_AFTER_SECONDS[priority])))
    start_response("503 Service Unavailable", [*headers, later, ("Content-Length", str(len(body)))])
    return (body,)


@lru_cache(2)
def _busy_body(language: str) -> bytes:
    return problem_body(Problem("busy"), language)


class LoadShedder:
    """A WSGI application that limits the concurrency of another; requests of operations are never shed."""

    def __init__(
        self, app: Application, max_concurrency: int, max_wait: float = MAX_WAIT_SECONDS, answer: BusyAnswer = _PLAIN
    ) -> None:
        self._app = app
        self._answer = answer
        self._limiter = ConcurrencyLimiter(max_concurrency, max_wait)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in _OPERATIONS:
            return self._app(environ, start_response)
        priority = priority_of(path)
        if not self._limiter.enter(priority):
            return shed(priority, environ, start_response, self._answer)
        try:
            return self._app(environ, start_response)
        finally:
            self._limiter.leave()
