"""Who may call what: one line a route, and nothing that has no line.

Sessions are checked here, before a view runs; a view may trust `web.session()`.
"""

from contextlib import suppress

from flask import Flask, g, request

from app.errors import Problem
from app.sessions import Kind, Session
from app.stations import duty
from app.web import services
from app.wechat.models import WeChatUser

ANYONE = "anyone"
WECHAT = "a WeChat user, registered or not"
CITIZEN = "a registered citizen"
INSPECTOR = "an inspector at their station"

TABLE: dict[tuple[str, str], str] = {
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
    ("GET", "/api/v1/subscriptions"): WECHAT,
    ("POST", "/api/v1/subscriptions"): WECHAT,
    ("POST", "/api/v1/stations/login"): ANYONE,
    ("POST", "/api/v1/stations/logout"): INSPECTOR,
    ("POST", "/api/v1/checks"): INSPECTOR,
    ("POST", "/api/v1/checks/temperature"): INSPECTOR,
    ("POST", "/api/v1/checks/offline"): INSPECTOR,
    ("GET", "/api/v1/stations/today"): INSPECTOR,
    ("GET", "/.well-known/jixiang-keys"): ANYONE,
    ("GET", "/wechat/callback"): ANYONE,  # WeChat's signature is checked by the door itself
    ("POST", "/wechat/callback"): ANYONE,
    ("GET", "/healthz"): ANYONE,
    ("GET", "/readyz"): ANYONE,
    ("GET", "/metrics"): ANYONE,
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
    role = TABLE.get((method, request.url_rule.rule))
    if role is None:
        role = ANYONE if request.blueprint in _OPEN_BLUEPRINTS else "nobody"
    if role == ANYONE:
        g.session = _present_session()
        return
    g.session = _bearer()
    if role == WECHAT and g.session.kind is Kind.CITIZEN:
        return
    if role == CITIZEN and g.session.kind is Kind.CITIZEN:
        if not g.session.serial:
            raise Problem("not-registered")
        return
    if role == INSPECTOR and g.session.kind is Kind.INSPECTOR:
        return
    raise Problem("not-allowed")


def _present_session() -> Session | None:
    """Log-in by password also binds the WeChat user whose session it comes with; a session that is over is none."""
    if request.path == "/api/v1/accounts/login":
        with suppress(Problem):
            return _bearer()
    return None


def _bearer() -> Session:
    """The session in the Authorization header, still in its epoch."""
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if not header:
        raise Problem("session-missing")
    if scheme.lower() != "bearer":
        raise Problem("session-invalid")
    session = services().session_tokens.read(token.strip(), services().clock.now())
    if session.epoch != _epoch(session):
        raise Problem("session-expired")
    return session


def _epoch(session: Session) -> int:
    """The epoch that sessions of this subject have now."""
    if session.kind is Kind.INSPECTOR:
        g.duty = duty.of(services(), session.subject)
        return int(g.duty.epoch)
    if session.serial:
        g.current = services().current(session.serial)
        return int(g.current.record.epoch)
    with services().sessions() as database:
        user = database.get(WeChatUser, session.subject)
        return user.epoch if user else 0
