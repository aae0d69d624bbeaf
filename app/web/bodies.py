"""What every request with a body must be before a view reads it: a JSON object, declared as one, of bounded size."""

from flask import Flask, request
from werkzeug.exceptions import BadRequest

from app.errors import Problem


def init_app(app: Flask) -> None:
    """Refuse bodies that are no JSON object."""
    app.before_request(check_body)


def check_body() -> None:
    """Raises Problem `unsupported-media-type`, `malformed-json` or, through Flask, `too-large`."""
    if request.method not in ("POST", "PUT", "PATCH") or not request.path.startswith("/api/"):
        return
    if not request.content_length and "Transfer-Encoding" not in request.headers and not request.data:
        return  # no body at all; a view that wants one says which fields are missing
    if not request.is_json:
        raise Problem("unsupported-media-type")
    try:
        body = request.get_json()
    except (BadRequest, RecursionError):
        raise Problem("malformed-json") from None
    if not isinstance(body, dict):
        raise Problem("malformed-json")
