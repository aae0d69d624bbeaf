"""The audit log: who did what to whose code, in which role and why, written in the same transaction as the action.

Rows identify people by serial or role, never by name or document. Append only: an event is written, and later sealed
into the chain once (`sealing`), after the commit, so that no transaction waits for the chain.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, LargeBinary, String, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base, insert_rows
from app.core.errors import bad_field


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor: a citizen, an inspector, an officer, the platform, or the system itself (clock, jobs)."""

    kind: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


CLOCK = Actor("clock")
PLATFORM = Actor("platform")


# Conditions of the two partial indexes; a query that repeats one can use its index.
BY_OFFICERS = text("starts_with(actor, 'officer')")
RARE = text("action not in ('decided', 'evidence-recorded')")
FREQUENT = ("decided", "evidence-recorded")  # written by every change of a color
MAX_ID_SKEW = timedelta(hours=1)  # the most by which events with neighboring ids may be out of the order of time


class AccessReason(StrEnum):
    """The reasons for which a citizen's record may be accessed; there is no other one."""

    CONTACT_TRACING = "contact-tracing"
    CASE_REVIEW = "case-review"
    QUARANTINE = "quarantine-care"
    APPEAL = "appeal"
    CORRECTION = "correction"
    REQUEST = "citizen-request"
    OVERSIGHT = "oversight"
    SIGNING = "signing"  # of the officer who approves an entry or signs a list, given by the system
    WINDOW = "window"  # of a clerk, about the person at their service window, given by the system
    VENUE = "venue"  # of the administrator who decides an application for a venue, given by the system


_GIVEN_REASONS = (AccessReason.SIGNING, AccessReason.WINDOW, AccessReason.VENUE)
CHOSEN_REASONS = tuple(reason for reason in AccessReason if reason not in _GIVEN_REASONS)  # by an officer


class RecordPart(StrEnum):
    """The part of a record that is accessed."""

    STATE = "state"
    HISTORY = "history"
    EVIDENCE = "evidence"
    IDENTITY = "identity"
    ACCESS = "access"
    ENTRY = "entry"  # what an entry says of the person: whole number, name, and the change of color


class AuditEvent(Base):
    """One event. `role` is empty in events older than the column; then it is the kind of the actor.

    `place` and `hash` are its link in the chain, empty until it is sealed.
    """

    __tablename__ = "audit"
    __table_args__ = (
        CheckConstraint("(place is null) = (hash is null)", name="sealed"),
        Index("ix_audit_place", "place", unique=True, postgresql_where=text("place is not null")),
        # the sealer finds unsealed events by this index, however long the chain is
        Index("ix_audit_waiting", "id", postgresql_where=text("place is null")),
        # auditors find the events of officers, and the rare ones, among the many of codes and citizens
        Index("ix_audit_officers", "actor", "id", postgresql_where=BY_OFFICERS),
        Index("ix_audit_rare", "action", "id", postgresql_where=RARE),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    role: Mapped[str | None] = mapped_column(String(30))
    action: Mapped[str] = mapped_column(String(60))
    serial: Mapped[int | None] = mapped_column(BigInteger, index=True)
    reason: Mapped[str | None] = mapped_column(String(30))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    place: Mapped[int | None] = mapped_column(BigInteger)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


def append(
    session: Session,
    actor: Actor,
    action: str,
    now: datetime,
    *,
    serial: int | None = None,
    role: str | None = None,
    reason: str | None = None,
    **detail: Any,
) -> None:
    """Append one event; `reason` is a slug, `detail` has ids and codes only, never personal data.

    `role` is the kind of the actor unless given.
    """
    columns = {"role": role or actor.kind, "reason": reason, "serial": serial, "detail": detail}
    session.add(AuditEvent(at=now, actor=str(actor), action=action, **columns))


def append_many(
    session: Session, actor: Actor, action: str, events: Sequence[tuple[datetime, int, dict[str, Any]]]
) -> None:
    """Append many events of one action, each with its moment, serial and detail."""
    rows = [
        {"at": at, "actor": str(actor), "role": actor.kind, "action": action, "serial": serial, "detail": detail}
        for at, serial, detail in events
    ]
    insert_rows(session, AuditEvent, rows)


def record_access(
    session: Session,
    actor: Actor,
    role: str,
    serial: int,
    reason: str,
    part: str,
    now: datetime,
    *,
    authority: str | None = None,
) -> None:
    """Record an access to a part of a citizen's record, before it is displayed.

    `authority` is the institution of the officer, which the citizen can read. Raises Problem for a reason that is no
    AccessReason, or a part that is no RecordPart.
    """
    if reason not in set(AccessReason):
        raise bad_field("/reason", "not-a-choice")
    if part not in set(RecordPart):
        raise bad_field("/part", "not-a-choice")
    detail = {"what": str(part)} | ({} if authority is None else {"authority": authority})
    append(session, actor, "record-read", now, serial=serial, role=role, reason=str(reason), **detail)


def record_accesses(
    session: Session,
    actor: Actor,
    role: str,
    serials: Collection[int],
    reason: AccessReason,
    part: RecordPart,
    now: datetime,
) -> None:
    """Record an access to a part of many records, as `record_access` does for one: one statement for each thousands."""
    known = {"at": now, "actor": str(actor), "role": role, "reason": str(reason), "detail": json.dumps({"what": part})}
    ordered = sorted(serials)
    for start in range(0, len(ordered), _ACCESSES_AT_A_TIME):
        session.execute(_INSERT_ACCESSES, {**known, "serials": ordered[start : start + _ACCESSES_AT_A_TIME]})


_ACCESSES_AT_A_TIME = 20_000  # a second or less, so that no statement runs into its limit
_INSERT_ACCESSES = text(
    "insert into audit (at, actor, role, action, serial, reason, detail)"
    " select :at, :actor, :role, 'record-read', serial, :reason, cast(:detail as jsonb)"
    " from unnest(cast(:serials as bigint[])) serial"
)


def first_id_since(session: Session, moment: datetime) -> int:
    """Return an id such that no event of this moment or later has a lower one; a binary search, without an index.

    Ids grow with time except for long transactions, for which MAX_ID_SKEW is allowed.
    """
    low, high = 1, (session.scalar(select(func.max(AuditEvent.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        event = select(AuditEvent.id, AuditEvent.at).where(AuditEvent.id >= middle).order_by(AuditEvent.id).limit(1)
        id_, at = session.execute(event).one()
        low, high = (low, middle) if at >= moment - MAX_ID_SKEW else (id_ + 1, high)
    return low
