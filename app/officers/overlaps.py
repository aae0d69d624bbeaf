"""What is known about the people of an entry, shown before it is saved: what it repeats, overlaps or contradicts.

Nothing here refuses: the officer looks and decides.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.models import EvidenceRow
from app.db import among
from app.officers.drafts import OPEN, Draft
from app.officers.evidence import EntryKind
from app.officers.models import Concerned, Proposal

_STATUS = {
    EntryKind.SUSPECTED: "suspected",
    EntryKind.CONFIRMED: "confirmed",
    EntryKind.RULED_OUT: "ruled_out",
    EntryKind.RECOVERED: "recovered",
}


class Overlap(NamedTuple):
    """What is found about one person: a slug of `overlaps` in texts.toml, and the evidence or proposal meant."""

    serial: int
    slug: str
    evidence_id: str | None = None
    proposal_id: int | None = None


def find(
    session: Session, draft: Draft, serials: Collection[int], days: Mapping[int, date] | None = None
) -> list[Overlap]:
    """Everything that an officer should see before an entry is saved, by person; `days` are own days of contact."""
    rows: dict[int, list[EvidenceRow]] = defaultdict(list)
    known = select(EvidenceRow).where(among(EvidenceRow.serial, serials), EvidenceRow.withdrawn_at.is_(None))
    for row in session.scalars(known.order_by(EvidenceRow.at, EvidenceRow.recorded_at)):
        rows[row.serial].append(row)
    drafts = {serial: replace(draft, exposed_on=day) for serial, day in (days or {}).items()}
    found = [
        overlap for serial in sorted(serials) for overlap in _of_person(drafts.get(serial, draft), serial, rows[serial])
    ]
    return [*found, *_waiting(session, draft, serials)]


def _of_person(draft: Draft, serial: int, rows: Sequence[EvidenceRow]) -> Iterator[Overlap]:
    for row in rows:
        if _is_same(draft, row):
            yield Overlap(serial, "same-again", row.id)
        elif draft.kind is EntryKind.QUARANTINE and row.kind == "quarantine" and _days_overlap(draft, row.facts):
            yield Overlap(serial, "overlapping-quarantine", row.id)
    diagnoses = [row for row in rows if row.kind == "diagnosis"]
    last = diagnoses[-1] if diagnoses else None
    status = None if last is None else last.facts["status"]
    if draft.kind is EntryKind.SUSPECTED and status == "confirmed":
        yield Overlap(serial, "confirmed-already", last.id if last else None)
    if draft.kind in (EntryKind.CONTACT, EntryKind.QUARANTINE) and status in ("suspected", "confirmed"):
        yield Overlap(serial, "is-a-case", last.id if last else None)


def _is_same(draft: Draft, row: EvidenceRow) -> bool:
    facts = row.facts
    if draft.kind in _STATUS:
        return row.kind == "diagnosis" and facts["status"] == _STATUS[draft.kind] and row.reference == draft.reference
    if draft.kind is EntryKind.CONTACT:
        return row.kind == "contact" and facts["exposed_on"] == str(draft.exposed_on)
    if draft.kind is EntryKind.QUARANTINE:
        days = facts.get("first_day"), facts.get("last_day")
        return row.kind == "quarantine" and days == (str(draft.first_day), str(draft.last_day))
    return False


def _days_overlap(draft: Draft, facts: Mapping[str, Any]) -> bool:
    if draft.first_day is None or draft.last_day is None:
        return False
    first, last = date.fromisoformat(facts["first_day"]), date.fromisoformat(facts["last_day"])
    return draft.first_day <= last and first <= draft.last_day


def _waiting(session: Session, draft: Draft, serials: Collection[int]) -> Iterator[Overlap]:
    rows = (
        select(Concerned.serial, Proposal.id)
        .join(Proposal, Proposal.id == Concerned.proposal_id)
        .where(among(Concerned.serial, serials), Proposal.kind == draft.kind, Proposal.state.in_(OPEN))
        .order_by(Concerned.serial, Proposal.id)
    )
    for row in session.execute(rows):
        yield Overlap(row.serial, "waiting-already", proposal_id=row.id)
