"""The little that all views share: the services, the caller's language and session, and strict request bodies."""

from functools import lru_cache
from typing import Any, cast

from flask import Response, current_app, g, jsonify, request
from pydantic import BaseModel, ConfigDict, field_validator
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from app.audit import Actor
from app.codes.reading import Current
from app.officers.models import Officer, OfficerSession
from app.services import Services
from app.sessions import Kind, Session

# for the API document: a call that needs a session, and one that takes one
SESSION: list[dict[str, list[str]]] = [{"session": []}]
MAYBE_SESSION: list[dict[str, list[str]]] = [{}, *SESSION]


class Body(BaseModel):
    """A request body: unknown fields and wrong types are refused, never guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    @field_validator("*")
    @classmethod
    def no_nul(cls, value: object) -> object:
        """PostgreSQL keeps no NUL in a text; a text that holds one is no name and no code."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("NUL")
        return value


def services() -> Services:
    """The services of this process."""
    return cast(Services, current_app.extensions["jixiang"])


def language() -> str:
    """`zh` unless the caller prefers English."""
    return best_language(request.headers.get("Accept-Language", ""))


@lru_cache(256)
def best_language(accepted: str) -> str:
    """The language that an Accept-Language header asks for."""
    return parse_accept_header(accepted, LanguageAccept).best_match(["zh", "en"], default="zh")


def session() -> Session:
    """The caller's session, checked by `authorization.py` before the view runs."""
    return cast(Session, g.session)


def officer() -> Officer:
    """The officer at the console, as they were when the request came."""
    return cast(Officer, g.officer)


def officer_session() -> OfficerSession:
    """The session in which the officer works."""
    return cast(OfficerSession, g.officer_session)


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
