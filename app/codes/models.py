"""Tables of the codes: the code itself, its evidence, its decisions and the notices of its changes.

A code is known by its serial, a dense number that says nothing about its holder. Who the holder is stands in the
tables of `citizens`, so that personal data can be erased while the evidence keeps its chain.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, String, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.codes.states import State
from app.core.db import Base

# rows are written in the order of time: an index of a few pages finds an hour of them
_IN_ORDER_OF_TIME: dict[str, Any] = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": True}}


class Code(Base):
    """One row a code: its state, and what the cache record of it says.

    `version` grows with every change of state, rule, due time or epoch, so that the newer of two cache records is
    known. `epoch` ends all sessions of the holder when it changes. `due_at` is when the clock alone can change the
    decision; `retry_at` puts the next look off, because the platform could not be asked or a job has it in hand.
    """

    __tablename__ = "codes"

    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    state: Mapped[int] = mapped_column(SmallInteger, default=State.NOT_DECLARED)
    version: Mapped[int] = mapped_column(default=1)
    epoch: Mapped[int] = mapped_column(default=1)
    decision_id: Mapped[int | None] = mapped_column(BigInteger)
    rule: Mapped[str | None] = mapped_column(String(40))
    since: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    # who holds it: see holding.py
    claimed_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    denied_at: Mapped[datetime | None]

    def must_withhold(self, moment: datetime) -> bool:
        """Whether the holder, not confirmed, came after the moment: what was to be told then is not for them."""
        return self.confirmed_at is None and self.claimed_at is not None and moment < self.claimed_at


# the clock finds what is due by this index
Index("ix_codes_next_look", func.coalesce(Code.retry_at, Code.due_at))


class EvidenceRow(Base):
    """A dated fact with its source. Never changed; withdrawn, for a reason, by an authority when it was wrong."""

    __tablename__ = "evidence"
    __table_args__ = (
        # the platform tells the same finding at every verification: it is one fact
        Index("uq_evidence_dedup_key", "serial", "dedup_key", unique=True),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    authority: Mapped[str] = mapped_column(String(200))
    reference: Mapped[str] = mapped_column(String(200))
    dedup_key: Mapped[str | None] = mapped_column(String(64))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(80))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_for: Mapped[str | None] = mapped_column(String(30))


class DecisionRow(Base):
    """What the rules said at a moment, on which evidence, by which policy."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_serial_version", "serial", "version", unique=True),
        Index("ix_decisions_decided_at", "decided_at", **_IN_ORDER_OF_TIME),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"))
    version: Mapped[int]
    previous_state: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[int] = mapped_column(SmallInteger)
    rule: Mapped[str] = mapped_column(String(40))
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    evidence: Mapped[list[str]] = mapped_column(ARRAY(Uuid(as_uuid=False)))
    missing: Mapped[list[str]] = mapped_column(ARRAY(String(30)))
    policy_version: Mapped[str] = mapped_column(String(40))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    decided_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))


class Notice(Base):
    """One change that the holder is told of: always in the inbox, and through WeChat where they subscribed.

    `delivery` is what became of the WeChat message: waiting, sending, sent, seen (on the screen: none was needed),
    superseded (a newer change was told instead), withheld
    (its holder is not confirmed), expired, no-subscription, failed or unknown. `settled_at` is when
    that was last written down, which for one being sent is when it was claimed.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_created_at", "created_at", **_IN_ORDER_OF_TIME),
        Index("ix_notices_waiting", "created_at", postgresql_where=text("delivery = 'waiting'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), index=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), unique=True)
    created_at: Mapped[datetime]
    delivery: Mapped[str] = mapped_column(String(20), default="waiting")
    error: Mapped[str | None] = mapped_column(String(40))
    msgid: Mapped[str | None] = mapped_column(String(64))
    updated_at: Mapped[datetime | None]
