"""How this system calls others over HTTP: one pooled session per partner, which remembers nothing.

Owns what every outgoing call has in common. A query may hold a secret (WeChat wants it so): it must
never reach a log.
"""

import logging
import re
from http.cookiejar import DefaultCookiePolicy
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

_CONNECTIONS: Final = 128
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_QUERY: Final = re.compile(r"\?\S+")
_WRITES_URLS: Final = ("connection", "connectionpool", "poolmanager", "response", "util.retry")


def _hide_queries(record: logging.LogRecord) -> bool:
    record.msg, record.args = _QUERY.sub("?…", record.getMessage()), ()
    return True


def pooled_session(base_url: str) -> requests.Session:
    """A session that threads may share: it keeps connections, and no cookies that could change under them.

    One pool for all threads, not a session for each: worker threads come and go, and a connection
    to a partner is dear to open. On this machine no proxy is asked.
    """
    for name in _WRITES_URLS:  # a filter, for a level is soon set again by somebody's log settings
        logging.getLogger(f"urllib3.{name}").addFilter(_hide_queries)
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.trust_env = urlsplit(base_url).hostname not in _LOOPBACK
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS))
    return session
