"""Authorization: a table with the callers of each route; a route that is not in the table is closed.

Sessions are checked here, before a view runs; a view relies on `web.current_session()`, and at the console on
`web.current_officer()`. A route of the console names roles: an officer needs one of them.
"""

from collections.abc import Callable
from contextlib import suppress

from flask import Flask, Request, g, request
from sqlalchemy.exc import SQLAlchemyError

from app.api.devices import caller
from app.api.partners import caller as partner_caller
from app.core.errors import Problem
from app.core.metrics import DEVICE_REFUSALS
from app.core.session_tokens import SessionKind, UserSession
from app.devices.device_cache import KnownDevice
from app.runtime import Services
from app.staff import sessions
from app.staff.models import Officer, OfficerSession, Role
from app.stations import inspector_cache
from app.web import bodies, get_services
from app.wechat.models import WeChatUser

ANYONE = "anyone"
WECHAT = "a WeChat user, registered or not"
CITIZEN = "a registered citizen"
INSPECTOR = "an inspector at their station"
DEVICE = "a device that signs its requests"
TERMINAL = "a device that proves itself by the shape of its maker"
PARTNER = "a partner that signs its requests"
AUTO_REFRESH = "again"  # the query parameter of a page of the console that reloads itself

OFFICER = frozenset(Role)  # any officer: everybody has a role
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
RECORDER, APPROVER, AUDITOR = (frozenset({role}) for role in (Role.RECORDER, Role.APPROVER, Role.AUDITOR))
CLERK = frozenset({Role.CLERK})
APPEALS = frozenset({Role.APPEALS})

