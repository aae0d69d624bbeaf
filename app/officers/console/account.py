"""One's own account: what it may do, one's sessions, and a new password."""

from flask import Response
from pydantic import Field

from app.errors import FieldError, Problem
from app.officers import accounts, sessions
from app.officers.console.frame import form, page, take_cookie, to, views
from app.web import Body, limits, officer, officer_session, services


class NewPassword(Body):
    current: str = Field(min_length=1, max_length=128, repr=False)
    password: str = Field(min_length=1, max_length=128, repr=False)
    again: str = Field(min_length=1, max_length=128, repr=False)


@views.get("/account")
def account() -> Response:
    bag = services()
    with bag.sessions() as session:
        running = sessions.running(session, officer().id, bag.clock.now(), bag.settings.officers.idle)
    return page("account.html", running=running, here=officer_session().id)


@views.get("/account/password")
def password_page() -> Response:
    return page("password.html")


@views.post("/account/password")
@limits.of_officer
def change_password() -> Response:
    """Change one's password; one's other sessions end."""
    bag = services()
    try:
        filled = form(NewPassword)
        if filled.password != filled.again:
            raise Problem("invalid-request", fields=(FieldError("/again", "passwords-differ"),))
        with bag.begin() as session:
            accounts.change_password(
                session,
                officer().id,
                current=filled.current,
                new=filled.password,
                keep_session=officer_session().id,
                now=bag.clock.now(),
            )
    except Problem as problem:
        return page("password.html", problem=problem)
    return to("console.account", done="password-changed")


@views.post("/account/sessions/<int:session_id>/end")
def end_session(session_id: int) -> Response:
    """End one of one's sessions; ending this one is logging out."""
    bag = services()
    with bag.begin() as session:
        sessions.end(session, officer(), session_id, bag.clock.now())
    if session_id == officer_session().id:
        return take_cookie(to("console.log_in_page", done="logged-out"))
    return to("console.account", done="session-ended-there")
