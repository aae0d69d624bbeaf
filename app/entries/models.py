"""Tables of cases, entries and entry subjects."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Uuid, and_
from sqlalchemy.orm import Mapped, mapped_column

from app.codes.models import EvidenceRow
from app.core.db import Base


class Case(Base):
    """A person with a suspected or confirmed infection, to whom contacts point.

    `ended_at` is when it was ruled out; then everything that rests on it has ended too. `ended_by` is the entry that
    ruled it out, if one did, and `freed` the number of its contacts, also of those who waited.
    """

    __tablename__ = "cases"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    number: Mapped[str] = mapped_column(String(100), unique=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id", use_alter=True), index=True)
    district: Mapped[str | None] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("entries.id", use_alter=True), index=True)
    freed: Mapped[int | None]


class Entry(Base):
    """A record about one person or many, and its state: see `transitions.py`.

    `alarm` is why it was held, or shown to an auditor; `approve_until` is when an urgent one lapses without approval.
    Alarms compare the folded names (`alarms.folding`); of entries that an older release recorded they may be empty.
    """

    __tablename__ = "entries"
    __table_args__ = (
        Index("ix_entries_recorder", "recorder_id", "recorded_at"),
        Index("ix_entries_state", "state", "recorded_at"),
        Index("ix_entries_place", "district", "place_folded", "recorded_at"),
        Index("ix_entries_authority", "district", "authority_folded", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str] = mapped_column(String(80))
    reference: Mapped[str] = mapped_column(String(80))
    exposed_on: Mapped[date | None]
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    place: Mapped[str | None] = mapped_column(String(80))
    authority_folded: Mapped[str | None] = mapped_column(String(80))
    place_folded: Mapped[str | None] = mapped_column(String(80))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    people: Mapped[int]
    district: Mapped[str | None] = mapped_column(String(40))
    recorder_id: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    recorded_at: Mapped[datetime]
    urgent: Mapped[bool]
    state: Mapped[str] = mapped_column(String(12))
    alarm: Mapped[str | None] = mapped_column(String(40))
    cleared_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    clearance_reason: Mapped[str | None] = mapped_column(String(40))
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    resolved_at: Mapped[datetime | None]
    resolution_reason: Mapped[str | None] = mapped_column(String(40))
    approve_until: Mapped[datetime | None]


class EntrySubject(Base):
    """A person of an entry, and the evidence that the entry made of them once in effect.

    `exposed_on` is their own last day of contact, if they have one; the entry has the latest of all. `line` is the
    number of their line in the list that was brought.
    """

    __tablename__ = "entry_subjects"

    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), primary_key=True, index=True)
    evidence_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False), index=True)
    exposed_on: Mapped[date | None]
    line: Mapped[int | None]


MADE_EVIDENCE = and_(EvidenceRow.serial == EntrySubject.serial, EvidenceRow.id == EntrySubject.evidence_id)


class SignedList(Base):
    """A list that officers have signed at the command line, with those of its people whom it newly restricts.

    An auditor signs too where these are too many; then they do not count against later lists.
    """

    __tablename__ = "signed_lists"
    __table_args__ = (Index("ix_signed_lists_signed_at", "signed_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    recorder_id: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    approver_id: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    auditor_id: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    district: Mapped[str | None] = mapped_column(String(40))
    signed_at: Mapped[datetime]
    restricted: Mapped[int]
