"""Tables of the codes: the code itself, its evidence, its decisions and the notices of its changes.

The serial of a code is a dense number that says nothing about its holder. Personal data is in the tables of `citizens`,
so that it can be erased while evidence and decisions stay.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, PrimaryKeyConstraint, SmallInteger, String, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.codes.evidence import complete_facts, rule_from_column
from app.codes.states import State
from app.core.db import Base

# rows are written in the order of time, so a BRIN index of a few pages finds those of an hour
_IN_ORDER_OF_TIME: dict[str, Any] = {"postgresql_using": "brin", "postgresql_with": {"autosummarize": True}}

TEMPERATURES = text("kind = 'temperature'")  # condition of a partial index; a query that repeats it can use the index


class Code(Base):
    """A code: its state, and the content of its cache record.

    `version` grows with every change of state, rule, due time or epoch, and orders two cache records.
    A change of `epoch` ends all sessions of the holder. `due_at` is when time alone can change the decision; `retry_at`
    replaces it while the platform could not be asked or a worker has leased the code.
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
    # the claim of the holder: see `claims`
    claimed_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    denied_at: Mapped[datetime | None]

    @property
    def is_withheld(self) -> bool:
        """Return whether what is recorded is withheld from the holder, whom the platform has not confirmed."""
        return self.claimed_at is not None and self.confirmed_at is None


# who is followed up: the orange and the red
Index("ix_codes_restricted", Code.serial, postgresql_where=text("state >= 5"))
# for `ledger.lease_due`
Index("ix_codes_next_look", func.coalesce(Code.retry_at, Code.due_at))


class CacheDoubt(Base):
    """What Redis did not confirm: `code:` and a serial, or the key of a value kept beside the colors."""

    __tablename__ = "cache_doubts"

    key: Mapped[str] = mapped_column(primary_key=True)


class EvidenceRow(Base):
    """A dated fact with its source. Never changed; wrong evidence is withdrawn with a reason.

    No index has `id` alone: ask with the serial too.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        PrimaryKeyConstraint("serial", "id"),  # in this order it also finds a code's evidence
        # the platform reports the same finding at every verification: it is one fact
        Index(
            "uq_evidence_dedup_key", "serial", "dedup_key", unique=True, postgresql_where=text("dedup_key is not null")
        ),
        # a check is recognized by its id, before it is known whose it was
        Index("ix_evidence_temperatures", "id", postgresql_where=TEMPERATURES),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False))
    serial: Mapped[int] = mapped_column(BigInteger)  # of a code, which the ledger has locked: no key checks it again
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)  # the stored form: see `complete_facts`
    refers_to: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    authority: Mapped[str] = mapped_column(String(200))
    reference: Mapped[str] = mapped_column(String(200))
    dedup_key: Mapped[str | None] = mapped_column(String(64))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(80))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_for: Mapped[str | None] = mapped_column(String(30))

    @property
    def complete_facts(self) -> dict[str, Any]:
        """Return all facts by name, those too that are empty or refer to other evidence."""
        return complete_facts(self)


class DecisionRow(Base):
    """The result of the rules at a moment, with its evidence and policy version."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("ix_decisions_serial_version", "serial", "version", unique=True),
        Index("ix_decisions_decided_at", "decided_at", **_IN_ORDER_OF_TIME),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger)  # of a code, as that of evidence
    version: Mapped[int]
    previous_state: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[int] = mapped_column(SmallInteger)
    rule: Mapped[str] = mapped_column(String(40))
    rules: Mapped[list[str | dict[str, Any]]] = mapped_column(JSONB)  # the stored form: see `applied_rules`
    evidence: Mapped[list[str]] = mapped_column(ARRAY(Uuid(as_uuid=False)))
    missing: Mapped[list[str]] = mapped_column(ARRAY(String(30)))
    policy_version: Mapped[str] = mapped_column(String(40))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    decided_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))

    @property
    def applied_rules(self) -> list[dict[str, Any]]:
        """Return every rule that applied, the most severe first: `rule`, `color` and the ids of its `evidence`."""
        return [rule_from_column(rule, self.evidence) for rule in self.rules]


class Notice(Base):
    """The notice of a change: always in the inbox, and a message by the first channel that takes it.

    `channel` is that of the last attempt: subscription, official or sms; None before the first, and for old ones.
    `delivery` is the state of the message: waiting, sending, sent, seen (on screen: none was needed), superseded
    (by the notice of a newer change), withheld (the holder is not confirmed), expired, no-subscription, failed or
    unknown. `updated_at` is when it last changed; for `sending`, when a worker took it.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_created_at", "created_at", **_IN_ORDER_OF_TIME),
        Index("ix_notices_waiting", "created_at", postgresql_where=text("delivery = 'waiting'")),
        Index("ix_notices_sms", "msgid", postgresql_where=text("channel = 'sms'")),  # found by the gateway's reports
        Index("ix_notices_official", "msgid", postgresql_where=text("channel = 'official'")),  # and by WeChat's
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, index=True)
    decision_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    delivery: Mapped[str] = mapped_column(String(20), default="waiting")
    error: Mapped[str | None] = mapped_column(String(40))
    msgid: Mapped[str | None] = mapped_column(String(64))
    updated_at: Mapped[datetime | None]
    channel: Mapped[str | None] = mapped_column(String(12))
