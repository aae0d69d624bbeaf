"""HTTP sessions for calling upstreams: one pooled session each, without cookies, and with a deadline for each answer.

The time-out of a call limits the connection, and then the whole answer: to requests and urllib3 it is the time of each
single wait, so that an upstream that sends a byte now and then keeps its caller for as long as it likes.

A query may contain a secret, because WeChat's API requires it so: it must never reach a log.
"""

import io
import logging
import re
import socket
import time
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from app.core.metrics import UPSTREAM_REQUESTS
from app.core.settings.types import LOOPBACK

_CONNECTIONS: Final = 128
_QUERY: Final = re.compile(r"\?\S+")
_URL_LOGGERS: Final = ("connection", "connectionpool", "poolmanager", "response", "util.retry")


def _hide_queries(record: logging.LogRecord) -> bool:
    record.msg, record.args = _QUERY.sub("?…", record.getMessage()), ()
    return True


class AnswerTooLarge(requests.RequestException):
    """An answer is longer than the caller reads."""


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until its time-out has passed as a whole."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, seconds: float) -> None:
        self._raw, self._sock, self._end = raw, sock, time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(HTTPResponse):
    """A response whose headers and body must have come when the time-out that its socket begins with has passed."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        seconds = sock.gettimeout()
        if seconds is not None:
            self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock, seconds))


def _with_deadline(manager: Any) -> Any:
    """Let all connections of a pool manager, whatever their kind, answer with `_DeadlineResponse`."""

    def of_kind(pool: Any) -> Any:
        connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": _DeadlineResponse})
        return type(pool.__name__, (pool,), {"ConnectionCls": connection})

    kinds = manager.pool_classes_by_scheme.items()
    manager.pool_classes_by_scheme = {scheme: of_kind(pool) for scheme, pool in kinds}
    return manager


class MeasuredAdapter(HTTPAdapter):
    """Limits the time of each answer of one upstream, and measures how long its headers take to arrive."""

    def __init__(self, upstream: str, **options: Any) -> None:
        super().__init__(**options)
        self._upstream = upstream

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool, as HTTPAdapter does."""
        super().init_poolmanager(*args, **options)
        _with_deadline(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return the pool of a proxy, as HTTPAdapter does."""
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        return manager if known else _with_deadline(manager)

    def send(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request, as HTTPAdapter does."""
        start, status = time.perf_counter(), "none"
        try:
            response = super().send(*args, **options)
            status = str(response.status_code)
        finally:
            UPSTREAM_REQUESTS.labels(self._upstream, status).observe(time.perf_counter() - start)
        return response


class _Session(requests.Session):
    """Reads where a redirect leads only if it is to be followed.

    Elsewhere requests reads it all the same, and an address that is none is a ValueError, which no caller expects.
    """

    def resolve_redirects(self, *args: Any, yield_requests: bool = False, **options: Any) -> Any:
        """Yield what redirects lead to, as Session does; nothing where it asks for the next request alone."""
        return iter(()) if yield_requests else super().resolve_redirects(*args, **options)


def pooled_session(base_url: str, upstream: str = "other") -> requests.Session:
    """Return a session that threads can share: it keeps connections, and no cookies.

    One pool for all threads, because worker threads come and go and a connection is expensive to open. An address on
    this machine uses no proxy. `upstream` is the label in the metrics.
    """
    for name in _URL_LOGGERS:  # a filter, because a level is easily overwritten by other log settings
        logging.getLogger(f"urllib3.{name}").addFilter(_hide_queries)
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.trust_env = urlsplit(base_url).hostname not in LOOPBACK
    for scheme in ("http://", "https://"):
        session.mount(scheme, MeasuredAdapter(upstream, pool_connections=1, pool_maxsize=_CONNECTIONS))
    return session


def read_limited(response: requests.Response, limit: int) -> bytes:
    """Return the body of a response that was asked for with `stream`. Raises AnswerTooLarge for a longer one."""
    received = bytearray()
    with response:
        for part in response.iter_content(8192):
            received += part
            if len(received) > limit:
                raise AnswerTooLarge
    return bytes(received)
