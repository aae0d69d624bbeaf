"""Load shedding by priority: under overload, checks are served before shows, and shows before the rest.

A process handles few requests at a time; some wait, by priority and then in order of arrival. A request that would wait
in vain is answered 503 at once, with a random Retry-After, so that the callers do not come back at the same moment.
All of it is done by the event loop: a request that waits costs no thread.
"""

import asyncio
import random
from collections import deque
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from app.core.errors import Problem
from app.core.metrics import HTTP_REQUESTS_SHED, begin_at_zero
from app.web import best_language
from app.web.operations import observe
from app.web.problems import problem_body
from app.web.server.rsgi import Answering, Headers, Request


class BusyPage(NamedTuple):
    """The answer under overload for people instead of programs: under `prefix`, with these headers."""

    prefix: str
    headers: Headers
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


MAX_WAITING: Final = {Priority.CHECK: 96, Priority.SHOW: 72, Priority.REST: 24}  # requests ahead in the queue of Flask
RETRY_AFTER_SECONDS: Final = {Priority.CHECK: (1, 2), Priority.SHOW: (2, 6), Priority.REST: (5, 15)}  # from and to
# On the fast path one computes while the others wait for Redis, whose answers come for many at a time. Whoever waits is
# answered sooner than it takes to refuse them: 2,000 in a fifth of a second.
FAST_PATH_CONCURRENCY: Final = 64
FAST_PATH_WAITING: Final = {Priority.CHECK: 2048, Priority.SHOW: 1536, Priority.REST: 0}
MAX_WAIT_SECONDS: Final = 2.0  # a longer wait means that nothing moves
_CHECKS, _SHOWS = ("/api/v1/checks", "/api/v1/devices"), ("/api/v1/code", "/api/v1/code.png", "/api/v1/code.svg")
_PROBLEM = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
_PLAIN = BusyAnswer()
begin_at_zero(HTTP_REQUESTS_SHED, (priority.name.lower() for priority in Priority))


def priority_of(path: str) -> Priority:
    """Return the priority of a request, by its path alone."""
    if path.startswith(_CHECKS):
        return Priority.CHECK
    return Priority.SHOW if path in _SHOWS else Priority.REST


class ConcurrencyLimiter:
    """The requests in progress and the queue of those that wait: `enter` before the work and `leave` after it.

    Of one event loop. `max_waiting`: how many may be ahead of a request of each priority.
    """

    def __init__(
        self,
        max_concurrency: int,
        max_waiting: Mapping[Priority, int] = MAX_WAITING,
        max_wait: float = MAX_WAIT_SECONDS,
    ) -> None:
        self._free = max_concurrency
        self._max_waiting = max_waiting
        self._patience = max_wait
        self._waiting: tuple[deque[asyncio.Future[bool]], ...] = tuple(deque() for _ in Priority)

    def is_full(self, priority: Priority) -> bool:
        """Return whether too many wait for another one to wait, too."""
        return not self._free and sum(map(len, self._waiting)) >= self._max_waiting[priority]

    def enter_at_once(self) -> bool:
        """Take a place, if one is free."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def enter(self, priority: Priority) -> bool:
        """Wait for a place; return False when too many wait, or after the longest wait."""
        if self.enter_at_once():
            return True
        if self.is_full(priority):
            return False
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        queue = self._waiting[priority]
        queue.append(turn)
        timer = loop.call_later(self._patience, self._give_up, queue, turn)
        try:
            return await turn
        finally:
            timer.cancel()

    @staticmethod
    def _give_up(queue: "deque[asyncio.Future[bool]]", turn: "asyncio.Future[bool]") -> None:
        if not turn.done():
            queue.remove(turn)
            turn.set_result(False)

    def leave(self) -> None:
        """Pass the caller's place to the first request of the highest priority."""
        for queue in self._waiting:
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(True)
                    return
        self._free += 1


async def shed(request: Request, answer: BusyAnswer = _PLAIN) -> None:
    """Answer 503 at once, with a random Retry-After, shorter for a higher priority."""
    path, page = request.scope.path, answer.page
    priority = priority_of(path)
    HTTP_REQUESTS_SHED.labels(priority.name.lower()).inc()
    observe(request.scope.method, None, 503, request.arrived)
    if page is not None and f"{path}/".startswith(page.prefix):
        body, headers = page.body, page.headers
    else:
        accepted = dict(request.scope.headers.items()).get("accept-language", "")
        body, headers = _busy_body(best_language(accepted)), [*_PROBLEM, *answer.headers]
    later = ("Retry-After", str(random.randint(*RETRY_AFTER_SECONDS[priority])))
    request.protocol.response_bytes(503, [*headers, later], body)


@lru_cache(2)
def _busy_body(language: str) -> bytes:
    return problem_body(Problem("busy"), language)


class LoadShedder:
    """Limits how many requests are answered at a time."""

    def __init__(self, inner: Answering, limiter: ConcurrencyLimiter, answer: BusyAnswer = _PLAIN) -> None:
        self._inner = inner
        self._limiter = limiter
        self._answer = answer

    async def __call__(self, request: Request) -> None:
        if not await self._limiter.enter(priority_of(request.scope.path)):
            return await shed(request, self._answer)
        try:
            await self._inner(request)
        finally:
            self._limiter.leave()
