"""The session that a request names: of an officer by a cookie, of everybody else in a header."""

from contextlib import suppress

from flask import g, request
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import Problem
from app.core.session_tokens import SessionKind, UserSession
from app.staff import sessions
from app.staff.models import Officer, OfficerSession
from app.stations import inspector_cache
from app.web import get_services
from app.wechat.models import WeChatUser

AUTO_REFRESH = "again"  # the query parameter of a page of the console that reloads itself


def session_cookie_name() -> str:
    """Return the name of an officer's session cookie; in production with `__Host-`, which no other host can set."""
    return "__Host-officer" if get_services().settings.environment == "production" else "officer"


def officer() -> tuple[Officer, OfficerSession]:
    """Return the officer at the console in this browser, and their session; raise Problem without one."""
    token = request.cookies.get(session_cookie_name())
    if not token:
        raise Problem("session-missing")
    services = get_services()
    auto_refresh = AUTO_REFRESH in request.args
    with services.begin() as database:
        there = sessions.find_active_session(
            database, token, services.clock.now(), services.settings.officers.idle, auto_refresh=auto_refresh
        )
    if there is None:
        raise Problem("session-expired")
    return there


def optional() -> UserSession | None:
    """Return the session of a log-in by password, which binds its WeChat user, or of who opens the home page.

    An ended session counts as none.
    """
    if request.path in ("/api/v1/accounts/login", "/api/v1/home"):
        with suppress(Problem, SQLAlchemyError):
            return bearer()
    return None


def bearer() -> UserSession:
    """Return the session in the Authorization header. Raises Problem when its epoch is over."""
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if not header:
        raise Problem("session-missing")
    if scheme.lower() != "bearer":
        raise Problem("session-invalid")
    session = get_services().session_tokens.read(token.strip(), get_services().clock.now())
    if session.epoch != _epoch(session):
        raise Problem("session-expired")
    return session


def _epoch(session: UserSession) -> int:
    """Return the current epoch for sessions of this subject."""
    if session.kind is SessionKind.INSPECTOR:
        g.inspector = inspector_cache.get_inspector(get_services(), session.subject, session.serial)
        return int(g.inspector.epoch)
    if session.serial:
        g.current_code = get_services().current_code(session.serial)
        return int(g.current_code.record.epoch)
    with get_services().sessions() as database:
        user = database.get(WeChatUser, session.subject)
        return user.epoch if user else 0
