"""Addresses in their one spelling: every other one is 404, so that what a proxy or firewall says of a path holds.

The server takes the escapes out of a path and hands on no other (WSGI), so nobody here can part `/%6detrics` from
`/metrics`. What is for operators is therefore answered to who asks the process itself, and not through a proxy.
"""

from typing import Final

from flask import Flask, request

from app.core.errors import Problem

_FOR_OPERATORS: Final = frozenset({"/metrics", "/readyz"})
_BY_PROXIES: Final = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")  # any of them says that one passed it on


def init_app(app: Flask) -> None:
    """Answer 404 for every other spelling of an address, and for what is for operators through a proxy."""
    app.url_map.merge_slashes = False  # else the router redirects from some of the other spellings
    app.before_request(check_path)


def check_path() -> None:
    """Raise Problem `not-found`."""
    path, rule = request.environ["PATH_INFO"], request.url_rule  # `request.path` has lost slashes at the beginning
    if not is_canonical(path) or (rule is not None and path.endswith("/") > rule.rule.endswith("/")):
        raise Problem("not-found")
    if request.path in _FOR_OPERATORS and any(name in request.headers for name in _BY_PROXIES):
        raise Problem("not-found")


def is_canonical(path: str) -> bool:
    """Return whether a path has no empty segment but the last, and none that stands for another."""
    *before, last = path.split("/")[1:]
    return path.startswith("/") and "" not in before and not {".", ".."} & {*before, last}
