"""The bridge from the event loop to WSGI: a request becomes an environ, and is answered in a thread."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, Final

from app.web.operations import ARRIVED
from app.web.server.rsgi import Headers, Request, Scope

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_PART_SECONDS: Final = 30.0  # until the next part of a body has to come
_BUFFER: Final = 65_536  # bytes
_CGI_NAMES: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
_OF_PARTNERS: Final = "gjzwfwpt_"
_SEPARATORS: Final = {"cookie": ";"}


class WsgiBridge:
    """Answers requests with a WSGI application, in so many threads."""

    def __init__(self, app: Application, threads: int, name: str = "flask") -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def __call__(self, request: Request) -> None:
        """Answer a request."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._answer, request, loop)

    def close(self) -> None:
        """Begin no other request; those in progress go on."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, request: Request, loop: asyncio.AbstractEventLoop) -> None:
        status, headers = 500, Headers()

        def start_response(line: str, with_headers: Headers, exc_info: object = None) -> None:
            nonlocal status, headers
            status, headers = int(line.split(" ", 1)[0]), with_headers

        parts = self._app(make_environ(request, loop), start_response)
        try:
            body = b"".join(parts)  # whole: every view has all of its answer in memory before it sends any
        finally:
            getattr(parts, "close", lambda: None)()
        request.protocol.response_bytes(status, headers, body)


def make_environ(request: Request, loop: asyncio.AbstractEventLoop) -> Environ:
    """Return the environ of PEP 3333."""
    scope = request.scope
    server, _, port = scope.server.rpartition(":")
    environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        ARRIVED: request.arrived,
    }
    if scope.authority and scope.http_version == "2":  # where it takes the place of the header
        environ["HTTP_HOST"] = scope.authority
    _add_headers(environ, scope)
    _add_body(environ, request, loop)
    return environ


def _add_headers(environ: Environ, scope: Scope) -> None:
    """Add the headers, one that is repeated joined, one that is not ASCII as an empty one.

    One with an underscore is left out: it could pass for one with a hyphen. Those of the envelope of partners have one
    by their standard, and nothing in front of us sets them.
    """
    items = scope.headers.items()
    readable = {name for name, _ in items}
    for name, value in [*items, *((name, "") for name in scope.headers if name not in readable)]:
        if "_" in name and not name.startswith(_OF_PARTNERS):
            continue
        key = _CGI_NAMES.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]}{_SEPARATORS.get(name, ',')}{value}" if key in environ else value


def _add_body(environ: Environ, request: Request, loop: asyncio.AbstractEventLoop) -> None:
    """Add the body: read, or to be read. The view sees by CONTENT_LENGTH that a caller has hung up in the middle."""
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    rest = request.rest
    if rest is None and request.body is None and (chunked or "CONTENT_LENGTH" in environ):
        rest = aiter(request.protocol)
    read = request.body or b""
    environ["wsgi.input"] = BytesIO(read) if rest is None else BufferedReader(_Body(read, rest, loop), _BUFFER)
    if chunked:  # Werkzeug asks whether the key is there, not whether it is true
        environ["wsgi.input_terminated"] = True


class _Body(RawIOBase):
    """A body that a thread reads while the event loop receives it."""

    def __init__(self, read: bytes, parts: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._parts, self._loop = parts, loop
        self._rest = memoryview(read)
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what has come, waiting for the next part if nothing has; 0 at the end."""
        while not self._rest and not self._ended:
            self._rest = memoryview(asyncio.run_coroutine_threadsafe(self._next(), self._loop).result())
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    async def _next(self) -> bytes:
        """Return the next part; at the end, or when nothing comes for too long, nothing."""
        try:
            async with asyncio.timeout(_PART_SECONDS):
                return await anext(self._parts)
        except (StopAsyncIteration, TimeoutError):
            self._ended = True
            return b""
