"""Forms of the console: reading one, its protection, and keeping one whose officer's session has ended."""

import base64
import hmac
from hashlib import sha256
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import g, request
from pydantic import ValidationError

from app.api.authorization import session_cookie_name
from app.core.errors import Problem
from app.staff import sessions
from app.web import RequestBody, get_services, kept_forms
from app.web.bodies import BODY_LIMITS
from app.web.problems import field_errors

KEPT: Final = "kept"  # in the address of a page that restores a form
_TOKEN_FIELD: Final = "form"  # noqa: S105 - the name of the hidden field
# routes of long forms whose pages restore what was filled in when a session ended
_RESTORING: Final = ("/console/entries/new", "/console/cases/<int:id_>/contacts")
_MAX_DIGITS: Final = 18  # of a number that a row can have
Form = TypeVar("Form", bound=RequestBody)


def parse_form(kind: type[Form]) -> Form:
    """Parse the form that was sent. Raises Problem `invalid-request` with every bad field."""
    several = {name for name, field in kind.model_fields.items() if field.annotation == list[str]}
    filled: dict[str, Any] = {name: value for name, value in request.form.items() if name != _TOKEN_FIELD}
    return _validate(kind, filled | {name: request.form.getlist(name) for name in several})


def parse_query(kind: type[Form]) -> Form:
    """Parse the query of the address, ignoring unknown names. Raises Problem as `parse_form` does."""
    return _validate(kind, {name: value for name, value in request.args.items() if name in kind.model_fields})


def parse_int(words: str) -> int:
    """Parse a number that was entered. Raises ValueError, also for a number that no row can have."""
    if not (words.isascii() and words.isdecimal() and len(words) <= _MAX_DIGITS):
        raise ValueError
    return int(words)


def restore_form(kind: type[Form]) -> Form | None:
    """Return what the officer had filled in here when their session ended, once they are brought back to it."""
    if KEPT not in request.args:
        return None
    fields = kept_forms.take(get_services(), g.officer.id, request.path)
    return None if fields is None else _validate(kind, fields)


def _validate(kind: type[Form], filled: dict[str, Any]) -> Form:
    try:
        return kind.model_validate(filled)
    except ValidationError as error:
        raise Problem("invalid-request", fields=field_errors(error.errors(include_input=False))) from None


def check_form_token() -> None:
    """Require that our own page sent the form, in the session for which it was rendered. Raises Problem."""
    if request.method == "POST" and not _is_ours(form_token()):
        raise Problem("form-refused")


def _is_ours(wanted: str) -> bool:
    """Return whether our own page sent the form, with this token."""
    return _is_same_origin() and hmac.compare_digest(request.form.get(_TOKEN_FIELD, "").encode(), wanted.encode())


def _is_same_origin() -> bool:
    """Return whether a form comes from our own page; older browsers, and those without TLS, send only Origin."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host


def form_token() -> str:
    """Return the token of forms, bound to the session by its cookie, which it does not reveal; empty at the log-in."""
    token = request.cookies.get(session_cookie_name()) if g.get("officer") else None
    return _form_token_of(token) if token else ""


def _form_token_of(session_token: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(session_token.encode(), b"form", sha256)).rstrip(b"=").decode()


def keep_form() -> bool:
    """Keep the form that an ended session sent, if its page can restore it; return whether it is kept."""
    token, rule = request.cookies.get(session_cookie_name(), ""), request.url_rule.rule if request.url_rule else ""
    size = request.content_length or 0
    if request.method != "POST" or rule not in _RESTORING or not 0 < size <= BODY_LIMITS[rule]:
        return False
    request.max_content_length = BODY_LIMITS[rule]
    if not _is_ours(_form_token_of(token)):
        return False
    with get_services().sessions() as session:
        officer_id = sessions.find_owner(session, token)
    fields = {name: value for name, value in request.form.items() if name not in (_TOKEN_FIELD, "previewed")}
    return officer_id is not None and kept_forms.keep(get_services(), officer_id, request.path, fields)
