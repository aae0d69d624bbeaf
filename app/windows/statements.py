"""Declaring for the person at a window, who speaks while the clerk fills the form in.

A declaration without symptom and contact takes effect at once, as on a phone. One with a symptom or a contact makes a
color worse, and a clerk could record one of somebody who is not there: it becomes evidence when a second officer has
confirmed it at the counter. The evidence names window and officers, and the national platform verifies it as any other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.audit import AccessReason, Actor, RecordPart
from app.citizens import accounts, declarations
from app.citizens.accounts import Profile
from app.citizens.declarations import CONSENT_VERSION, Source, Statement, Symptom
from app.citizens.verification import reevaluate
from app.codes import ledger
from app.core.errors import Problem
from app.runtime import Services
from app.staff.context import OfficerContext, actor_of_signers, begin_officer
from app.staff.models import Officer, Role, Window
from app.windows.clerks import Clerk
from app.windows.models import WindowStatement
from app.windows.visits import find_visit

WAITS: Final = timedelta(hours=2)  # for a second officer; the person has left the counter by then
CONFIRMERS: Final = (Role.CLERK, Role.APPROVER)


class WaitingStatement(NamedTuple):
    """A statement that waits for a second officer, and its window."""

    row: WindowStatement
    window: Window


class StatementView(NamedTuple):
    """What the second officer reads to the person, and who it is about."""

    waiting: WaitingStatement
    profile: Profile


def declare(services: Services, officer: Officer, visit_id: int, statement: Statement) -> bool:
    """Record what the person at the window declares. Returns False where a second officer has to confirm it first.

    Raises Problem with every bad field, `visit-over`, or `statement-waits` while an earlier one waits.
    """
    if wrong := declarations.find_errors(statement, services.clock.now()):
        raise Problem("invalid-request", fields=tuple(wrong))
    with begin_officer(services, officer) as context:
        visit = find_visit(context, visit_id)
        ledger.lock_code(context.session, visit.serial)
        lapse(context.session, context.now)
        waits = select(WindowStatement.id).filter_by(serial=visit.serial, state="waiting")
        if context.session.scalar(waits) is not None:
            raise Problem("statement-waits")
        if statement.symptoms or statement.contact_on is not None:
            _put_off(visit.clerk, visit.serial, statement)
            return False
        _record(context, visit.clerk, visit.serial, statement, context.actor)
    reevaluate(services, visit.serial, actor=visit.clerk.context.actor)
    return True


def list_waiting(session: Session, officer: Officer, now: datetime) -> Sequence[WaitingStatement]:
    """List the statements that an officer may confirm, oldest first."""
    rows = select(WindowStatement, Window).join(Window, Window.id == WindowStatement.window_id)
    recent = WindowStatement.recorded_at > now - WAITS
    rows = rows.where(WindowStatement.state == "waiting", recent, WindowStatement.recorded_by != officer.id)
    if officer.district is not None:
        rows = rows.where(Window.district == officer.district)
    return [WaitingStatement(*row) for row in session.execute(rows.order_by(WindowStatement.recorded_at))]


def view(services: Services, officer: Officer, statement_id: int) -> StatementView:
    """Return a statement to the second officer, which is an access. Raises Problem `statement-not-found`."""
    with begin_officer(services, officer) as context:
        context = context.acting_as(*CONFIRMERS)
        waiting = _find(context, statement_id)
        context.record_access(waiting.row.serial, AccessReason.SIGNING, RecordPart.ENTRY)
        profile = accounts.get_profile(context.session, context.encryption, waiting.row.serial)
    if profile is None:  # deleted meanwhile
        raise Problem("statement-not-found")
    return StatementView(waiting, profile)


def confirm(services: Services, officer: Officer, statement_id: int) -> None:
    """Confirm what the person has said, as another officer: it is evidence now. Raises Problem."""
    with begin_officer(services, officer) as context:
        context = context.acting_as(*CONFIRMERS)
        row, window = _resolve(context, statement_id, "confirmed")
        statement = Statement(tuple(Symptom(one) for one in row.symptoms or ()), row.contact_on)
        first = context.session.get_one(Officer, row.recorded_by)
        signers = actor_of_signers(first, context.me)
        serial, row.symptoms, row.contact_on = row.serial, None, None
        _record(context, Clerk(context, window), serial, statement, signers)
    reevaluate(services, serial, actor=signers)


def refuse(services: Services, officer: Officer, statement_id: int) -> None:
    """Refuse what the person at the counter has not said: nothing of it is kept. Raises Problem."""
    with begin_officer(services, officer) as context:
        context = context.acting_as(*CONFIRMERS)
        row, window = _resolve(context, statement_id, "refused")
        row.symptoms, row.contact_on = None, None
        Clerk(context, window).record_act("statement-refused", row.serial, officer=row.recorded_by)


def _record(context: OfficerContext, clerk: Clerk, serial: int, statement: Statement, actor: Actor) -> None:
    """Record a declaration as evidence; a job asks the platform in case this request ends before it has answered."""
    change = ledger.ChangeContext(context.session, context.policy, actor, context.now)
    source = Source(f"declaration {CONSENT_VERSION}, window: {clerk.window.name}", on_screen=False)
    row = declarations.declare(change, serial, statement, source)
    clerk.record_act("declared-at-window", serial, evidence=row.evidence_id, consent=CONSENT_VERSION)


def _put_off(clerk: Clerk, serial: int, statement: Statement) -> None:
    row = WindowStatement(
        serial=serial,
        window_id=clerk.window.id,
        recorded_by=clerk.context.me.id,
        recorded_at=clerk.context.now,
        symptoms=sorted(statement.symptoms),
        contact_on=statement.contact_on,
    )
    clerk.context.session.add(row)
    clerk.record_act("statement-recorded", serial, consent=CONSENT_VERSION)


def _resolve(context: OfficerContext, statement_id: int, state: str) -> WaitingStatement:
    waiting = _find(context, statement_id)
    row = context.session.get_one(WindowStatement, statement_id, with_for_update=True, populate_existing=True)
    if row.state != "waiting":
        raise Problem("statement-not-found")
    row.state, row.resolved_at, row.resolved_by = state, context.now, context.me.id
    return WaitingStatement(row, waiting.window)


def _find(context: OfficerContext, statement_id: int) -> WaitingStatement:
    """Return a statement that waits. Raises Problem `statement-not-found`, or `two-officers` for one's own."""
    row = context.session.get(WindowStatement, statement_id)
    if row is not None and row.state == "waiting" and row.recorded_by == context.me.id:
        raise Problem("two-officers")
    found = next(
        (one for one in list_waiting(context.session, context.me, context.now) if one.row.id == statement_id), None
    )
    if found is None:
        raise Problem("statement-not-found")
    return found


def lapse(session: Session, now: datetime) -> None:
    """Forget what nobody has confirmed in time."""
    late = update(WindowStatement).where(WindowStatement.state == "waiting", WindowStatement.recorded_at <= now - WAITS)
    session.execute(late.values(state="lapsed", resolved_at=now, symptoms=None, contact_on=None))
