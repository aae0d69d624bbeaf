"""The application that the web server serves, called as the web server calls it, without a socket.

One event loop in a thread serves all applications of a test run. Before each of them stands a WSGI application, so that
the test clients of Flask and Werkzeug ask as they ask any other.
"""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import Any

from flask import Flask
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.test import Client

from app.api.fast_path import FastPath
from app.console import make_busy_page
from app.runtime import Services
from app.web.server.rsgi import Answering, Headers, ProtocolClosed, Request
from tests.support.waiting import PATIENCE, wait_until

_LENGTH = "content-length"
_READERS = ThreadPoolExecutor(64, "readers")  # bodies may be slow


@cache
def loop() -> asyncio.AbstractEventLoop:
    """The event loop of the tests, which runs until their process ends."""
    made = asyncio.new_event_loop()
    threading.Thread(target=made.run_forever, name="event loop", daemon=True).start()
    return made


class Scope:
    """A request as granian describes it."""

    http_version, authority = "1.1", None

    def __init__(self, environ: dict[str, Any]) -> None:
        self.method, self.scheme = environ["REQUEST_METHOD"], environ["wsgi.url_scheme"]
        self.path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        self.query_string = environ["QUERY_STRING"]
        self.client = f"{environ.get('REMOTE_ADDR', '127.0.0.1')}:50000"
        self.server = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        self.headers = HeaderMap(environ)


class HeaderMap:
    """Headers; the values of those that are not ASCII are not told."""

    def __init__(self, environ: dict[str, Any]) -> None:
        named = {name.removeprefix("HTTP_"): value for name, value in environ.items() if name.startswith("HTTP_")}
        named |= {name: environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
        self._all = [(name.lower().replace("_", "-"), value) for name, value in named.items()]

    def items(self) -> Headers:
        return [(name, value) for name, value in self._all if value.isascii()]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._all])

    def __len__(self) -> int:
        return len(self._all)


class Protocol:
    """The body of a request, and its answer. One that is cut off ends in parts as a whole one does."""

    def __init__(self, body: Any, length: str) -> None:
        self._body, self._length = body, length
        self.answer: tuple[int, Headers, bytes] | None = None

    async def __call__(self) -> bytes:
        body = b"".join([part async for part in self])
        if self._length and len(body) < int(self._length):
            raise ProtocolClosed
        return body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = int(self._length) if self._length.isdecimal() else sys.maxsize  # a socket has no end of its own
        while part := await self._read(min(left, 65_536)):
            left -= len(part)
            yield part

    async def _read(self, size: int) -> bytes:
        if isinstance(self._body, BytesIO):  # of a test client, that is: all is there
            return self._body.read(size)
        part: bytes = await loop().run_in_executor(_READERS, self._body.read, size)
        return part

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        self.answer = status, headers, body


class InProcess:
    """A WSGI application that passes each request to an RSGI application, and waits for its answer."""

    def __init__(self, rsgi: Callable[[Any, Any], Coroutine[Any, Any, None]]) -> None:
        self._rsgi = rsgi

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        protocol = Protocol(environ["wsgi.input"], environ.get("CONTENT_LENGTH", ""))
        asyncio.run_coroutine_threadsafe(self._rsgi(Scope(environ), protocol), loop()).result(PATIENCE)
        assert protocol.answer is not None, "the caller has hung up"
        status, headers, body = protocol.answer
        names = {name.lower() for name, _ in headers}
        more = [] if _LENGTH in names else [("Content-Length", str(len(body)))]  # as the web server adds it
        start_response(f"{status} {HTTP_STATUS_CODES[status].upper()}", [*headers, *more])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def put_before(app: Flask, services: Services) -> FastPath:
    """Put the fast path before an application, whose test clients then ask as callers of the web server do.

    `end` it, for it has a connection to Redis.
    """
    server = FastPath(app, services, make_busy_page(services.settings.environment))
    loop().call_soon_threadsafe(server.__rsgi_init__, loop())
    wait_until(lambda: server.redis.is_connected, "Redis does not answer", every=0.002)
    app.wsgi_app = InProcess(server.__rsgi__)  # type: ignore[method-assign]
    return server


@contextmanager
def served(app: Flask, services: Services) -> Iterator[FastPath]:
    """Put the fast path before an application for the length of the block."""
    server = put_before(app, services)
    try:
        yield server
    finally:
        end(server)


def end(server: FastPath) -> None:
    """End the connections of a fast path."""
    asyncio.run_coroutine_threadsafe(server.close(), loop()).result(PATIENCE)


def client_of(answering: Answering) -> Client:
    """A client of a part of the web server."""

    async def answer(scope: Any, protocol: Any) -> None:
        await answering(Request(scope, protocol, time.perf_counter()))

    return Client(InProcess(answer))


@contextmanager
def noted_rest(server: FastPath) -> Iterator[list[str]]:
    """Note the paths of the requests that the fast path passes to Flask."""
    passed: list[str] = []
    behind = server.rest

    async def note(request: Request) -> None:
        passed.append(request.scope.path)
        await behind(request)

    server.rest = note
    try:
        yield passed
    finally:
        server.rest = behind
