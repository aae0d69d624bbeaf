"""Recovering an account at a window: a new password, and nobody is logged in or bound any more.

It takes effect at once, for whoever has lost their phone needs the account today. Whoever was bound is notified and may
object for a day: then nothing of the account changes until an auditor has decided. The color never depends on it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens import credentials
from app.citizens.models import Account
from app.codes import ledger
from app.core.errors import Problem
from app.core.passwords import MIN_LENGTH, find_password_errors, hash_password
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer, Role, Window
from app.wechat import login
from app.wechat.models import WeChatUser
from app.windows.models import FormerBinding, Recovery
from app.windows.visits import Visit, find_visit

OBJECTION_PERIOD: Final = timedelta(hours=24)


class RecoveryOutcome(StrEnum):
    """What an auditor decides about a recovery to which somebody has objected."""

    KEPT = "kept"
    UNDONE = "undone"


class FormerHolder(NamedTuple):
    """A recovery as who was bound before sees it: where, when, and until when they may object."""

    recovery: Recovery
    window: Window
    binding: FormerBinding

    @property
    def until(self) -> datetime:
        return self.recovery.at + OBJECTION_PERIOD


def recover(services: Services, officer: Officer, visit_id: int, username: str, password: str) -> None:
    """Give the person at the window a new password, end every session and unbind every WeChat user.

    An account without a user name gets this one; otherwise it is not used. Raises Problem with every bad field,
    `visit-over`, or `recovery-open` while an earlier recovery can be objected to, or is.
    """
    with begin_officer(services, officer) as context:
        name = find_username(context.session, find_visit(context, visit_id).serial)
    if name is None:
        username, password_hash = credentials.prepare_credentials(username, password)
    elif wrong := find_password_errors(password, name, MIN_LENGTH):
        raise Problem("invalid-request", fields=tuple(wrong))
    else:
        username, password_hash = name, hash_password(password)
    with begin_officer(services, officer) as context:  # a hash takes long, without a lock
        visit = find_visit(context, visit_id)
        ledger.lock_code(context.session, visit.serial)
        if find_open(context.session, visit.serial, context.now) is not None:
            raise Problem("recovery-open")
        _recover(context, visit, username, password_hash)


def find_open(session: Session, serial: int, now: datetime) -> Recovery | None:
    """Return the recovery of an account to which somebody has objected, or still can."""
    return session.scalar(select(Recovery).where(Recovery.serial == serial, _is_open(now)).limit(1))


def require_unfrozen(session: Session, serial: int) -> None:
    """Raise Problem `account-frozen` while an objection to the recovery of an account is open."""
    if is_frozen(session, serial):
        raise Problem("account-frozen")


def is_frozen(session: Session, serial: int) -> bool:
    """Return whether somebody has objected to the recovery of an account, and no auditor has decided."""
    objected = select(Recovery.id).filter_by(serial=serial, state="objected").limit(1)
    return session.scalar(objected) is not None


def require_over(session: Session, serial: int, now: datetime) -> None:
    """Raise Problem while a recovery can be objected to, or is: who recovered must not delete the account by then."""
    require_unfrozen(session, serial)
    if find_open(session, serial, now) is not None:
        raise Problem("recovery-open")


def find_of_former(session: Session, user_id: int, now: datetime) -> FormerHolder | None:
    """Return the newest recovery by which a WeChat user was unbound, of the last seven days or undecided."""
    rows = (
        select(Recovery, Window, FormerBinding)
        .join(FormerBinding, FormerBinding.recovery_id == Recovery.id)
        .join(Window, Window.id == Recovery.window_id)
        .where(FormerBinding.wechat_user_id == user_id)
        .where(or_(Recovery.at > now - 7 * OBJECTION_PERIOD, Recovery.state == "objected"))
        .order_by(Recovery.id.desc())
        .limit(1)
    )
    row = session.execute(rows).first()
    return None if row is None else FormerHolder(*row)


def object_to(session: Session, user_id: int, now: datetime) -> FormerHolder:
    """Object to a recovery as who was bound before; doing so again changes nothing.

    Raises Problem `no-recovery` where there is none, `objection-late` a day after it.
    """
    former = find_of_former(session, user_id, now)
    if former is None:
        raise Problem("no-recovery")
    recovery = session.get_one(Recovery, former.recovery.id, with_for_update=True, populate_existing=True)
    if former.binding.objected_at is not None:
        return former
    if recovery.state not in ("done", "objected") or now >= former.until:
        raise Problem("objection-late")
    recovery.state, former.binding.objected_at = "objected", now
    audit.append(
        session, Actor("wechat"), "recovery-objected", now, serial=recovery.serial, user=user_id, recovery=recovery.id
    )
    return former


def object_again(context: OfficerContext, recovery_id: int, user_id: int) -> bool:
    """Object for somebody after a restore, who did so in time; return False where that was decided, or is there."""
    session = context.session
    recovery = session.get(Recovery, recovery_id, with_for_update=True, populate_existing=True)
    binding = session.get(FormerBinding, (recovery_id, user_id))
    if recovery is None or binding is None or recovery.state != "done":
        return False
    recovery.state, binding.objected_at = "objected", context.now
    context.append_audit("recovery-objected", serial=recovery.serial, user=user_id, recovery=recovery.id)
    return True


class ObjectedRecovery(NamedTuple):
    """A recovery to which somebody has objected, with the window and the clerk."""

    recovery: Recovery
    window: Window
    officer: Officer


def list_objected(session: Session, auditor: Officer, most: int) -> Sequence[ObjectedRecovery]:
    """List the recoveries to which somebody has objected, oldest first."""
    rows = (
        select(Recovery, Window, Officer)
        .join(Window, Window.id == Recovery.window_id)
        .join(Officer, Officer.id == Recovery.officer_id)
        .where(Recovery.state == "objected")
    )
    if auditor.district is not None:
        rows = rows.where(Window.district == auditor.district)
    return [ObjectedRecovery(*row) for row in session.execute(rows.order_by(Recovery.id).limit(most))]


def resolve(context: OfficerContext, recovery_id: int, outcome: str) -> None:
    """Decide about an objection: keep the recovery, or give the account back. Raises Problem.

    Given back, nobody has the password any more, and who was bound before is bound again.
    """
    context = context.acting_as(Role.AUDITOR)
    recovery = context.session.get(Recovery, recovery_id, with_for_update=True, populate_existing=True)
    window = None if recovery is None else context.session.get_one(Window, recovery.window_id)
    if recovery is None or window is None or recovery.state != "objected" or not context.covers(window.district):
        raise Problem("recovery-not-found")
    if recovery.officer_id == context.me.id:
        raise Problem("two-officers")
    if outcome not in set(RecoveryOutcome):
        raise Problem("recovery-not-found")
    recovery.state, recovery.resolved_at, recovery.resolved_by = outcome, context.now, context.me.id
    if outcome == RecoveryOutcome.UNDONE:
        _give_back(context, recovery)
    audit.append(
        context.session, context.actor, "recovery-decided", context.now, serial=recovery.serial,
        role=Role.AUDITOR.value, recovery=recovery.id, outcome=outcome,
    )  # fmt: skip


def undo_again(context: OfficerContext, recovery_id: int) -> bool:
    """Give the account back after a restore; return False where that was decided, or nothing was recovered."""
    recovery = context.session.get(Recovery, recovery_id, with_for_update=True, populate_existing=True)
    if recovery is None or recovery.state not in ("done", "objected"):
        return False
    outcome = RecoveryOutcome.UNDONE
    recovery.state, recovery.resolved_at, recovery.resolved_by = outcome, context.now, None
    _give_back(context, recovery)
    context.append_audit("recovery-decided", serial=recovery.serial, recovery=recovery.id, outcome=outcome)
    return True


def _recover(context: OfficerContext, visit: Visit, username: str, password_hash: str) -> None:
    session, serial, now = context.session, visit.serial, context.now
    account = session.get(Account, serial, populate_existing=True)
    if account is None:
        raise Problem("visit-over")
    if account.username is None:
        credentials.check_username_free(session, username)
    users = login.lock_users_of(session, serial, account.registered_by)
    recovery = Recovery(
        serial=serial, window_id=visit.clerk.window.id, officer_id=context.me.id, at=now,
        registered_by=account.registered_by,
    )  # fmt: skip
    session.add(recovery)
    account.username, account.password_hash = username, password_hash
    account.attested_at, account.registered_by = now, None
    credentials.add_account(session, account)
    session.add_all(FormerBinding(recovery_id=recovery.id, wechat_user_id=user.id) for user in users)
    former = Subject("recovery", recovery.id, serial)
    account_messages.announce(session, former, [user.id for user in users], now)
    login.unbind_all(session, serial)
    ledger.end_sessions(session, serial, actor=context.actor, now=now)
    visit.clerk.record_act("account-recovered", serial, recovery=recovery.id, users=[user.id for user in users])


def _give_back(context: OfficerContext, recovery: Recovery) -> None:
    session, serial, now = context.session, recovery.serial, context.now
    ledger.lock_code(session, serial)
    login.unbind_all(session, serial)
    ledger.end_sessions(session, serial, actor=context.actor, now=now)
    account = session.get(Account, serial, populate_existing=True)
    if account is None:
        return
    former = select(FormerBinding.wechat_user_id).filter_by(recovery_id=recovery.id)
    users = session.scalars(former.order_by(FormerBinding.wechat_user_id)).all()
    account.username, account.password_hash = None, None
    account.registered_by = recovery.registered_by or next(iter(users), None)
    for user_id in users:
        user = session.get(WeChatUser, user_id)
        if user is not None and user.serial is None:
            login.bind(session, user_id, serial, now)


def find_username(session: Session, serial: int) -> str | None:
    """Return the user name of an account, None before one is chosen."""
    return session.scalar(select(Account.username).filter_by(serial=serial))


def _is_open(now: datetime) -> ColumnElement[bool]:
    recent = and_(Recovery.state == "done", Recovery.at > now - OBJECTION_PERIOD)
    return or_(Recovery.state == "objected", recent)
