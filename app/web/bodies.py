"""Checks of every request before a view reads it: numbers in its address fit the database, its body is of bounded
size, and a body of the API is a JSON object of bounded depth, declared as one.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest
from werkzeug.routing import IntegerConverter, ValidationError

from app.core.errors import Problem

MAX_DEPTH = 32  # of JSON; bodies have up to 4 levels
_LARGEST_NUMBER = 2**63 - 1  # of PostgreSQL's bigint
BODY_LIMITS = {  # bytes, by the rule of the route
    "/api/v1/checks/offline": 65_536,  # a hundred checks with their tokens
    "/api/v1/devices/batches": 65_536,
    "/api/v1/appeals": 8_500_000,  # a text with its attachments as base64
    "/console/entries/new": 1_048_576,  # a workbook with a thousand people and what else is in it
}

_ASKED_BEFORE: dict[str, Callable[[], None]] = {}  # by the rule of the route: what must hold before its body is read


def before_reading(rule: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Have a function called before the body of a route is read; it raises Problem where that would be in vain."""

    def add(ask: Callable[[], None]) -> Callable[[], None]:
        _ASKED_BEFORE[rule] = ask
        return ask

    return add


class JsonRequest(Request):
    """A request whose missing body reads as an empty object, so that a view reports which fields are missing."""

    def get_json(self, *args: Any, **options: Any) -> Any:
        return super().get_json(*args, **options) if self.get_data() else {}


class BoundedJson(DefaultJSONProvider):
    """JSON whose depth is bounded, for whoever parses some: the error is the one of a text that is not JSON."""

    def loads(self, s: str | bytes, **options: Any) -> Any:
        """Return the value. Raises ValueError, also where the nesting is too deep."""
        try:
            value = super().loads(s, **options)
        except RecursionError:
            raise ValueError("nested too deep") from None
        if _is_deep(value):
            raise ValueError("nested too deep")
        return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inside
            for one in level
            if isinstance(one, dict | list)
            for inside in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)


class BigintConverter(IntegerConverter):
    """A number in an address; a number that no row can have is 404."""

    def to_python(self, value: str) -> int:
        number: int = super().to_python(value)
        if number > _LARGEST_NUMBER:
            raise ValidationError
        return number


def init_app(app: Flask) -> None:
    """Refuse addresses with larger numbers, and bodies that are not JSON objects."""
    app.url_map.converters["int"] = BigintConverter
    app.request_class = JsonRequest
    app.json = BoundedJson(app)
    app.before_request(check_body)


def bound_body() -> None:
    """Set how much of the body is read, by the route."""
    rule = request.url_rule.rule if request.url_rule else ""
    request.max_content_length = BODY_LIMITS.get(rule, request.max_content_length)


def check_body() -> None:
    """Raise Problem `unsupported-media-type`, `malformed-json` or, also through Flask, `too-large`."""
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    rule = request.url_rule.rule if request.url_rule else ""
    if rule in _ASKED_BEFORE:
        _ASKED_BEFORE[rule]()
    bound_body()
    if not request.path.startswith("/api/"):
        return
    if request.content_length is None and len(request.get_data()) >= (request.max_content_length or 0):
        raise Problem("too-large")  # a body without a Content-Length is read only up to the limit
    if not request.content_length and "Transfer-Encoding" not in request.headers and not request.data:
        return  # no body; a view that needs one reports which fields are missing
    if not request.is_json:
        raise Problem("unsupported-media-type")
    try:
        body = request.get_json()
    except BadRequest:
        raise Problem("malformed-json") from None
    if not isinstance(body, dict):
        raise Problem("malformed-json")
