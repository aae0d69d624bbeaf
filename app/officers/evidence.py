"""What health officers record about a person found by a document: contacts, quarantine, diagnoses, releases.

An entry names its authority and the document that it rests on. Nobody enters a color here.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens.accounts import find_or_add
from app.citizens.documents import DocumentType, normalize
from app.citizens.models import Account
from app.clock import BEIJING
from app.codes import ledger
from app.codes.evidence import Entry, new_id
from app.codes.models import Code, EvidenceRow
from app.db import among
from app.errors import FieldError, Problem
from app.rules import Contact, Diagnosis, Evidence, Policy, Quarantine, Release, decide
from app.vault import Vault


class EntryKind(StrEnum):
    """What an officer can record."""

    CONTACT = "contact"
    QUARANTINE = "quarantine"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    RULED_OUT = "ruled-out"
    RECOVERED = "recovered"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What is stated of somebody. Which dates it needs follows from its kind."""

    kind: EntryKind
    authority: str
    reference: str
    exposed_on: date | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerEntry(Stated):
    """One entry as an officer makes it."""

    document_type: DocumentType
    document_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an entry: the person's code, now decided anew, and the evidence's id.

    `over` says that it had ended before it was recorded, and never counts; `new_person` that nothing had been known
    by this document, which a mistyped number looks like.
    """

    code: Code
    evidence_id: str
    over: bool
    new_person: bool


def record(
    session: Session, policy: Policy, vault: Vault, entry: OfficerEntry, *, actor: Actor, now: datetime
) -> Recorded:
    """Write an entry down and let the ledger decide. Raises Problem with every bad field."""
    today = now.astimezone(BEIJING).date()
    number = _checked(entry, today)
    serial = find_or_add(session, vault, entry.document_type, number, now).serial
    new_person = not _known(session, serial)
    releases = _restriction(session, serial, entry.reference) if entry.kind is EntryKind.RELEASE else None
    fact = fact_of(entry, releases, now)
    ledger.record(session, policy, serial, [Entry(fact, entry.authority, entry.reference)], actor=actor, now=now)
    return Recorded(ledger.code_of(session, serial), fact.id, _over(fact, policy, now), new_person)


def _known(session: Session, serial: int) -> bool:
    """Whether the person has an account, or evidence."""
    evidence = select(EvidenceRow.id).filter_by(serial=serial).limit(1)
    return session.get(Account, serial) is not None or session.scalar(evidence) is not None


def _over(fact: Evidence, policy: Policy, now: datetime) -> bool:
    """Whether a contact or quarantine has no day left: by itself it neither runs nor begins."""
    return isinstance(fact, Contact | Quarantine) and decide([fact], policy, now).due_at is None


def _checked(entry: OfficerEntry, today: date) -> str:
    """The normalized document number of an entry whose fields are all in order."""
    wrong: list[FieldError] = []
    number = ""
    try:
        number = normalize(entry.document_type, entry.document_number, today)
    except Problem as problem:
        wrong.extend(problem.fields)
    wrong.extend(wrong_fields(entry, today))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return number


def wrong_fields(entry: Stated, today: date) -> list[FieldError]:
    """Every bad field of an entry, but for the document."""
    wrong = []
    for name in ("authority", "reference"):
        if len(getattr(entry, name).strip()) < 2:
            wrong.append(FieldError(f"/{name}", "required"))
        elif len(getattr(entry, name)) > 80:
            wrong.append(FieldError(f"/{name}", "too-long"))
        elif not getattr(entry, name).isprintable():  # it stands on the citizen's screen
            wrong.append(FieldError(f"/{name}", "invalid"))
    return wrong + _wrong_dates(entry, today)


_NEEDED = {
    EntryKind.CONTACT: ("exposed_on",),
    EntryKind.QUARANTINE: ("first_day", "last_day"),
}


def _wrong_dates(entry: Stated, today: date) -> list[FieldError]:
    wrong = []
    needed = _NEEDED.get(entry.kind, ())
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


def fact_of(entry: Stated, releases: str | None, now: datetime) -> Evidence:
    """The fact that an entry in order states; a release ends the restriction with the id `releases`."""
    match entry.kind:
        case EntryKind.CONTACT:
            assert entry.exposed_on is not None
            return Contact(id=new_id(), at=now, exposed_on=entry.exposed_on)
        case EntryKind.QUARANTINE:
            assert entry.first_day is not None and entry.last_day is not None
            return Quarantine(id=new_id(), at=now, first_day=entry.first_day, last_day=entry.last_day)
        case EntryKind.RELEASE:
            assert releases is not None
            return Release(id=new_id(), at=now, releases=releases)
        case EntryKind.SUSPECTED:
            return Diagnosis(id=new_id(), at=now, status="suspected")
        case EntryKind.CONFIRMED:
            return Diagnosis(id=new_id(), at=now, status="confirmed")
        case EntryKind.RULED_OUT:
            return Diagnosis(id=new_id(), at=now, status="ruled_out")
        case EntryKind.RECOVERED:
            return Diagnosis(id=new_id(), at=now, status="recovered")


def _restriction(session: Session, serial: int, reference: str) -> str:
    found = restrictions_of(session, [serial]).get((serial, reference))
    if found is None:
        raise Problem("evidence-not-found", fields=(FieldError("/reference", "nothing-to-release"),))
    return found


def restrictions_of(session: Session, serials: Collection[int]) -> dict[tuple[int, str], str]:
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
