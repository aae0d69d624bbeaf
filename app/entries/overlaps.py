"""Overlaps: what an entry repeats, overlaps or contradicts of the existing records, shown before it is saved.

Nothing here rejects an entry: the officer decides.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.models import EvidenceRow
from app.core.db import among
from app.entries.content import OPEN_STATES, EntryKind, NewEntry
from app.entries.models import Entry, EntrySubject

_STATUS = {
    EntryKind.SUSPECTED: "suspected",
    EntryKind.CONFIRMED: "confirmed",
    EntryKind.RULED_OUT: "ruled_out",
    EntryKind.RECOVERED: "recovered",
}


class Overlap(NamedTuple):
    """An overlap of one person: a slug of `overlaps` in texts.toml, and the evidence or entry that overlaps."""

    serial: int
    slug: str
    evidence_id: str | None = None
    entry_id: int | None = None


def find_overlaps(
    session: Session, new_entry: NewEntry, serials: Collection[int], days: Mapping[int, date] | None = None
) -> list[Overlap]:
    """Find every overlap of an entry, by person; `days` are their own days of contact."""
    rows: dict[int, list[EvidenceRow]] = defaultdict(list)
    known = select(EvidenceRow).where(among(EvidenceRow.serial, serials), EvidenceRow.withdrawn_at.is_(None))
    for row in session.scalars(known.order_by(EvidenceRow.at, EvidenceRow.recorded_at, EvidenceRow.id)):
        rows[row.serial].append(row)
    of_person = {serial: replace(new_entry, exposed_on=day) for serial, day in (days or {}).items()}
    found = [
        overlap
        for serial in sorted(serials)
        for overlap in _of_person(of_person.get(serial, new_entry), serial, rows[serial])
    ]
    return [*found, *_find_pending(session, new_entry, serials)]


def _of_person(new_entry: NewEntry, serial: int, rows: Sequence[EvidenceRow]) -> Iterator[Overlap]:
    for row in rows:
        if _is_same(new_entry, row):
            yield Overlap(serial, "same-again", row.id)
        elif (
            new_entry.kind is EntryKind.QUARANTINE and row.kind == "quarantine" and _days_overlap(new_entry, row.facts)
        ):
            yield Overlap(serial, "overlapping-quarantine", row.id)
    diagnoses = [row for row in rows if row.kind == "diagnosis"]
    last = diagnoses[-1] if diagnoses else None
    status = None if last is None else last.facts["status"]
    if new_entry.kind is EntryKind.SUSPECTED and status == "confirmed":
        yield Overlap(serial, "confirmed-already", last.id if last else None)
    if new_entry.kind in (EntryKind.CONTACT, EntryKind.QUARANTINE) and status in ("suspected", "confirmed"):
        yield Overlap(serial, "is-a-case", last.id if last else None)


def _is_same(new_entry: NewEntry, row: EvidenceRow) -> bool:
    facts = row.facts
    if new_entry.kind in _STATUS:
        return (
            row.kind == "diagnosis"
            and facts["status"] == _STATUS[new_entry.kind]
            and row.reference == new_entry.reference
        )
    if new_entry.kind is EntryKind.CONTACT:
        return row.kind == "contact" and facts["exposed_on"] == str(new_entry.exposed_on)
    if new_entry.kind is EntryKind.QUARANTINE:
        days = facts.get("first_day"), facts.get("last_day")
        return row.kind == "quarantine" and days == (str(new_entry.first_day), str(new_entry.last_day))
    return False


def _days_overlap(new_entry: NewEntry, facts: Mapping[str, Any]) -> bool:
    if new_entry.first_day is None or new_entry.last_day is None:
        return False
    first, last = date.fromisoformat(facts["first_day"]), date.fromisoformat(facts["last_day"])
    return new_entry.first_day <= last and first <= new_entry.last_day


def _find_pending(session: Session, new_entry: NewEntry, serials: Collection[int]) -> Iterator[Overlap]:
    rows = (
        select(EntrySubject.serial, Entry.id)
        .join(Entry, Entry.id == EntrySubject.entry_id)
        .where(among(EntrySubject.serial, serials), Entry.kind == new_entry.kind, Entry.state.in_(OPEN_STATES))
        .order_by(EntrySubject.serial, Entry.id)
    )
    for row in session.execute(rows):
        yield Overlap(row.serial, "waiting-already", entry_id=row.id)
