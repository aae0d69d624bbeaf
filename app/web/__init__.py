"""The little that all views share: the services, the caller's language and session, and strict request bodies."""

from functools import lru_cache
from typing import Any, cast

from flask import Response, current_app, g, jsonify, request
from pydantic import BaseModel, ConfigDict, field_validator
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from app.audit import Actor
from app.codes.current_code import CurrentCode
from app.core.session_tokens import SessionKind, UserSession
from app.runtime import Services
from app.staff.models import Officer, OfficerSession

__all__ = [
    "OPTIONAL_SESSION",
    "SESSION",
    "RequestBody",
    "actor",
    "best_language",
    "current_code",
    "current_officer",
    "current_officer_session",
    "current_session",
    "get_services",
    "json_response",
    "language",
    "no_store",
]

# for the API document: a call that needs a session, and one that takes one
SESSION: list[dict[str, list[str]]] = [{"session": []}]
OPTIONAL_SESSION: list[dict[str, list[str]]] = [{}, *SESSION]


class RequestBody(BaseModel):
    """A request body: unknown fields and wrong types are refused, never guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    @field_validator("*")
    @classmethod
    def no_nul(cls, value: object) -> object:
        """PostgreSQL keeps no NUL in a text; a text that holds one is no name and no code."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("NUL")
        return value


def get_services() -> Services:
    """The services of this process."""
    return cast(Services, current_app.extensions["jixiang"])


def language() -> str:
    """`zh` unless the caller prefers English."""
    return best_language(request.headers.get("Accept-Language", ""))


@lru_cache(256)
def best_language(accepted: str) -> str:
    """The language that an Accept-Language header asks for."""
    return parse_accept_header(accepted, LanguageAccept).best_match(["zh", "en"], default="zh")


def current_session() -> UserSession:
    """The caller's session, checked by `authorization.py` before the view runs."""
    return cast(UserSession, g.session)


def current_officer() -> Officer:
    """The officer at the console, as they were when the request came."""
    return cast(Officer, g.officer)


def current_officer_session() -> OfficerSession:
    """The session in which the officer works."""
    return cast(OfficerSession, g.officer_session)


def current_code() -> CurrentCode:
    """The caller's code as it is now, read once a request."""
    return cast(CurrentCode, g.current_code)


def actor() -> Actor:
    """The caller, as the audit names them."""
    caller = current_session()
    if caller.kind is SessionKind.INSPECTOR:
        return Actor("inspector", str(caller.subject))
    return Actor("citizen", str(caller.serial))


def json_response(model: BaseModel, status: int = 200) -> Response:
    """A JSON answer that no cache on the way keeps."""
    return no_store(jsonify(cast(Any, model.model_dump(mode="json"))), status)


def no_store(response: Response, status: int = 200) -> Response:
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