ROUTE_ROLES: dict[tuple[str, str], str | frozenset[Role]] = {
    ("POST", "/api/v1/wechat/login"): ANYONE,
    ("POST", "/api/v1/accounts"): WECHAT,
    ("GET", "/api/v1/accounts/me"): CITIZEN,
    ("PUT", "/api/v1/accounts/me/password"): CITIZEN,
    ("PUT", "/api/v1/accounts/me/credentials"): CITIZEN,
    ("POST", "/api/v1/accounts/me/erasure"): CITIZEN,
    ("POST", "/api/v1/accounts/me/export"): CITIZEN,
    ("PUT", "/api/v1/accounts/me/name"): CITIZEN,
    ("PUT", "/api/v1/accounts/me/document"): CITIZEN,
    ("GET", "/api/v1/accounts/me/document"): CITIZEN,
    ("POST", "/api/v1/accounts/me/document/objection"): CITIZEN,
    ("POST", "/api/v1/accounts/me/export.pdf"): CITIZEN,
    ("GET", "/api/v1/accounts/me/bindings"): CITIZEN,
    ("POST", "/api/v1/accounts/me/bindings/end"): CITIZEN,
    ("GET", "/api/v1/accounts/me/text-messages"): CITIZEN,
    ("PUT", "/api/v1/accounts/me/text-messages"): CITIZEN,
    # who was bound before is a visitor since
    ("GET", "/api/v1/accounts/me/recovery"): WECHAT,
    ("POST", "/api/v1/accounts/me/recovery/objection"): WECHAT,
    ("POST", "/api/v1/accounts/login"): ANYONE,
    ("POST", "/api/v1/accounts/logout"): WECHAT,
    ("GET", "/api/v1/home"): ANYONE,
    ("GET", "/api/v1/service"): ANYONE,
    ("POST", "/api/v1/declarations"): CITIZEN,
    ("GET", "/api/v1/code"): CITIZEN,
    ("GET", "/api/v1/code.svg"): CITIZEN,
    ("GET", "/api/v1/code.png"): CITIZEN,
    ("GET", "/api/v1/code/history"): CITIZEN,
    ("GET", "/api/v1/code/strip"): CITIZEN,
    ("GET", "/api/v1/notices"): CITIZEN,
    ("POST", "/api/v1/appeals"): CITIZEN,
    ("GET", "/api/v1/appeals"): CITIZEN,
    ("GET", "/api/v1/record/access"): CITIZEN,
    ("GET", "/api/v1/family"): CITIZEN,
    ("POST", "/api/v1/family/members/end"): CITIZEN,  # of the caller's own ties alone, here and below
    ("POST", "/api/v1/family/members/declarations"): CITIZEN,
    ("GET", "/api/v1/family/holders"): CITIZEN,
    ("GET", "/api/v1/family/notices"): CITIZEN,
    ("POST", "/api/v1/family/holders/end"): CITIZEN,
    ("POST", "/api/v1/family/invitations"): CITIZEN,
    ("GET", "/api/v1/family/invitations"): CITIZEN,
    ("POST", "/api/v1/family/invitations/accept"): CITIZEN,
    ("POST", "/api/v1/family/invitations/decline"): CITIZEN,
    ("POST", "/api/v1/family/children"): CITIZEN,
    ("POST", "/api/v1/paper-cards"): CITIZEN,
    ("GET", "/api/v1/paper-cards/current"): CITIZEN,
    ("GET", "/api/v1/paper-cards/current.pdf"): CITIZEN,
    ("POST", "/api/v1/paper-cards/current/loss"): CITIZEN,
    ("GET", "/api/v1/subscriptions"): WECHAT,
    ("POST", "/api/v1/subscriptions"): WECHAT,
    ("POST", "/api/v1/stations/login"): ANYONE,
    ("POST", "/api/v1/stations/logout"): INSPECTOR,
    ("POST", "/api/v1/checks"): INSPECTOR,
    ("POST", "/api/v1/checks/temperature"): INSPECTOR,
    ("POST", "/api/v1/checks/offline"): INSPECTOR,
    ("GET", "/api/v1/devices/me"): DEVICE,
    ("POST", "/api/v1/devices/checks"): DEVICE,  # what each kind may ask: devices/models.py
    ("POST", "/api/v1/devices/temperatures"): DEVICE,
    ("POST", "/api/v1/devices/batches"): DEVICE,
    ("POST", "/api/v1/devices/adapters/code-gun"): TERMINAL,
    ("POST", "/api/v1/devices/adapters/signed-gate"): TERMINAL,
    ("POST", "/api/v1/partners/verification"): PARTNER,  # with the interface among those of the partner
    ("POST", "/api/v1/partners/query"): PARTNER,
    ("POST", "/api/v1/partners/correction"): PARTNER,
    ("POST", "/api/v1/partners/health-declaration"): PARTNER,
    ("POST", "/api/v1/partners/trip-declaration"): PARTNER,
    ("POST", "/api/v1/partners/code-call"): PARTNER,
    ("POST", "/api/v1/partners/code-making"): PARTNER,
    ("POST", "/api/v1/checks/document"): INSPECTOR,
    ("POST", "/api/v1/checks/document/temperature"): INSPECTOR,
    ("POST", "/api/v1/checks/paper"): INSPECTOR,
    ("POST", "/api/v1/checks/paper/temperature"): INSPECTOR,
    ("GET", "/api/v1/stations/today"): INSPECTOR,
    ("GET", "/api/v1/venues"): CITIZEN,
    ("POST", "/api/v1/venues/applications"): CITIZEN,
    ("POST", "/api/v1/venues/applications/withdraw"): CITIZEN,
    # of venues that the caller manages alone, here and below
    ("POST", "/api/v1/venues/entrances"): CITIZEN,
    ("PUT", "/api/v1/venues/hours"): CITIZEN,
    ("POST", "/api/v1/venues/close"): CITIZEN,
    ("POST", "/api/v1/venues/inspectors"): CITIZEN,
    ("POST", "/api/v1/venues/inspectors/move"): CITIZEN,
    ("POST", "/api/v1/venues/inspectors/disable"): CITIZEN,
    ("POST", "/api/v1/venues/inspectors/enable"): CITIZEN,
    ("POST", "/api/v1/venues/inspectors/password"): CITIZEN,
    ("POST", "/api/v1/venues/inspectors/sessions/end"): CITIZEN,
    ("POST", "/api/v1/venues/codes"): CITIZEN,
    ("GET", "/api/v1/venues/codes/current.pdf"): CITIZEN,
    ("GET", "/api/v1/venues/counts"): CITIZEN,
    ("POST", "/api/v1/venues/handovers"): CITIZEN,
    ("POST", "/api/v1/venues/handovers/end"): CITIZEN,
    ("POST", "/api/v1/venues/handovers/accept"): CITIZEN,  # of venues that are offered to the caller
    ("POST", "/api/v1/venues/handovers/decline"): CITIZEN,
    ("POST", "/api/v1/visits/receipts"): CITIZEN,
    ("GET", "/.well-known/jixiang-keys"): ANYONE,
    ("GET", "/.well-known/jixiang-audit"): ANYONE,
    ("GET", "/.well-known/jixiang-revoked"): ANYONE,
    ("GET", "/.well-known/jixiang-trust"): ANYONE,
    ("GET", "/.well-known/did.json"): ANYONE,
    ("GET", "/wechat/callback"): ANYONE,  # the view checks WeChat's signature
    ("POST", "/wechat/callback"): ANYONE,
    ("GET", "/wechat/official/callback"): ANYONE,  # the same, of the official account
    ("POST", "/wechat/official/callback"): ANYONE,
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
    ("GET", "/console/entries/template.xlsx"): RECORDER,
    ("GET", "/console/entries/template.csv"): RECORDER,
    ("GET", "/console/entries/<int:id_>"): RECORDER | APPROVER | AUDITOR,
    ("POST", "/console/entries/<int:id_>/approve"): APPROVER,
    ("POST", "/console/entries/<int:id_>/reject"): APPROVER | AUDITOR,
    # the recorder of the entry, also after a change of roles
    ("POST", "/console/entries/<int:id_>/withdraw"): RECORDER | APPROVER | AUDITOR,
    ("POST", "/console/entries/<int:id_>/clear-hold"): AUDITOR,
    ("GET", "/console/cases"): RECORDER | APPROVER | AUDITOR,
    # of the district; the transitions say which role an act takes
    ("GET", "/console/follow-ups"): RECORDER | APPROVER,
    ("GET", "/console/follow-ups/<int:id_>"): RECORDER | APPROVER,
    ("POST", "/console/follow-ups/<int:id_>"): RECORDER | APPROVER,
    ("POST", "/console/follow-ups/<int:id_>/person"): RECORDER | APPROVER,
    # totals; numbers by district only of the officer's own
    ("GET", "/console/figures"): OFFICER,
    ("GET", "/console/figures/<name>"): OFFICER,
    ("GET", "/console/figures/<name>/table.csv"): OFFICER,
    ("GET", "/console/audit"): AUDITOR,
    ("GET", "/console/audit/events"): AUDITOR,
    ("POST", "/console/audit/person"): AUDITOR,
    ("GET", "/console/audit/chain"): AUDITOR,
    ("GET", "/console/audit/cards"): AUDITOR,
    ("POST", "/console/audit/cards/<int:id_>/reprint"): AUDITOR,
    ("POST", "/console/audit/window-holds/<int:id_>/clear"): AUDITOR,
    ("POST", "/console/audit/recoveries/<int:id_>/decide"): AUDITOR,
    ("GET", "/console/appeals"): APPEALS,
    ("GET", "/console/appeals/resolved"): APPEALS,
    ("GET", "/console/appeals/<int:id_>"): APPEALS,
    ("POST", "/console/appeals/<int:id_>/uphold"): APPEALS,
    ("POST", "/console/appeals/<int:id_>/overturn"): APPEALS,
    ("GET", "/console/appeals/attachments/<int:id_>"): APPEALS,
    ("GET", "/console/window"): CLERK,
    ("POST", "/console/window"): CLERK,
    ("POST", "/console/window/register"): CLERK,
    ("GET", "/console/window/visits/<int:id_>"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/declare"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/unlock"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/recover"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/paper"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/paper/loss"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/family/accept"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/family/child"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/document"): CLERK,
    ("POST", "/console/window/visits/<int:id_>/end"): CLERK,
    # of the district, and by another officer than who recorded it
    ("GET", "/console/statements"): CLERK | APPROVER,
    ("GET", "/console/statements/<int:id_>"): CLERK | APPROVER,
    ("POST", "/console/statements/<int:id_>/confirm"): CLERK | APPROVER,
    ("POST", "/console/statements/<int:id_>/refuse"): CLERK | APPROVER,
    # of the district, and done by another officer than who proposed it
    ("GET", "/console/corrections"): APPEALS | APPROVER,
    ("GET", "/console/corrections/<int:id_>"): APPEALS | APPROVER,
    ("POST", "/console/corrections/<int:id_>/propose"): APPEALS,
    ("POST", "/console/corrections/<int:id_>/confirm"): APPEALS | APPROVER,
    ("POST", "/console/corrections/<int:id_>/refuse"): APPEALS | APPROVER,
    ("GET", "/console/windows"): ADMINISTRATOR,
    ("POST", "/console/windows"): ADMINISTRATOR,
    ("GET", "/console/windows/<int:id_>"): ADMINISTRATOR,
    ("POST", "/console/windows/<int:id_>/clerks"): ADMINISTRATOR,
    ("POST", "/console/windows/<int:id_>/clerks/<int:officer_id>/release"): ADMINISTRATOR,
    ("POST", "/console/windows/<int:id_>/close"): ADMINISTRATOR,
    ("GET", "/console/officers"): ADMINISTRATOR,
    ("GET", "/console/officers/new"): ADMINISTRATOR,
    ("POST", "/console/officers/new"): ADMINISTRATOR,
    ("GET", "/console/officers/<int:officer_id>"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>/disable"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>/end-sessions"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>/reset-totp"): ADMINISTRATOR,
    ("POST", "/console/officers/<int:officer_id>/reset-password"): ADMINISTRATOR,
    ("GET", "/console/venues"): ADMINISTRATOR,
    ("GET", "/console/venues/applications/<int:id_>"): ADMINISTRATOR,
    ("POST", "/console/venues/applications/<int:id_>/approve"): ADMINISTRATOR,
    ("POST", "/console/venues/applications/<int:id_>/refuse"): ADMINISTRATOR,
    ("GET", "/console/venues/<int:id_>"): ADMINISTRATOR,
    ("POST", "/console/venues/<int:id_>/close"): ADMINISTRATOR,
    ("GET", "/console/inspectors"): ADMINISTRATOR,
    ("GET", "/console/inspectors/<int:inspector_id>"): ADMINISTRATOR,
    ("POST", "/console/inspectors/<int:inspector_id>"): ADMINISTRATOR,
    ("POST", "/console/inspectors/<int:inspector_id>/disable"): ADMINISTRATOR,
    ("POST", "/console/inspectors/<int:inspector_id>/enable"): ADMINISTRATOR,
    ("POST", "/console/inspectors/<int:inspector_id>/end-sessions"): ADMINISTRATOR,
    ("POST", "/console/inspectors/<int:inspector_id>/reset-password"): ADMINISTRATOR,
    ("GET", "/console/devices"): ADMINISTRATOR,
    ("POST", "/console/devices"): ADMINISTRATOR,
    ("POST", "/console/devices/<int:id_>/revoke"): ADMINISTRATOR,
}
# open to an officer whose password was set by somebody else
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
    """Store the session of the request in `g`, or raise the Problem that names what is missing.

    After the end of the service nothing is authorized: who came in before it was known is refused here.
    """
    if get_services().generation.service.ended_at is not None:
        raise Problem("service-ended")
    if request.url_rule is None:
        return  # no such route: Flask answers 404 or 405
    if request.method == "OPTIONS":
        return  # Flask lists the methods of the route, and no view runs
    route = ("GET" if request.method == "HEAD" else request.method), request.url_rule.rule
    role = ROUTE_ROLES.get(route)
    if role is None:
        role = ANYONE if request.blueprint in _OPEN_BLUEPRINTS else "nobody"
    if role == ANYONE:
        g.session = _optional_session()
    elif role == DEVICE:
        g.device = _device(caller.authenticate)
    elif role == TERMINAL:
        g.device = _device(caller.authenticate_terminal)
    elif role == PARTNER:
        g.partner = partner_caller.authenticate(get_services(), request)
    elif isinstance(role, frozenset):
        g.officer, g.officer_session = _officer()
        _check_officer(g.officer, role, route)
    else:
        g.session = _bearer()
        _check_session(g.session, role)


def _device(authenticate: Callable[[Services, Request], KnownDevice]) -> KnownDevice:
    """Return the device that calls; a refusal is counted, for a thousand of them are somebody's attempt."""
    bodies.bound_body()  # a signature covers the body, which is read here
    try:
        return authenticate(get_services(), request)
    except Problem as problem:
        DEVICE_REFUSALS.labels(problem.slug).inc()
        raise


def _check_officer(officer: Officer, roles: frozenset[Role], route: tuple[str, str]) -> None:
    if not roles.intersection(officer.roles):
        raise Problem("not-allowed")
    if officer.must_change_password and route not in _PASSWORD_CHANGE_ROUTES:
        raise Problem("must-change-password")


def _check_session(session: UserSession, role: str) -> None:
    needed = {WECHAT: SessionKind.CITIZEN, CITIZEN: SessionKind.CITIZEN, INSPECTOR: SessionKind.INSPECTOR}.get(role)
    if session.kind is not needed:
        raise Problem("not-allowed")
    if role == CITIZEN and not session.serial:
        raise Problem("not-registered")


def can_open(officer: Officer, path: str) -> bool:
    """Return whether an officer may open a page of the console."""
    role = ROUTE_ROLES["GET", path]
    return isinstance(role, frozenset) and bool(role.intersection(officer.roles))


def session_cookie_name() -> str:
    """Return the name of an officer's session cookie; in production with `__Host-`, which no other host can set."""
    return "__Host-officer" if get_services().settings.environment == "production" else "officer"


def _officer() -> tuple[Officer, OfficerSession]:
    """Return the officer at the console in this browser, and their session."""
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


def _optional_session() -> UserSession | None:
    """Return the session of a log-in by password, which binds its WeChat user, or of who opens the home page.

    An ended session counts as none.
    """
    if request.path in ("/api/v1/accounts/login", "/api/v1/home"):
        with suppress(Problem, SQLAlchemyError):
            return _bearer()
    return None


def _bearer() -> UserSession:
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
