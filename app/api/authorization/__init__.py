"""Authorization: tables with the callers of each route, one a subject, and the check of each request against them."""

from app.api.authorization.callers import ANYONE, CITIZEN, DEVICE, INSPECTOR, PARTNER, TERMINAL, WECHAT
from app.api.authorization.checking import authorize, init_app
from app.api.authorization.sessions import AUTO_REFRESH, session_cookie_name
from app.api.authorization.table import ROUTE_ROLES, can_open

__all__ = [
    "ANYONE",
    "AUTO_REFRESH",
    "CITIZEN",
    "DEVICE",
    "INSPECTOR",
    "PARTNER",
    "ROUTE_ROLES",
    "TERMINAL",
    "WECHAT",
    "authorize",
    "can_open",
    "init_app",
    "session_cookie_name",
]
