"""What a new entry must satisfy, by what is known of its people. Reads only."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Interval, and_, literal, not_, or_, select
from sqlalchemy.orm import Session

from app.citizens.lookup import Document, find_many, hash_of
from app.codes import ledger
from app.core.clock import BEIJING
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem
from app.entries import cases
from app.entries.content import CASE_ENDING_KINDS, CASE_OPENING_KINDS, EntryKind, NewEntry, find_field_errors
from app.entries.models import Case, Entry, EntrySubject
from app.entries.unapproved import INFECTED_STATUSES, is_diagnosed, list_diagnoses
from app.staff.context import OfficerContext

URGENT_BLOCK_PERIOD: Final = timedelta(days=7)
URGENT_WITHDRAWAL_PERIOD: Final = timedelta(hours=1)  # after which an urgent entry has kept a color


def validate(context: OfficerContext, new_entry: NewEntry, known: Collection[int]) -> Case | None:
    """Return the case of a contact. Raises Problem with every bad field.

    `known` are the serials of those of its people who have one.
    """
    case = validate_content(context, new_entry)
    # with another error, the absence of one about the people would reveal something unseen
    if wrong := _find_people_errors(context, new_entry, known, case):
        raise Problem("invalid-request", fields=tuple(wrong))
    return case


def validate_content(context: OfficerContext, new_entry: NewEntry) -> Case | None:
    """Return the case of a contact. Raises Problem with every bad field but those about its people."""
    limits, today = context.policy.entry_days_at(context.now), context.now.astimezone(BEIJING).date()
    wrong = find_field_errors(new_entry, today, limits) + _find_place_errors(new_entry)
    case = None
    if new_entry.kind is EntryKind.CONTACT:
        case = cases.find_case(context.session, new_entry.case or "", context.me)
        if case is None or case.ended_at is not None:
            wrong.append(FieldError("/case", "no-such-case"))
    elif new_entry.case is not None:
        wrong.append(FieldError("/case", "unknown"))
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
    if kind in CASE_ENDING_KINDS and len(find_infected(context.session, known, context.now)) != number:
        wrong.append(FieldError("/people", "no-diagnosis"))
    if new_entry.urgent and _was_urgent_recently(context, known):
        wrong.append(FieldError("/urgent", "urgent-before"))
    return wrong


def _was_urgent_recently(context: OfficerContext, serials: Collection[int]) -> bool:
    """Return whether an urgent entry about one of these people, of any kind, was lately in effect and never approved.

    However it ended, and while it still is: otherwise one officer alone could keep somebody's color by entering
    something else, or by withdrawing and recording again. Who withdraws their own at once bars themselves only:
    otherwise one officer alone could keep all others from being quick.
    """
    withdrawn_at_once = and_(
        Entry.state == "withdrawn",
        Entry.resolved_at < Entry.recorded_at + literal(URGENT_WITHDRAWAL_PERIOD, Interval()),
    )
    urgent = (
        select(Entry.id)
        .join(EntrySubject, EntrySubject.entry_id == Entry.id)
        .where(
            among(EntrySubject.serial, serials),
            Entry.approve_until.is_not(None),
            Entry.state != "applied",
            Entry.recorded_at > context.now - URGENT_BLOCK_PERIOD,
            or_(Entry.recorder_id == context.me.id, not_(withdrawn_at_once)),
        )
    )
    return context.session.scalar(urgent.limit(1)) is not None


# --- what is known of people --------------------------------------------------------------------------------------


def find_serials(
    session: Session, encryption: FieldEncryption, people: Collection[int | Document]
) -> dict[int | Document, int]:
    """Return the serials of those who are known; who is named by a serial is taken for known."""
    documents = [person for person in people if not isinstance(person, int)]
    hashes = {hash_of(encryption, document): document for document in documents}
    serials: dict[int | Document, int] = {person: person for person in people if isinstance(person, int)}
    return serials | {hashes[hash_]: serial for hash_, serial in find_many(session, hashes).items()}


def find_infected(session: Session, serials: Collection[int], now: datetime) -> set[int]:
    """Return those of these people whose latest diagnosis that was not withdrawn is suspected or confirmed."""
    evidence = ledger.load_evidence_many(session, serials)
    found = {serial: list_diagnoses(evidence.get(serial, ()), now) for serial in serials}
    return {serial for serial, diagnoses in found.items() if diagnoses and diagnoses[-1].status in INFECTED_STATUSES}


def find_undiagnosed(session: Session, serials: Collection[int], now: datetime) -> set[int]:
    """Return those of these people who have no suspected or confirmed diagnosis that was not ruled out later."""
    evidence = ledger.load_evidence_many(session, serials)
    return {serial for serial in serials if not is_diagnosed(evidence.get(serial, ()), now)}
