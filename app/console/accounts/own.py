"""The officer's own account: roles, sessions, and a new password."""

from flask import Response
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import page, redirect_to, views
from app.console.session_cookie import delete_session_cookie
from app.core.errors import FieldError, Problem
from app.staff import credentials, sessions
from app.staff.context import begin_officer
from app.web import RequestBody, current_officer, current_officer_session, get_services, limits


class PasswordForm(RequestBody):
    current: str = Field(min_length=1, max_length=128, repr=False)
    password: str = Field(min_length=1, max_length=128, repr=False)
    again: str = Field(min_length=1, max_length=128, repr=False)


@views.get("/account")
def show_account() -> Response:
    services = get_services()
    with services.sessions() as session:
        running = sessions.list_active(
            session, current_officer().id, services.clock.now(), services.settings.officers.idle
        )
    return page("account.html", running=running, here=current_officer_session().id)


@views.get("/account/password")
def password_page() -> Response:
    return page("password.html")


@views.post("/account/password")
@limits.limit_officer_password
def change_password() -> Response:
    """Change one's password; one's other sessions end."""
    try:
        filled = parse_form(PasswordForm)
        if filled.password != filled.again:
            raise Problem("invalid-request", fields=(FieldError("/again", "passwords-differ"),))
        with begin_officer(get_services(), current_officer()) as context:
            credentials.change_password(context, filled.current, filled.password, current_officer_session().id)
    except Problem as problem:
        return page("password.html", problem=problem)
    return redirect_to("console.show_account", done="password-changed")


@views.post("/account/sessions/<int:session_id>/end")
def end_session(session_id: int) -> Response:
    """End one of the officer's sessions; ending this one logs out."""
    services = get_services()
    with services.begin() as session:
        sessions.end_session(session, current_officer(), session_id, services.clock.now())
    if session_id == current_officer_session().id:
        return delete_session_cookie(redirect_to("console.log_in_page", done="logged-out"))
    return redirect_to("console.show_account", done="session-ended-there")
