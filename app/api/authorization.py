"""Who may call what: one line a route, and nothing that has no line.

Sessions are checked here, before a view runs; a view may trust `web.session()`, and at the console `web.officer()`.
A line of the console names the roles of officers that may use it: whoever has one of them.
"""

from contextlib import suppress

from flask import Flask, g, request

from app.core.errors import Problem
from app.core.session_tokens import SessionKind, UserSession
from app.staff import sessions
from app.staff.models import Officer, OfficerSession, Role
from app.stations import inspector_cache
from app.web import get_services
from app.wechat.models import WeChatUser

ANYONE = "anyone"
WECHAT = "a WeChat user, registered or not"
CITIZEN = "a registered citizen"
INSPECTOR = "an inspector at their station"
AUTO_REFRESH = "again"  # stands in the address of a page of the console that reloads itself

OFFICER = frozenset(Role)  # any officer: everybody has a role
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
RECORDER, APPROVER, AUDITOR = (frozenset({role}) for role in (Role.RECORDER, Role.APPROVER, Role.AUDITOR))
APPEALS = frozenset({Role.APPEALS})

ROUTE_ROLES: dict[tuple[str, str], str | frozenset[Role]] = {
    ("POST", "/api/v1/wechat/login"): ANYONE,
    ("POST", "/api/v1/accounts"): WECHAT,
    ("GET", "/api/v1/accounts/me"): CITIZEN,
    ("POST", "/api/v1/accounts/login"): ANYONE,
    ("POST", "/api/v1/accounts/logout"): WECHAT,
    ("GET", "/api/v1/home"): ANYONE,
    ("POST", "/api/v1/declarations"): CITIZEN,
    ("GET", "/api/v1/code"): CITIZEN,
    ("GET", "/api/v1/code.svg"): CITIZEN,
    ("GET", "/api/v1/code.png"): CITIZEN,
    ("GET", "/api/v1/code/history"): CITIZEN,
    ("GET", "/api/v1/notices"): CITIZEN,
    ("POST", "/api/v1/appeals"): CITIZEN,
    ("GET", "/api/v1/appeals"): CITIZEN,
    ("GET", "/api/v1/record/access"): CITIZEN,
    ("GET", "/api/v1/subscriptions"): WECHAT,
    ("POST", "/api/v1/subscriptions"): WECHAT,
    ("POST", "/api/v1/stations/login"): ANYONE,
    ("POST", "/api/v1/stations/logout"): INSPECTOR,
    ("POST", "/api/v1/checks"): INSPECTOR,
    ("POST", "/api/v1/checks/temperature"): INSPECTOR,
    ("POST", "/api/v1/checks/offline"): INSPECTOR,
    ("GET", "/api/v1/stations/today"): INSPECTOR,
    ("GET", "/.well-known/jixiang-keys"): ANYONE,
    ("GET", "/.well-known/jixiang-audit"): ANYONE,
    ("GET", "/wechat/callback"): ANYONE,  # WeChat's signature is checked by the door itself
    ("POST", "/wechat/callback"): ANYONE,
    ("GET", "/healthz"): ANYONE,
    ("GET", "/readyz"): ANYONE,
    ("GET", "/metrics"): ANYONE,
    ("GET", "/console/static/<path:filename>"): ANYONE,
    ("GET", "/console/login"): ANYONE,
    ("POST", "/console/login"): ANYONE,
    ("POST", "/console/logout"): OFFICER,
    ("GET", "/console/"): OFFICER,
    ("GET", "/console/account"): OFFICER,
    ("GET", "/console/account/password"): OFFICER,
    ("POST", "/console/account/password"): OFFICER,
    ("POST", "/console/account/sessions/<int:session_id>/end"): OFFICER,
    ("GET", "/console/entries"): RECORDER | APPROVER | AUDITOR,
    ("GET", "/console/entries/new"): RECORDER,
    ("POST", "/console/entries/new"): RECORDER,
    ("GET", "/console/entries/<int:id_>"): RECORDER | APPROVER | AUDITOR,
    ("POST", "/console/entries/<int:id_>/approve"): APPROVER,
    ("POST", "/console/entries/<int:id_>/reject"): APPROVER | AUDITOR,
    # whoever recorded it, also where their roles have changed since
    ("POST", "/console/entries/<int:id_>/withdraw"): RECORDER | APPROVER | AUDITOR,
    ("POST", "/console/entries/<int:id_>/clear-hold"): AUDITOR,
    ("GET", "/console/cases"): RECORDER | APPROVER | AUDITOR,
    # of all people together; where the numbers have a district, of the officer's
    ("GET", "/console/figures"): OFFICER,
    ("GET", "/console/figures/<name>"): OFFICER,
    ("GET", "/console/figures/<name>/table.csv"): OFFICER,
    ("GET", "/console/audit"): AUDITOR,
    ("GET", "/console/audit/events"): AUDITOR,
    ("POST", "/console/audit/person"): AUDITOR,
    ("GET", "/console/audit/chain"): AUDITOR,
    ("GET", "/console/appeals"): APPEALS,
    ("GET", "/console/appeals/resolved"): APPEALS,
    ("GET", "/console/appeals/<int:id_>"): APPEALS,
    ("POST", "/console/appeals/<int:id_>/uphold"): APPEALS,
    ("POST", "/console/appeals/<int:id_>/overturn"): APPEALS,
    ("GET", "/console/appeals/attachments/<int:id_>"): APPEALS,
    ("GET", "/console/cases/<int:id_>/contacts"): RECORDER,
    ("POST", "/console/cases/<int:id_>/contacts"): RECORDER,
    ("GET", "/console/officers"): ADMINISTRATOR,
    ("GET", "/console/officers/new"): ADMINISTRATOR,
    ("POST", "/console/officers/new"): ADMINISTRATOR,
    ("GET", "/console/officers/<int:officer_id>"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>/disable"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>/end-sessions"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>/reset-totp"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>/reset-password"): ADMINISTRATOR,
}
# all that an officer can do with a password that somebody else has given them
_PASSWORD_CHANGE_ROUTES = {
    ("GET", "/console/account/password"),
    ("POST", "/console/account/password"),
    ("POST", "/console/logout"),
}
_OPEN_BLUEPRINTS = ("openapi", "swagger", "static")  # the API document and its page


