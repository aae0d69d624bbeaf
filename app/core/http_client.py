"""HTTP sessions for calling upstreams: one pooled session each, without cookies.

A query may contain a secret, because WeChat's API requires it so: it must never reach a log.
"""

import logging
import re
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from app.core.metrics import UPSTREAM_REQUESTS

_CONNECTIONS: Final = 128
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_QUERY: Final = re.compile(r"\?\S+")
_URL_LOGGERS: Final = ("connection", "connectionpool", "poolmanager", "response", "util.retry")


def _hide_queries(record: logging.LogRecord) -> bool:
    record.msg, record.args = _QUERY.sub("?…", record.getMessage()), ()
    return True


class MeasuredAdapter(HTTPAdapter):
    """Measures each request to one upstream, until the headers of the response have arrived."""

    def __init__(self, upstream: str, **options: Any) -> None:
        super().__init__(**options)
        self._upstream = upstream

    def send(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request, as HTTPAdapter does."""
        start, status = time.perf_counter(), "none"
        try:
            response = super().send(*args, **options)
            status = str(response.status_code)
        finally:
            UPSTREAM_REQUESTS.labels(self._upstream, status).observe(time.perf_counter() - start)
        return response


def pooled_session(base_url: str, upstream: str = "other") -> requests.Session:
    """Return a session that threads can share: it keeps connections, and no cookies.

    One pool for all threads, because worker threads come and go and a connection is expensive to open. An address on
    this machine uses no proxy. `upstream` is the label in the metrics.
    """
    for name in _URL_LOGGERS:  # a filter, because a level is easily overwritten by other log settings
        logging.getLogger(f"urllib3.{name}").addFilter(_hide_queries)
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.trust_env = urlsplit(base_url).hostname not in _LOOPBACK
    for scheme in ("http://", "https://"):
        session.mount(scheme, MeasuredAdapter(upstream, pool_connections=1, pool_maxsize=_CONNECTIONS))
    return session
