"""Logging in and out: name, password and one-time code in one form."""

from flask import Response, request
from pydantic import Field

from app.errors import Problem
from app.officers import sessions
from app.officers.console.frame import form, give_cookie, page, take_cookie, to, views
from app.web import Body, limits, officer, officer_session, services
from app.web.authorization import cookie


class LogIn(Body):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)
    code: str = Field(min_length=1, max_length=16, repr=False)


@views.get("/login")
def log_in_page() -> Response:
    return page("login.html")


@views.post("/login")
@limits.log_in
def log_in() -> Response:
    """Begin a session; what was wrong is not told."""
    bag = services()
    try:
        filled = form(LogIn)
        with bag.begin() as session:
            token = sessions.begin(
                session,
                bag.vault,
                username=filled.username,
                password=filled.password,
                code=filled.code,
                now=bag.clock.now(),
                code_at=bag.real_clock.now(),
                lasts=bag.settings.officers.lasts,
            )
        if token is None:
            raise Problem("wrong-log-in")
    except Problem as problem:
        return page("login.html", problem=problem, username=request.form.get("username", "")[:64])
    _end_the_session_before()
    return give_cookie(to("console.start"), token)


@views.post("/logout")
def log_out() -> Response:
    """End this session."""
    bag = services()
    with bag.begin() as session:
        sessions.end(session, officer(), officer_session().id, bag.clock.now())
    return take_cookie(to("console.log_in_page", done="logged-out"))


def _end_the_session_before() -> None:
    """Who logs in again in the same browser leaves no session behind that nobody can end."""
    bag, token = services(), request.cookies.get(cookie())
    if token:
        now = bag.clock.now()
        with bag.begin() as session:
            there = sessions.present(session, token, now, bag.settings.officers.idle)
            if there is not None:
                sessions.end(session, there[0], there[1].id, now)
