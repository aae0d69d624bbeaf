"""Who may call a route: a kind of caller, or the roles of which an officer needs one."""

from app.staff.models import Role

ANYONE = "anyone"
WECHAT = "a WeChat user, registered or not"
CITIZEN = "a registered citizen"
INSPECTOR = "an inspector at their station"
DEVICE = "a device that signs its requests"
TERMINAL = "a device that proves itself by the shape of its maker"
PARTNER = "a partner that signs its requests"

OFFICER = frozenset(Role)  # any officer: everybody has a role
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
RECORDER, APPROVER, AUDITOR = (frozenset({role}) for role in (Role.RECORDER, Role.APPROVER, Role.AUDITOR))
CLERK = frozenset({Role.CLERK})
APPEALS = frozenset({Role.APPEALS})

Routes = dict[tuple[str, str], str | frozenset[Role]]  # by method and address
