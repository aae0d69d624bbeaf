"""Shared by all pages of the console: layout and language, headers, forms and their protection, error pages.

`page` renders a page, `parse_form` reads a form, and the next page shows what was done (`done`). The table in
`api/authorization.py` decides before who may open a page.
"""

import base64
import hmac
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from pydantic import ValidationError

from app.api.authorization import ROUTE_ROLES, can_open, session_cookie_name
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.core.texts import LANGUAGES, problem_status, slugs, text
from app.entries.lists.errors import format_lines
from app.staff import sessions
from app.staff.models import Officer
from app.web import RequestBody, get_services, kept_forms
from app.web.bodies import BODY_LIMITS
from app.web.problems import field_errors, register_problem_pages
from app.web.security_headers import security_headers

views = Blueprint("console", __name__, url_prefix="/console", template_folder="templates", static_folder="static")

# each page of the menu has its word in [menu]; an officer sees those that they may open
MENU: Final = {
    "start": "/console/",
    "entries": "/console/entries",
    "cases": "/console/cases",
    "appeals": "/console/appeals",
    "figures": "/console/figures",
    "audit": "/console/audit",
    "officers": "/console/officers",
    "inspectors": "/console/inspectors",
    "account": "/console/account",
}
_TOKEN_FIELD: Final = "form"  # noqa: S105 - the name of the hidden field
_LANGUAGE_COOKIE: Final = "console-language"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_DOWNLOAD_CSP: Final = "default-src 'none'; sandbox"  # a browser that renders it all the same runs and loads nothing
KEPT: Final = "kept"  # in the address of a page that restores a form
# routes of long forms whose pages restore what was filled in when a session ended
_RESTORING: Final = ("/console/entries/new", "/console/cases/<int:id_>/contacts")
_MAX_DIGITS: Final = 18  # of a number that a row can have
Form = TypeVar("Form", bound=RequestBody)


def init_app(app: Flask) -> None:
    """Serve the pages, and render every problem under `/console` as one."""
    app.register_blueprint(views)
    app.after_request(_add_security_headers)
    app.jinja_env.filters["moment"] = format_moment
    app.jinja_env.filters["lines"] = format_lines
    register_problem_pages(app, _is_console, _problem_page)


# --- pages


def page(template: str, *, problem: Problem | None = None, **values: Any) -> Response:
    """Render a page in the officer's language; with a problem, it shows what is wrong with the form that was sent."""
    response = make_response(
        render_template(template, problem=problem, **_layout_values(), **values),
        problem_status(problem.slug) if problem else 200,
    )
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(
            _LANGUAGE_COOKIE, language(), max_age=31_536_000, httponly=True, samesite="Strict", path="/console"
        )
    return response


def _layout_values() -> dict[str, Any]:
    officer, language_now = g.get("officer"), language()
    return {
        "t": _translate, "wrong": lambda slug: text("fields", slug, language_now),
        "language": language_now, "language_link": _language_link(),
        "officer": officer, "menu": _menu(officer), "waiting_in_menu": g.get("waiting_in_menu", {}),
        "here_in_menu": request.path, "form_token": _form_token(), "done": _done(),
    }  # fmt: skip


def language() -> str:
    """Return the language of the page: Chinese unless the officer has chosen English."""
    chosen = request.args.get("lang") or request.cookies.get(_LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else "zh"


def redirect_to(endpoint: str, done: str | None = None, **values: Any) -> Response:
    """Redirect to the next page, which shows what was done by a slug of [done]."""
    return make_response(redirect(url_for(endpoint, **values, done=done), 303))


def send_download(content: bytes, name: str) -> Response:
    """Send a file that the browser saves under this name and never renders."""
    return send_file(BytesIO(content), "application/octet-stream", as_attachment=True, download_name=name)


def format_moment(at: datetime) -> str:
    """Format a moment in Beijing time."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def _translate(place: str) -> str:
    """Return a text by section and slug, such as `login.title`."""
    section, _, slug = place.partition(".")
    return text(section, slug, language())


def _language_link() -> str | None:
    """Return the address of this page in the other language; None for a form's answer without a page of its own."""
    if request.url_rule is None or ("GET", request.url_rule.rule) not in ROUTE_ROLES:
        return None
    return f"{request.path}?lang={'en' if language() == 'zh' else 'zh'}"


def _menu(officer: Officer | None) -> dict[str, str]:
    if officer is None or officer.must_change_password:
        return {}
    return {slug: path for slug, path in MENU.items() if can_open(officer, path)}


def _done() -> str | None:
    """Return the slug of what was done, if [done] has it: nothing else of an address gets onto a page."""
    slug = request.args.get("done")
    return slug if slug in slugs("done") else None


# --- forms


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


@views.before_request
def check_form_token() -> None:
    """Require that our own page sent the form, in the session for which it was rendered. Raises Problem."""
    if request.method == "POST" and not _is_ours(_form_token()):
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


def _form_token() -> str:
    """Return the token of forms, bound to the session by its cookie, which it does not reveal; empty at the log-in."""
    token = request.cookies.get(session_cookie_name()) if g.get("officer") else None
    return _form_token_of(token) if token else ""


def _form_token_of(session_token: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(session_token.encode(), b"form", sha256)).rstrip(b"=").decode()


def _keep_form() -> bool:
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


# --- the session's cookie


def set_session_cookie(response: Response, token: str) -> Response:
    """Set the session cookie until the browser closes; no script can read it, no other site can send it."""
    production = get_services().settings.environment == "production"
    response.set_cookie(session_cookie_name(), token, httponly=True, secure=production, samesite="Strict", path="/")
    return response


def delete_session_cookie(response: Response) -> Response:
    """Delete the session cookie."""
    production = get_services().settings.environment == "production"
    response.delete_cookie(session_cookie_name(), httponly=True, secure=production, samesite="Strict", path="/")
    return response


# --- problems and headers


def console_headers(environment: str) -> dict[str, str]:
    """Return the headers of every answer of the console."""
    return {**security_headers(environment), **_HEADERS}


def _is_console() -> bool:
    return request.path == "/console" or request.path.startswith("/console/")


def _problem_page(problem: Problem) -> Response:
    """Render a problem; without a session, or with a password to change, redirect to where that is solved."""
    if problem.slug in ("session-missing", "session-expired"):
        done = None
        if problem.slug == "session-expired":
            done = "session-ended-form-kept" if _keep_form() else "session-ended"
        return delete_session_cookie(redirect_to("console.log_in_page", done=done))
    if problem.slug == "must-change-password":
        return redirect_to("console.password_page")
    minutes = -(-problem.retry_after // 60) if problem.retry_after else 0
    return page("problem.html", problem=problem, minutes=minutes)


def _add_security_headers(response: Response) -> Response:
    if _is_console():
        response.headers.update(console_headers(get_services().settings.environment))
        if response.headers.get("Content-Disposition", "").startswith("attachment"):
            response.headers["Content-Security-Policy"] = _DOWNLOAD_CSP
    return response
