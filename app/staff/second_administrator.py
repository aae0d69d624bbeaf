"""No account from one person: the password and the authenticator of an officer, which together are it, are set by two.

Whoever set the secret of an authenticator knows it until another is set, and whoever set a password until its holder
has changed it. An operator is one person as well. While fewer than two other administrators could help, an operator may
do both, so that an installation can begin; the audit marks what was done `alone`, and auditors are shown it.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import func, or_, select

from app import audit
from app.audit import AuditEvent
from app.core.errors import Problem
from app.staff.context import OPERATOR, OfficerContext
from app.staff.models import Officer, Role

ENOUGH: Final = 2


def is_bootstrap(context: OfficerContext, district: str | None, but: int | None = None) -> bool:
    """Return whether an operator acts while fewer than two other administrators who can log in cover the district."""
    if context.actor != OPERATOR:
        return False
    others = select(func.count()).where(
        Officer.roles.contains([Role.ADMINISTRATOR.value]), Officer.disabled_at.is_(None),
        or_(Officer.password_ends_at.is_(None), Officer.password_ends_at > context.now),
        or_(Officer.district.is_(None), Officer.district == district), Officer.id.is_distinct_from(but),
    )  # fmt: skip
    return context.session.scalars(others).one() < ENOUGH


def require_other_person(context: OfficerContext, officer: Officer, *actions: str) -> bool:
    """Require that somebody else did the last of these to the account, or an operator who may act alone.

    Return whether they act alone. Raises Problem `second-administrator`.
    """
    done = select(AuditEvent.actor).where(
        AuditEvent.action.in_(actions), audit.RARE, AuditEvent.detail["officer"].as_integer() == officer.id
    )
    if context.session.scalar(done.order_by(AuditEvent.id.desc()).limit(1)) != str(context.actor):
        return False
    if not is_bootstrap(context, officer.district, officer.id):
        raise Problem("second-administrator")
    return True


def require_two(officers: Collection[Officer], refusal: str) -> None:
    """Require two administrators of the whole province, who can log in. Raises Problem, `refusal` for one twice."""
    if any(one.disabled_at is not None or one.must_change_password for one in officers):
        raise Problem("wrong-log-in")
    if any(Role.ADMINISTRATOR not in one.roles or one.district is not None for one in officers):
        raise Problem("not-your-role")
    if len({one.id for one in officers}) < ENOUGH:
        raise Problem(refusal)


def mark_alone(alone: bool) -> dict[str, Any]:
    """Return the detail by which auditors find what an operator did alone."""
    return {"alone": True} if alone else {}
