"""Errors as responses: `application/problem+json` (RFC 9457) in the caller's language, made only here.

For people instead of programs the owner of those addresses registers a page (`register_problem_pages`). A response
never repeats the request, and never reveals internal errors.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import structlog
from flask import Flask, Response, current_app, json, request
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.core.errors import FieldError, Problem, json_pointer
from app.core.texts import field_text, problem_status, text
from app.web import language, limits
from app.web.logs import error_location

log = structlog.get_logger()

TYPE_PREFIX = "/problems/"
_READ_ONLY = "25006"  # PostgreSQL's code for a write to a standby, or to a database that was made read-only

_HTTP_SLUGS = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}
_PYDANTIC_SLUGS = {
    "missing": "required",
    "extra_forbidden": "unknown",
    "string_too_short": "too-short",
    "too_short": "too-short",
    "string_too_long": "too-long",
    "too_long": "too-long",
    "enum": "not-a-choice",
    "literal_error": "not-a-choice",
    "greater_than_equal": "out-of-range",
    "less_than_equal": "out-of-range",
    "value_error": "invalid",
    "date_from_datetime_parsing": "date-form",
    "date_parsing": "date-form",
    "date_type": "date-form",
}


class FieldProblem(BaseModel):
    """One bad field."""

    pointer: str
    detail: str


class ProblemBody(BaseModel):
    """The body of every refusal."""

    type: str
    title: str
    detail: str = Field(description="The next step of the person who is refused")
    status: int
    errors: list[FieldProblem] | None = None
    server_time: str | None = Field(default=None, description="Where the clock of a device or partner is wrong")


# descriptions for the API document; `type` names the reason and never changes its meaning
_REFUSALS = {
    400: "The request cannot be parsed",
    401: "No valid session, or a wrong password",
    403: "The caller may not do this",
    404: "Not found",
    409: "In conflict with the current state",
    410: "The token has expired, or the service has ended",
    413: "The request is too large",
    415: "The request is not JSON",
    422: "Some fields are invalid; `errors` names them",
    429: "Too many requests; retry after `Retry-After`",
    500: "An internal error",
    503: "Unavailable or overloaded; retry after `Retry-After`",
    504: "No answer in time; retry after `Retry-After`",
}


def problem_responses(*statuses: int) -> ResponseDict:
    """Return the entries of these statuses in the API document, each with a problem as its body."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}
    return {str(status): {"description": _REFUSALS[status], "content": content} for status in statuses}


def init_app(app: Flask) -> None:
    """Answer every error of the application with a problem."""
    app.validation_error_model = ProblemBody  # type: ignore[attr-defined]
    app.register_error_handler(Problem, lambda problem: problem_response(problem))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database_down)
    app.register_error_handler(PoolTimeout, _database_down)
    app.register_error_handler(InternalError, _internal_of_database)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_stay_here)


def _stay_here(response: Response) -> Response:
    """Redirect within this origin: the address that Werkzeug makes of a path is that of the `Host` header."""
    redirect = request.routing_exception
    if isinstance(redirect, RequestRedirect):  # such as /console to /console/
        to = urlsplit(redirect.new_url)
        response.location = urlunsplit(("", "", to.path, to.query, ""))
        response.set_data(b"")
    return response


def problem_body(problem: Problem, lang: str) -> bytes:
    """Return the body of a problem."""
    body: dict[str, Any] = {
        **problem.members,
        "type": TYPE_PREFIX + problem.slug,
        "title": text("problems", problem.slug, lang),
        "detail": text("next-steps", problem.step, lang),
        "status": problem_status(problem.slug),
    }
    if problem.fields:
        body["errors"] = [{"pointer": field.pointer, "detail": field_text(field, lang)} for field in problem.fields]
    # the pointer may contain half a surrogate pair from the request, which cannot be encoded
    return json.dumps(body, ensure_ascii=False).encode(errors="replace")


def register_problem_pages(app: Flask, applies: Callable[[], bool], render: Callable[[Problem], Response]) -> None:
    """Render problems as pages for the requests to which `applies` says so."""
    app.extensions["jixiang-problem-pages"] = (applies, render)


def problem_response(problem: Problem) -> Response:
    """Return the response for a problem."""
    applies, render = current_app.extensions.get("jixiang-problem-pages", (lambda: False, _in_json))
    response: Response = render(problem) if applies() else _in_json(problem)
    response.headers["Cache-Control"] = "no-store"
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _in_json(problem: Problem) -> Response:
    status = problem_status(problem.slug)
    response = Response(problem_body(problem, language()), status, content_type="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def validation_problem(error: ValidationError) -> Response:
    """Return the response to a body that does not fit its model; called by flask-openapi3."""
    return problem_response(Problem("invalid-request", fields=field_errors(error.errors())))


def field_errors(errors: Sequence[Any]) -> tuple[FieldError, ...]:
    """Return pydantic's errors with the slugs of our texts; what is empty is not called too short."""
    return tuple(
        FieldError(
            json_pointer(*error["loc"]),
            "required" if error.get("input") == "" else _PYDANTIC_SLUGS.get(error["type"], "wrong-type"),
        )
        for error in errors
    )


def _http(error: HTTPException) -> Response:
    if error.response is not None:  # made on purpose, such as that of a refused body
        return error.response  # type: ignore[return-value]
    if error.code is not None and error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    if error.code is None or error.code >= 500:  # Flask's own, around what was raised after the view
        return _unexpected(getattr(error, "original_exception", None) or error)
    later = limits.retry_after() if error.code == 429 else None
    response = problem_response(Problem(_HTTP_SLUGS.get(error.code or 500, "bad-request"), retry_after=later))
    if error.code == 405 and error.get_headers():
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def _database_down(error: Exception) -> Response:
    """Answer 503: the database is away, or refuses for want of something, such as space on its disk."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    log.error("database-unreachable", error=type(cause).__name__)
    return problem_response(Problem("unavailable", retry_after=5))


def _internal_of_database(error: InternalError) -> Response:
    return _database_down(error) if getattr(error.orig, "sqlstate", None) == _READ_ONLY else _unexpected(error)


def _unexpected(error: Exception) -> Response:
    """Log an internal error by type and place, not by text, which may contain personal data."""
    log.error("unexpected-error", error=type(error).__name__, place=error_location(error), endpoint=request.endpoint)
    return problem_response(Problem("internal"))
