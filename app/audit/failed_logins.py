"""Attempts of strangers, summed: an event of the audit cannot be deleted, and anybody can make as many as they like.

Wrong log-ins are counted by account and hour; registrations that the platform contradicts, by day and by the person
whose document was used. What was counted becomes an event with its `number` within a minute, and another when the time
is over, if there were more. So an attempt at nobody does the same work as one at somebody.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.audit.log import Actor, AuditEvent, append
from app.core.clock import BEIJING
from app.core.db import Base

MISMATCHED: Final = "registration-mismatched"  # somebody tried a person's document with another name or phone
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_ROLES: Final = {"citizen": "other"}  # who entered a wrong password is rarely the citizen


class FailedLogins(Base):
    """The attempts at one account in one hour, or day, until they are in the audit; `actor` and `action` as there."""

    __tablename__ = "failed_logins"

    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    action: Mapped[str] = mapped_column(String(60), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    number: Mapped[int]
    written: Mapped[int] = mapped_column(default=0)  # how many of them are in an event
    last_at: Mapped[datetime]


def count(session: Session, actor: Actor, action: str, now: datetime, number: int = 1) -> None:
    """Count an attempt, or several; one without an id in `actor` is at nobody who is known, and takes as long."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if action == MISMATCHED:
        hour = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    row = insert(FailedLogins).values(actor=str(actor), action=action, hour=hour, number=number, written=0, last_at=now)
    session.execute(
        row.on_conflict_do_update(
            index_elements=["actor", "action", "hour"], set_={"number": FailedLogins.number + number, "last_at": now}
        )
    )


def write_sums(session: Session, now: datetime) -> int:
    """Write what was counted and is in no event yet, of times that are over and of new ones; returns the events."""
    over = or_(FailedLogins.hour <= now - DAY, and_(FailedLogins.hour <= now - HOUR, FailedLogins.action != MISMATCHED))
    counted = select(FailedLogins).where(or_(FailedLogins.written == 0, over))
    written = 0
    for row in session.scalars(counted.order_by(FailedLogins.hour, FailedLogins.actor).with_for_update()):
        if row.number > row.written:
            kind, _, id_ = row.actor.partition(":")
            serial = int(id_) if kind == "citizen" and id_ else None  # the citizen reads that somebody tried
            detail: dict[str, Any] = {"number": row.number - row.written, "hour": row.hour.isoformat()}
            append(session, Actor(kind, id_), row.action, now, serial=serial, role=_ROLES.get(kind), **detail)
            row.written, written = row.number, written + 1
        if row.hour <= now - (DAY if row.action == MISMATCHED else HOUR):
            session.delete(row)
    return written


def number_of_event() -> ColumnElement[int]:
    """Return the SQL expression for how many wrong log-ins an event stands for."""
    return func.coalesce(AuditEvent.detail["number"].as_integer(), 1)


def waiting(session: Session, actions: Collection[str], since: datetime) -> Mapping[str, tuple[int, datetime]]:
    """Return the number of wrong log-ins since then that are in no event yet, and the last of them, by actor."""
    rows = select(
        FailedLogins.actor, func.sum(FailedLogins.number - FailedLogins.written), func.max(FailedLogins.last_at)
    )
    counted = rows.where(
        FailedLogins.action.in_(actions), FailedLogins.last_at > since, FailedLogins.number > FailedLogins.written
    )
    return {actor: (int(number), last) for actor, number, last in session.execute(counted.group_by(FailedLogins.actor))}
