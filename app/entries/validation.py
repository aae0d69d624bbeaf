"""What a new entry must satisfy, by what is known of its people. Reads only."""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.citizens.lookup import Document, find_many
from app.codes import ledger
from app.core.clock import BEIJING
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem
from app.entries import cases
from app.entries.content import CASE_ENDING_KINDS, CASE_OPENING_KINDS, EntryKind, NewEntry, find_field_errors
from app.entries.models import Case, Entry, EntrySubject
from app.rules.evidence import Facts
from app.staff.context import OfficerContext

URGENT_BLOCK_PERIOD: Final = timedelta(days=7)
_INFECTED_STATUSES: Final = ("suspected", "confirmed")


def validate(context: OfficerContext, new_entry: NewEntry, known: Collection[int]) -> Case | None:
    """Return the case of a contact. Raises Problem with every bad field.

    `known` are the serials of those of its people who have one.
    """
    wrong = find_field_errors(new_entry, context.now.astimezone(BEIJING).date()) + _find_place_errors(new_entry)
    case = None
    if new_entry.kind is EntryKind.CONTACT:
        case = cases.find_case(context.session, new_entry.case or "", context.me)
        if case is None or case.ended_at is not None:
            wrong.append(FieldError("/case", "no-such-case"))
    elif new_entry.case is not None:
        wrong.append(FieldError("/case", "unknown"))
    # with another error, the absence of one about the people would reveal something unseen
    wrong = wrong or _find_people_errors(context, new_entry, known, case)
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return case


def _find_place_errors(new_entry: NewEntry) -> list[FieldError]:
    place = new_entry.place
    if new_entry.kind in (EntryKind.CONTACT, EntryKind.QUARANTINE) and (place is None or len(place.strip()) < 2):
        return [FieldError("/place", "required")]
    if place is not None and (len(place) > 80 or not place.isprintable()):
        return [FieldError("/place", "invalid")]
    return []


def _find_people_errors(
    context: OfficerContext, new_entry: NewEntry, known: Collection[int], case: Case | None
) -> list[FieldError]:
    wrong, kind, number = [], new_entry.kind, len(new_entry.people)
    if not number:
        return [FieldError("/people", "required")]
    if kind in CASE_OPENING_KINDS and number != 1:
        return [FieldError("/people", "one-person")]
    if case is not None and case.serial in known:
        wrong.append(FieldError("/people", "own-contact"))
    if kind in CASE_ENDING_KINDS and len(find_diagnosed(context.session, known, context.now)) != number:
        wrong.append(FieldError("/people", "no-diagnosis"))
    if new_entry.urgent and _was_revoked_recently(context, kind, known):
        wrong.append(FieldError("/urgent", "urgent-before"))
    return wrong


def _was_revoked_recently(context: OfficerContext, kind: EntryKind, serials: Collection[int]) -> bool:
    """Return whether an urgent entry of this kind about one of these people was lately in effect and never approved.

    However it ended: otherwise one officer alone could keep somebody's color by withdrawing and recording again.
    """
    revoked = (
        select(Entry.id)
        .join(EntrySubject, EntrySubject.entry_id == Entry.id)
        .where(
            among(EntrySubject.serial, serials),
            Entry.kind == kind,
            Entry.approve_until.is_not(None),
            Entry.state.in_(("lapsed", "rejected", "withdrawn")),
            Entry.resolved_at > context.now - URGENT_BLOCK_PERIOD,
        )
    )
    return context.session.scalar(revoked.limit(1)) is not None


# --- what is known of people --------------------------------------------------------------------------------------


def find_serials(
    session: Session, encryption: FieldEncryption, people: Collection[int | Document]
) -> dict[int | Document, int]:
    """Return the serials of those who are known; who is named by a serial is taken for known."""
    documents = [person for person in people if not isinstance(person, int)]
    hashes = {encryption.fingerprint(f"document:{kind}", number): (kind, number) for kind, number in documents}
    serials: dict[int | Document, int] = {person: person for person in people if isinstance(person, int)}
    return serials | {hashes[hash_]: serial for hash_, serial in find_many(session, hashes).items()}


def find_diagnosed(session: Session, serials: Collection[int], now: datetime) -> set[int]:
    """Return those of these people whose latest diagnosis that was not withdrawn is suspected or confirmed."""
    diagnoses = _load_diagnoses(session, serials, now)
    return {serial for serial, found in diagnoses.items() if found and found[-1] in _INFECTED_STATUSES}


def find_undiagnosed(session: Session, serials: Collection[int], now: datetime) -> set[int]:
    """Return those of these people who have no suspected or confirmed diagnosis that was not ruled out later."""

    def is_infected(found: list[str]) -> bool:
        since = takewhile(lambda status: status != "ruled_out", reversed(found))
        return any(status in _INFECTED_STATUSES for status in since)

    return {serial for serial, found in _load_diagnoses(session, serials, now).items() if not is_infected(found)}


def _load_diagnoses(session: Session, serials: Collection[int], now: datetime) -> dict[int, list[str]]:
    """Return the diagnoses of each person that were not withdrawn, in the order in which the rules read them."""
    evidence = ledger.load_evidence_many(session, serials)
    return {serial: [fact.status for fact in Facts(evidence.get(serial, ()), now).diagnoses] for serial in serials}
