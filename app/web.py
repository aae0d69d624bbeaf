"""The little that all views share: the services, the caller's language and session, and strict request bodies."""

from typing import Any, cast

from flask import Response, current_app, g, jsonify, request
from pydantic import BaseModel, ConfigDict

from app.audit import Actor
from app.codes.reading import Current
from app.services import Services
from app.sessions import Kind, Session


class Body(BaseModel):
    """A request body: unknown fields and wrong types are refused, never guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def services() -> Services:
    """The services of this process."""
    return cast(Services, current_app.extensions["jixiang"])


def language() -> str:
    """`zh` unless the caller prefers English."""
    return request.accept_languages.best_match(["zh", "en"], default="zh")


def session() -> Session:
    """The caller's session, checked by `authorization.py` before the view runs."""
    return cast(Session, g.session)


def current_code() -> Current:
    """The caller's code as it is now, read once a request."""
    return cast(Current, g.current)


def actor() -> Actor:
    """The caller, as the audit names them."""
    caller = session()
    if caller.kind is Kind.INSPECTOR:
        return Actor("inspector", str(caller.subject))
    return Actor("citizen", str(caller.serial))


def answer(model: BaseModel, status: int = 200) -> Response:
    """A JSON answer that no cache on the way keeps."""
    return private(jsonify(cast(Any, model.model_dump(mode="json"))), status)


def private(response: Response, status: int = 200) -> Response:
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
