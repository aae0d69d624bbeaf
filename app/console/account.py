"""One's own account: what it may do, one's sessions, and a new password."""

from flask import Response
from pydantic import Field

from app.console.pages import delete_session_cookie, page, parse_form, redirect_to, views
from app.core.errors import FieldError, Problem
from app.staff import officers, sessions
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
    services = get_services()
    try:
        filled = parse_form(PasswordForm)
        if filled.password != filled.again:
            raise Problem("invalid-request", fields=(FieldError("/again", "passwords-differ"),))
        with services.begin() as session:
            officers.change_password(
                session,
                current_officer().id,
                current=filled.current,
                new=filled.password,
                keep_session=current_officer_session().id,
                now=services.clock.now(),
            )
    except Problem as problem:
        return page("password.html", problem=problem)
    return redirect_to("console.show_account", done="password-changed")


@views.post("/account/sessions/<int:session_id>/end")
def end_session(session_id: int) -> Response:
    """End one of one's sessions; ending this one is logging out."""
    services = get_services()
    with services.begin() as session:
        sessions.end_session(session, current_officer(), session_id, services.clock.now())
    if session_id == current_officer_session().id:
        return delete_session_cookie(redirect_to("console.log_in_page", done="logged-out"))
    return redirect_to("console.show_account", done="session-ended-there")
