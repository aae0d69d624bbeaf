"""Log-in and log-out: name, password and one-time code in one form."""

from typing import Final
from urllib.parse import urlencode

from flask import Response, make_response, redirect, request
from pydantic import Field

from app.api.authorization import session_cookie_name
from app.console.forms import KEPT, parse_form
from app.console.pages import page, redirect_to, views
from app.console.session_cookie import delete_session_cookie, set_session_cookie
from app.core.errors import Problem
from app.core.identity.known_devices import LIFETIME
from app.staff import sessions, stopped_logins
from app.staff.sessions import Credentials
from app.web import RequestBody, current_officer, current_officer_session, get_services, kept_forms, limits

_DEVICE_COOKIE: Final = "known-device"


class LoginForm(RequestBody):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)
    code: str = Field(min_length=1, max_length=16, repr=False)


def _is_known_device(username: str) -> bool:
    services = get_services()
    device, account = request.cookies.get(_DEVICE_COOKIE, ""), limits.login_fingerprint("officer", username)
    return services.devices.recognises(device, account, services.real_clock.now())


@views.get("/login")
def log_in_page() -> Response:
    return page("login.html")


def _count_stopped() -> None:
    stopped_logins.count(get_services(), "officer", limits.entered_username())


@views.post("/login")
@limits.limit_logins("officer", _is_known_device, _count_stopped)
def log_in() -> Response:
    """Start a session; the answer does not reveal what was wrong."""
    try:
        filled = parse_form(LoginForm)
        token = sessions.start_session(get_services(), Credentials(filled.username, filled.password, filled.code))
        if token is None:
            raise Problem("wrong-log-in")
    except Problem as problem:
        return page("login.html", problem=problem, username=request.form.get("username", "")[:64])
    _end_previous_session()
    return _set_device_cookie(set_session_cookie(_first_page(token), token))


def _first_page(token: str) -> Response:
    """Return to the page on which a form was kept when the last session ended, or else to the start page."""
    services = get_services()
    with services.sessions() as session:
        officer_id = sessions.find_owner(session, token)
    path = None if officer_id is None else kept_forms.find_path(services, officer_id)
    if path is None:
        return redirect_to("console.show_start")
    query = urlencode({KEPT: "yes", "done": "form-restored"})
    return make_response(redirect(f"{path}?{query}", 303))


@views.post("/logout")
def log_out() -> Response:
    """End this session."""
    services = get_services()
    with services.begin() as session:
        sessions.end_session(session, current_officer(), current_officer_session().id, services.clock.now())
    return delete_session_cookie(redirect_to("console.log_in_page", done="logged-out"))


def _set_device_cookie(response: Response) -> Response:
    """Let this browser be known to the account: guessing elsewhere does not delay its log-ins."""
    services = get_services()
    account = limits.login_fingerprint("officer", limits.entered_username())
    response.set_cookie(
        _DEVICE_COOKIE,
        services.devices.issue(account, services.real_clock.now()),
        max_age=LIFETIME,
        httponly=True,
        secure=services.settings.environment == "production",
        samesite="Strict",
        path="/console/login",
    )
    return response


def _end_previous_session() -> None:
    """End the session that this browser had before, which nobody could end any more."""
    services, token = get_services(), request.cookies.get(session_cookie_name())
    if token:
        now = services.clock.now()
        with services.begin() as session:
            found = sessions.find_active_session(session, token, now, services.settings.officers.idle)
            if found is not None:
                sessions.end_session(session, found[0], found[1].id, now)
