"""A request as the web server hands it over, before Flask: granian's RSGI, as far as it is used here.

Its specification is among the documents of granian: https://github.com/emmett-framework/granian.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import NamedTuple, Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # the caller has hung up

__all__ = ["Answering", "HeaderMap", "Headers", "HttpProtocol", "ProtocolClosed", "Request", "Scope", "plain_headers"]

Headers = list[tuple[str, str]]


class HeaderMap(Protocol):
    """The headers of a request; names are small letters. `items` has those in ASCII, each as often as it was sent."""

    def items(self) -> Headers: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...


class Scope(Protocol):
    """What is known of a request before its body: `client` and `server` are `address:port`."""

    method: str
    path: str
    query_string: str
    scheme: str
    http_version: str
    client: str
    server: str
    authority: str | None
    headers: HeaderMap


class HttpProtocol(Protocol):
    """The body of a request, whole or in parts, and its answer, which any thread may give."""

    def __call__(self) -> Awaitable[bytes]: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


class Request(NamedTuple):
    """A request, the moment of its arrival by time.perf_counter, what has been read of its body, and the rest of it."""

    scope: Scope
    protocol: HttpProtocol
    arrived: float
    body: bytes | None = None
    rest: AsyncIterator[bytes] | None = None


def plain_headers(scope: Scope) -> dict[str, str] | None:
    """Return the headers by name; None if one is repeated, or not in ASCII."""
    received = scope.headers
    items = received.items()
    headers = dict(items)
    return headers if len(headers) == len(items) == len(received) else None


Answering = Callable[[Request], Awaitable[None]]  # answers a request