def init_app(app: Flask) -> None:
    """Check every request against the table."""
    app.before_request(authorize)


def authorize() -> None:
    """Let the request through, with its session in `g`, or raise the Problem that says what is missing."""
    if request.url_rule is None:
        return  # no such route: Flask answers 404 or 405
    if request.method == "OPTIONS":
        return  # Flask names the methods of the route, and no view runs
    method = "GET" if request.method == "HEAD" else request.method
    role = ROUTE_ROLES.get((method, request.url_rule.rule))
    if role is None:
        role = ANYONE if request.blueprint in _OPEN_BLUEPRINTS else "nobody"
    if role == ANYONE:
        g.session = _optional_session()
        return
    if isinstance(role, frozenset):
        g.officer, g.officer_session = _officer()
        if not role.intersection(g.officer.roles):
            raise Problem("not-allowed")
        if g.officer.must_change_password and (method, request.url_rule.rule) not in _PASSWORD_CHANGE_ROUTES:
            raise Problem("must-change-password")
        return
    g.session = _bearer()
    if role == WECHAT and g.session.kind is SessionKind.CITIZEN:
        return
    if role == CITIZEN and g.session.kind is SessionKind.CITIZEN:
        if not g.session.serial:
            raise Problem("not-registered")
        return
    if role == INSPECTOR and g.session.kind is SessionKind.INSPECTOR:
        return
    raise Problem("not-allowed")


def can_open(officer: Officer, path: str) -> bool:
    """Whether an officer may open a page of the console, by its line."""
    role = ROUTE_ROLES["GET", path]
    return isinstance(role, frozenset) and bool(role.intersection(officer.roles))


def session_cookie_name() -> str:
    """The name of the cookie with an officer's session: in production one that no other host can set or read."""
    return "__Host-officer" if get_services().settings.environment == "production" else "officer"


def _officer() -> tuple[Officer, OfficerSession]:
    """Who works at the console in this browser."""
    token = request.cookies.get(session_cookie_name())
    if not token:
        raise Problem("session-missing")
    services = get_services()
    by_itself = AUTO_REFRESH in request.args
    with services.begin() as database:
        there = sessions.find_active_session(
            database, token, services.clock.now(), services.settings.officers.idle, auto_refresh=by_itself
        )
    if there is None:
        raise Problem("session-expired")
    return there


def _optional_session() -> UserSession | None:
    """Log-in by password also binds the WeChat user whose session it comes with; a session that is over is none."""
    if request.path == "/api/v1/accounts/login":
        with suppress(Problem):
            return _bearer()
    return None


def _bearer() -> UserSession:
    """The session in the Authorization header, still in its epoch."""
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
    """The epoch that sessions of this subject have now."""
    if session.kind is SessionKind.INSPECTOR:
        g.inspector = inspector_cache.get_inspector(get_services(), session.subject)
        return int(g.inspector.epoch)
    if session.serial:
        g.current_code = get_services().current_code(session.serial)
        return int(g.current_code.record.epoch)
    with get_services().sessions() as database:
        user = database.get(WeChatUser, session.subject)
        return user.epoch if user else 0
