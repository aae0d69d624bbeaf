"""Shared by all pages of the console: layout and language, headers, error pages.

`page` renders a page, `forms.parse_form` reads a form, and the next page shows what was done (`done`). The table in
`api/authorization` decides before who may open a page.
"""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final

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

from app.api.authorization import ROUTE_ROLES, can_open
from app.console.forms import check_form_token, form_token, keep_form
from app.console.session_cookie import delete_session_cookie
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.core.texts import LANGUAGES, field_text, problem_status, slugs, text
from app.entries.lists.errors import format_lines
from app.staff.models import Officer
from app.web import get_services
from app.web.problems import register_problem_pages
from app.web.security_headers import security_headers

views = Blueprint("console", __name__, url_prefix="/console", template_folder="templates", static_folder="static")
views.before_request(check_form_token)

# each page of the menu has its word in [menu]; an officer sees those that they may open
MENU: Final = {
    "start": "/console/",
    "window": "/console/window",
    "statements": "/console/statements",
    "entries": "/console/entries",
    "cases": "/console/cases",
    "follow-ups": "/console/follow-ups",
    "exposures": "/console/exposures",
    "appeals": "/console/appeals",
    "corrections": "/console/corrections",
    "figures": "/console/figures",
    "audit": "/console/audit",
    "officers": "/console/officers",
    "inspectors": "/console/inspectors",
    "devices": "/console/devices",
    "venues": "/console/venues",
    "windows": "/console/windows",
    "account": "/console/account",
}
_LANGUAGE_COOKIE: Final = "console-language"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_DOWNLOAD_CSP: Final = "default-src 'none'; sandbox"  # a browser that renders it all the same runs and loads nothing


def init_app(app: Flask) -> None:
    """Serve the pages, and render every problem under `/console` as one."""
    app.register_blueprint(views)
    app.after_request(_add_security_headers)
    app.jinja_env.filters["moment"] = format_moment
    app.jinja_env.filters["end"] = format_end
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
        "t": _translate, "wrong": lambda field: field_text(field, language_now),
        "language": language_now, "language_link": _language_link(),
        "officer": officer, "menu": _menu(officer), "waiting_in_menu": g.get("waiting_in_menu", {}),
        "service_ends_on": get_services().generation.service.ends_on,
        "here_in_menu": request.path, "form_token": form_token(), "done": _done(),
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


def format_end(at: datetime) -> str:
    """Format the moment at which something ends: midnight is the end of its day, 24:00, as citizens read it."""
    local = at.astimezone(BEIJING)
    if (local.hour, local.minute) == (0, 0):
        return f"{local - timedelta(days=1):%Y-%m-%d} 24:00"
    return format_moment(at)


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
            done = "session-ended-form-kept" if keep_form() else "session-ended"
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
