"""What Flask answers, which is everything but the fast path: in few threads, with few requests waiting for one."""

import asyncio
from typing import Final

from app.core.errors import Problem
from app.web import operations
from app.web.problems import problem_body
from app.web.server.load_shedding import BusyAnswer, ConcurrencyLimiter, LoadShedder
from app.web.server.rsgi import ProtocolClosed, Request
from app.web.server.wsgi_bridge import Application, WsgiBridge

SMALL_BODY: Final = 16_384  # bytes; nearly every body
BODY_SECONDS: Final = 30.0  # in which it has to come
_OPERATIONS_THREADS: Final = 4  # of their own: they answer while all others wait for a database that hangs


class FlaskSide:
    """Answers requests with Flask; the most urgent ones, when there are too many."""

    def __init__(self, app: Application, max_concurrency: int, busy: BusyAnswer) -> None:
        self._flask = WsgiBridge(app, max_concurrency)
        self._operations = WsgiBridge(app, _OPERATIONS_THREADS, "operations")
        self._limited = LoadShedder(self._flask, ConcurrencyLimiter(max_concurrency), busy)

    async def __call__(self, request: Request) -> None:
        """Answer a request; those of operations are never shed."""
        if request.scope.path in operations.PATHS:
            await self._operations(request)
            return
        try:
            request = await _with_small_body(request)
        except (ProtocolClosed, TimeoutError):  # the caller is gone, or too slow
            refuse_cut_off(request)
            return
        await self._limited(request)

    def close(self) -> None:
        """Begin no other request."""
        self._flask.close()
        self._operations.close()


def refuse_cut_off(request: Request) -> None:
    """Answer a request whose body did not come to its end; mostly nobody is there to read it."""
    body, headers = problem_body(Problem("bad-request"), "zh"), [("Content-Type", "application/problem+json")]
    request.protocol.response_bytes(400, headers, body)


async def _with_small_body(request: Request) -> Request:
    """Return a request with its body if that is small. Raises ProtocolClosed or TimeoutError.

    It is read before a thread is taken, so that a caller who sends slowly takes none. A larger one is read by the view
    as it comes, if the view reads it at all.
    """
    headers = dict(request.scope.headers.items())
    length = headers.get("content-length", "")
    if request.body is None and length.isdecimal() and int(length) <= SMALL_BODY:
        async with asyncio.timeout(BODY_SECONDS):
            return request._replace(body=await request.protocol())
    if request.body is None and not length and "transfer-encoding" in headers:
        async with asyncio.timeout(BODY_SECONDS):
            return await _with_beginning(request)
    return request


async def _with_beginning(request: Request) -> Request:
    """Return a request of unknown size with its body, if that ends soon, or with the beginning and the rest."""
    parts, body = aiter(request.protocol), b""
    try:
        while len(body) <= SMALL_BODY:
            body += await anext(parts)  # not `async for`, which asks for parts anew: granian gives them once
    except StopAsyncIteration:
        return request._replace(body=body)
    return request._replace(body=body, rest=parts)
