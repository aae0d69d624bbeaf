"""Check every request against the table of routes, before a view runs.

A view relies on `web.current_session()`, and at the console on `web.current_officer()`.
"""

from collections.abc import Callable

import structlog
from flask import Flask, Request, g, request

from app.api.authorization import sessions
from app.api.authorization.callers import ANYONE, CITIZEN, DEVICE, INSPECTOR, PARTNER, TERMINAL, WECHAT
from app.api.authorization.table import ROUTE_ROLES
from app.api.devices import caller
from app.api.partners import caller as partner_caller
from app.core.errors import Problem
from app.core.metrics import DEVICE_REFUSALS
from app.core.session_tokens import SessionKind, UserSession
from app.devices.device_cache import KnownDevice
from app.partners.envelope import KnownPartner
from app.runtime import Services
from app.staff.models import Officer, Role
from app.web import bodies, get_services

log = structlog.get_logger()
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
        g.session = sessions.optional()
    elif role == DEVICE:
        g.device = _device(caller.authenticate)
    elif role == TERMINAL:
        g.device = _device(caller.authenticate_terminal)
    elif role == PARTNER:
        g.partner = _partner()
    elif isinstance(role, frozenset):
        g.officer, g.officer_session = sessions.officer()
        _check_officer(g.officer, role, route)
    else:
        g.session = sessions.bearer()
        _check_session(g.session, role)


def _device(authenticate: Callable[[Services, Request], KnownDevice]) -> KnownDevice:
    """Return the device that calls; a refusal is counted, for a thousand of them are somebody's attempt."""
    bodies.bound_body()  # a signature covers the body, which is read here
    try:
        return authenticate(get_services(), request)
    except Problem as problem:
        DEVICE_REFUSALS.labels(problem.slug).inc()
        raise


def _partner() -> KnownPartner:
    """Return the partner that calls; who is not let in is logged by the interface and the problem alone."""
    try:
        return partner_caller.authenticate(get_services(), request)
    except Problem as problem:
        log.warning("partner-not-let-in", interface=partner_caller.interface_of(request), problem=problem.slug)
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
