"""The record of who did what to whose code, in which role and why, written in the same transaction as the deed.

Rows name people by serial or by role, never by name or number. Append only: once written, an entry is only ever sealed
into the chain, and that once (`chain/`). Nobody waits for the chain: it is linked after the commit.
"""

from collections.abc import Sequence
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
    """Who acts: a citizen, an inspector, an officer, the platform, or the system itself (clock, jobs)."""

    kind: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


CLOCK = Actor("clock")
PLATFORM = Actor("platform")


# Two of the indices hold a part of the entries; a query that says the same in its condition can use them.
BY_OFFICERS = text("starts_with(actor, 'officer')")
RARE = text("action not in ('decided', 'evidence-recorded')")
FREQUENT = ("decided", "evidence-recorded")  # every change of a color leaves both
MAX_ID_SKEW = timedelta(hours=1)  # more than an entry's number is ever out of the order of time


class AccessReason(StrEnum):
    """Why somebody may look at a person's record; there is no other reason."""

    CONTACT_TRACING = "contact-tracing"
    CASE_REVIEW = "case-review"
    QUARANTINE = "quarantine-care"
    APPEAL = "appeal"
    CORRECTION = "correction"
    REQUEST = "citizen-request"
    OVERSIGHT = "oversight"


class RecordPart(StrEnum):
    """What of a record somebody looks at."""

    STATE = "state"
    HISTORY = "history"
    EVIDENCE = "evidence"
    IDENTITY = "identity"
    ACCESS = "access"


class AuditEvent(Base):
    """One deed. `role` is empty for entries that are older than it; then the kind of the actor says the same.

    `place` and `hash` are its link in the chain, empty until it is sealed.
    """

    __tablename__ = "audit"
    __table_args__ = (
        CheckConstraint("(place is null) = (hash is null)", name="sealed"),
        Index("ix_audit_place", "place", unique=True, postgresql_where=text("place is not null")),
        # the sealer finds what waits by this index, however long the chain is
        Index("ix_audit_waiting", "id", postgresql_where=text("place is null")),
        # auditors find officers' deeds, and the rare ones, by these among all that codes and citizens leave behind
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
    """Write one entry; `reason` is a slug, `detail` holds ids and codes only, never personal data.

    The role in which somebody acts is their kind, unless it is given.
    """
    written = {"role": role or actor.kind, "reason": reason, "serial": serial, "detail": detail}
    session.add(AuditEvent(at=now, actor=str(actor), action=action, **written))


def append_many(
    session: Session, actor: Actor, action: str, events: Sequence[tuple[datetime, int, dict[str, Any]]]
) -> None:
    """Write one entry for each of many deeds of a kind: when, to whose code, and its detail."""
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
    """Write down that somebody looks at a part of a person's record, before they see it.

    `authority` is the institution for which they look, which the person reads. Raises Problem for a reason that is no
    ReadReason and a part that is no ReadPart.
    """
    if reason not in set(AccessReason):
        raise bad_field("/reason", "not-a-choice")
    if part not in set(RecordPart):
        raise bad_field("/part", "not-a-choice")
    behind = {} if authority is None else {"authority": authority}
    append(session, actor, "record-read", now, serial=serial, role=role, reason=str(reason), what=str(part), **behind)


def first_id_since(session: Session, moment: datetime) -> int:
    """A number such that no entry of this moment or later has a lower one, found by halving and without an index.

    Numbers grow with time but for transactions that take a while: ASTRAY is allowed for them.
    """
    low, high = 1, (session.scalar(select(func.max(AuditEvent.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        there = select(AuditEvent.id, AuditEvent.at).where(AuditEvent.id >= middle).order_by(AuditEvent.id).limit(1)
        id_, at = session.execute(there).one()
        low, high = (low, middle) if at >= moment - MAX_ID_SKEW else (id_ + 1, high)
    return low
