"""Shared by all views: the services, the caller's language and session, and strict request bodies."""

from functools import lru_cache
from typing import Any, cast

from flask import Response, current_app, g, jsonify, request
from pydantic import BaseModel, ConfigDict, field_validator
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from app.audit import Actor
from app.codes.current_code import CurrentCode
from app.core.session_tokens import SessionKind, UserSession
from app.core.texts import citizen_languages
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

# for the API document: a call that requires a session, and one with an optional session
SESSION: list[dict[str, list[str]]] = [{"session": []}]
OPTIONAL_SESSION: list[dict[str, list[str]]] = [{}, *SESSION]


class RequestBody(BaseModel):
    """A request body; unknown fields and wrong types are refused, never coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    @field_validator("*")
    @classmethod
    def no_nul(cls, value: object) -> object:
        """Refuse NUL, which PostgreSQL does not store in texts and no name or code contains."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("NUL")
        return value


def get_services() -> Services:
    """Return the services of this process."""
    return cast(Services, current_app.extensions["jixiang"])


def language() -> str:
    """Return the language in which the caller reads, `zh` where it is none of ours."""
    return best_language(request.headers.get("Accept-Language", ""))


def best_language(accepted: str) -> str:
    """Return the language of an Accept-Language header, one of those of citizens."""
    return _best_of(citizen_languages(), accepted)


@lru_cache(256)
def _best_of(languages: tuple[str, ...], accepted: str) -> str:
    """Return the best of these languages for an Accept-Language header.

    Of each tag the language alone counts: Werkzeug's own best_match prefers `en;q=0.5` to `ko-KR` where there is `ko`.
    """
    tags = (tag for tag, quality in parse_accept_header(accepted, LanguageAccept) if quality > 0)
    asked = ("zh" if tag == "*" else tag.partition("-")[0].lower() for tag in tags)
    return next((code for code in asked if code in languages), "zh")


def current_session() -> UserSession:
    """Return the caller's session, checked by `api/authorization` before the view runs."""
    return cast(UserSession, g.session)


def current_officer() -> Officer:
    """Return the officer at the console, as read when the request began."""
    return cast(Officer, g.officer)


def current_officer_session() -> OfficerSession:
    """Return the officer's session at the console."""
    return cast(OfficerSession, g.officer_session)


def current_code() -> CurrentCode:
    """Return the caller's current code, read once a request."""
    return cast(CurrentCode, g.current_code)


def actor() -> Actor:
    """Return the caller as the actor of audit events."""
    caller = current_session()
    if caller.kind is SessionKind.INSPECTOR:
        return Actor("inspector", str(caller.subject))
    return Actor("citizen", str(caller.serial))


def json_response(model: BaseModel, status: int = 200) -> Response:
    """Return a JSON response that no proxy caches."""
    return no_store(jsonify(cast(Any, model.model_dump(mode="json"))), status)


def no_store(response: Response, status: int = 200) -> Response:
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
