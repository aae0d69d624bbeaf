"""A clerk at their window: the context in which they act, and what they have reached of their ceiling.

Beyond the ceiling a clerk is held: they look nobody up until an auditor has cleared it; auditors are shown it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import audit
from app.core.errors import Problem, bad_field
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role, Window
from app.windows.ceilings import Ceilings
from app.windows.models import WindowHold, WindowLookup


class Clerk(NamedTuple):
    """A clerk who acts, in a transaction, and the window where they work."""

    context: OfficerContext
    window: Window

    def record_act(self, action: str, serial: int | None, **detail: Any) -> None:
        """Append an event that names the window, which the person reads."""
        detail |= {"window": self.window.id, "authority": self.window.name}
        context = self.context
        audit.append(
            context.session, context.actor, action, context.now, serial=serial, role=Role.CLERK.value, **detail
        )


class HoldReason(StrEnum):
    """Why an auditor lets a held clerk go on."""

    BUSY = "busy-day"
    OUTREACH = "outreach"
    TRAINING = "misunderstood"


def require_clerk(context: OfficerContext) -> Clerk:
    """Return the officer as a clerk. Raises Problem `not-your-role`, or `no-window` for who works at none."""
    context = context.acting_as(Role.CLERK)
    window = None if context.me.window_id is None else context.session.get(Window, context.me.window_id)
    if window is None or window.closed_at is not None or not context.covers(window.district):
        raise Problem("no-window")
    return Clerk(context, window)


def is_held(clerk: Clerk, ceilings: Ceilings) -> bool:
    """Return whether the clerk is held, and hold them when they have reached a ceiling.

    Their row is locked, so that look-ups at one moment are counted one after the other. Says nothing of whom they ask
    about: it is decided before.
    """
    session, now, me = clerk.context.session, clerk.context.now, clerk.context.me
    session.get(Officer, me.id, with_for_update=True)
    if find_hold(clerk) is not None:
        return True
    ceiling = ceilings.of(clerk.window.district)
    for span, most in ((timedelta(hours=1), ceiling.in_an_hour), (timedelta(days=1), ceiling.in_a_day)):
        lookups = _count_lookups(clerk, now - span)
        if lookups >= most:
            name = "hour" if span < timedelta(days=1) else "day"
            session.add(WindowHold(officer_id=me.id, window_id=clerk.window.id, at=now, span=name, lookups=lookups))
            clerk.record_act("window-held", None, span=name, lookups=lookups)
            return True
    return False


def hold_again(context: OfficerContext, officer: Officer, window: Window, span: str, lookups: int) -> bool:
    """Hold a clerk, whose row is locked, after a restore; return False where they are held."""
    if _find_hold(context.session, officer) is not None:
        return False
    held = WindowHold(officer_id=officer.id, window_id=window.id, at=context.now, span=span, lookups=lookups)
    context.session.add(held)
    context.append_audit("window-held", officer=officer.id, window=window.id, span=span, lookups=lookups)
    return True


def find_hold(clerk: Clerk) -> WindowHold | None:
    """Return the hold of a clerk that no auditor has cleared."""
    return _find_hold(clerk.context.session, clerk.context.me)


def _find_hold(session: Session, officer: Officer) -> WindowHold | None:
    held = select(WindowHold).where(WindowHold.officer_id == officer.id, WindowHold.cleared_at.is_(None))
    return session.scalar(held)


class HeldClerk(NamedTuple):
    """A hold that waits for an auditor, with the clerk and the window."""

    hold: WindowHold
    officer: Officer
    window: Window


def list_holds(session: Session, auditor: Officer, most: int) -> Sequence[HeldClerk]:
    """List the holds that wait for an auditor, newest first."""
    rows = (
        select(WindowHold, Officer, Window)
        .join(Officer, Officer.id == WindowHold.officer_id)
        .join(Window, Window.id == WindowHold.window_id)
        .where(WindowHold.cleared_at.is_(None))
    )
    if auditor.district is not None:
        rows = rows.where(Window.district == auditor.district)
    return [HeldClerk(*row) for row in session.execute(rows.order_by(WindowHold.id.desc()).limit(most))]


def clear_hold(context: OfficerContext, hold_id: int, reason: str) -> None:
    """Let a held clerk go on, counted anew. Raises Problem `hold-not-found`, or `own-hold` for one's own."""
    context = context.acting_as(Role.AUDITOR)
    hold = context.session.get(WindowHold, hold_id, with_for_update=True, populate_existing=True)
    window = None if hold is None else context.session.get_one(Window, hold.window_id)
    if hold is None or window is None or hold.cleared_at is not None or not context.covers(window.district):
        raise Problem("hold-not-found")
    if hold.officer_id == context.me.id:
        raise Problem("own-hold")
    if reason not in set(HoldReason):
        raise bad_field("/reason", "not-a-choice")
    hold.cleared_at, hold.cleared_by, hold.reason = context.now, context.me.id, reason
    context.append_audit("window-hold-cleared", officer=hold.officer_id, window=window.id, cleared_for=reason)


def _count_lookups(clerk: Clerk, since: datetime) -> int:
    """Count what the clerk has looked up since, or since an auditor cleared their last hold."""
    session, me = clerk.context.session, clerk.context.me.id
    cleared = session.scalar(select(func.max(WindowHold.cleared_at)).filter_by(officer_id=me))
    start = since if cleared is None else max(since, cleared)
    number = select(func.count()).where(WindowLookup.officer_id == me, WindowLookup.at > start)
    return session.scalars(number).one()
