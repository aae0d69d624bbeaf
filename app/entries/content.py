"""What health officers state about people: contacts, quarantine, diagnoses, releases.

It comes to count as a proposal of two officers (proposals.py) or in a list that two sign for (importing.py), and names
its authority and the document that it rests on. Nobody enters a color here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import takewhile

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes import ledger
from app.codes.evidence import new_id
from app.codes.models import EvidenceRow
from app.core.db import among
from app.core.errors import FieldError
from app.rules import Contact, Diagnosis, Evidence, Policy, Quarantine, Release, decide
from app.rules.evidence import Facts


class EntryKind(StrEnum):
    """What an officer can record."""

    CONTACT = "contact"
    QUARANTINE = "quarantine"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    RULED_OUT = "ruled-out"
    RECOVERED = "recovered"
    RELEASE = "release"


DIAGNOSIS_KINDS = frozenset({EntryKind.SUSPECTED, EntryKind.CONFIRMED, EntryKind.RULED_OUT, EntryKind.RECOVERED})
_INFECTED_STATUSES = ("suspected", "confirmed")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryContent:
    """What is stated of somebody. Which dates it needs follows from its kind."""

    kind: EntryKind
    authority: str
    reference: str
    exposed_on: date | None = None
    first_day: date | None = None
    last_day: date | None = None


def is_past(entry: EntryContent, policy: Policy, now: datetime) -> bool:
    """Whether a contact or quarantine in order has no day left: by itself it neither runs nor begins."""
    if entry.kind not in (EntryKind.CONTACT, EntryKind.QUARANTINE):
        return False
    return decide([fact_of(entry, None, now)], policy, now).due_at is None


def find_field_errors(entry: EntryContent, today: date) -> list[FieldError]:
    """Every bad field of an entry, but for the document."""
    wrong = []
    for name in ("authority", "reference"):
        if len(getattr(entry, name).strip()) < 2:
            wrong.append(FieldError(f"/{name}", "required"))
        elif len(getattr(entry, name)) > 80:
            wrong.append(FieldError(f"/{name}", "too-long"))
        elif not getattr(entry, name).isprintable():  # it stands on the citizen's screen
            wrong.append(FieldError(f"/{name}", "invalid"))
    return wrong + _find_date_errors(entry, today)


_REQUIRED_DATES = {
    EntryKind.CONTACT: ("exposed_on",),
    EntryKind.QUARANTINE: ("first_day", "last_day"),
}


def _find_date_errors(entry: EntryContent, today: date) -> list[FieldError]:
    wrong = []
    needed = _REQUIRED_DATES.get(entry.kind, ())
    for name in ("exposed_on", "first_day", "last_day"):
        if name in needed and getattr(entry, name) is None:
            wrong.append(FieldError(f"/{name}", "required"))
        if name not in needed and getattr(entry, name) is not None:
            wrong.append(FieldError(f"/{name}", "unknown"))
    if entry.exposed_on and entry.exposed_on > today:
        wrong.append(FieldError("/exposed_on", "date-in-future"))
    if entry.first_day and entry.last_day and entry.last_day < entry.first_day:
        wrong.append(FieldError("/last_day", "date-order"))
    return wrong


def fact_of(entry: EntryContent, restriction_id: str | None, now: datetime) -> Evidence:
    """The fact that an entry in order states; a release ends the restriction with the id `releases`."""
    match entry.kind:
        case EntryKind.CONTACT:
            assert entry.exposed_on is not None
            return Contact(id=new_id(), at=now, exposed_on=entry.exposed_on)
        case EntryKind.QUARANTINE:
            assert entry.first_day is not None and entry.last_day is not None
            return Quarantine(id=new_id(), at=now, first_day=entry.first_day, last_day=entry.last_day)
        case EntryKind.RELEASE:
            assert restriction_id is not None
            return Release(id=new_id(), at=now, releases=restriction_id)
        case EntryKind.SUSPECTED:
            return Diagnosis(id=new_id(), at=now, status="suspected")
        case EntryKind.CONFIRMED:
            return Diagnosis(id=new_id(), at=now, status="confirmed")
        case EntryKind.RULED_OUT:
            return Diagnosis(id=new_id(), at=now, status="ruled_out")
        case EntryKind.RECOVERED:
            return Diagnosis(id=new_id(), at=now, status="recovered")


def find_restrictions(session: Session, serials: Collection[int]) -> dict[tuple[int, str], str]:
    """What a release can end, by person and document reference: the newest contact or quarantine of each."""
    rows = (
        select(EvidenceRow.serial, EvidenceRow.reference, EvidenceRow.id)
        .where(
            among(EvidenceRow.serial, serials),
            EvidenceRow.kind.in_(("contact", "quarantine")),
            EvidenceRow.withdrawn_at.is_(None),
        )
        .order_by(EvidenceRow.recorded_at)
    )
    return {(row.serial, row.reference): row.id for row in session.execute(rows)}  # the newest is set last


def find_diagnosed(session: Session, serials: Collection[int], now: datetime) -> set[int]:
    """Those of these people whose latest standing diagnosis is suspected or confirmed."""
    return {
        serial
        for serial, found in _load_diagnoses(session, serials, now).items()
        if found[-1:] and found[-1] in _INFECTED_STATUSES
    }


def find_undiagnosed(session: Session, serials: Collection[int], now: datetime) -> set[int]:
    """Those of these people who have no standing diagnosis, suspected or confirmed, that was not ruled out later."""
    return {
        serial
        for serial, found in _load_diagnoses(session, serials, now).items()
        if not any(
            status in _INFECTED_STATUSES for status in takewhile(lambda status: status != "ruled_out", reversed(found))
        )
    }


def _load_diagnoses(session: Session, serials: Collection[int], now: datetime) -> dict[int, list[str]]:
    """What was found about each of these people and stands, in the order in which the rules read it."""
    evidence = ledger.load_evidence_many(session, serials)
    return {serial: [fact.status for fact in Facts(evidence.get(serial, ()), now).diagnoses] for serial in serials}
