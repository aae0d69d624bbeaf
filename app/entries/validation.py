"""What officers may propose: the kinds, the words for refusing and releasing, and what a draft must hold to.

Reads what is known of people, and writes nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import BEIJING
from app.core.db import among
from app.core.errors import FieldError, Problem
from app.entries import cases
from app.entries.content import EntryContent, EntryKind, find_diagnosed, find_field_errors
from app.entries.models import Case, Entry, EntrySubject
from app.staff.models import Officer

URGENT_BLOCK_PERIOD = timedelta(days=7)  # what fell without approval is not urgent a second time
OPEN_STATES = ("waiting", "held", "urgent")  # not settled yet
NOT_APPROVED, CASE_RULED_OUT = "not-approved", "case-ruled-out"

RISK_LOWERING_KINDS = frozenset({EntryKind.RELEASE, EntryKind.RULED_OUT, EntryKind.RECOVERED})
CASE_OPENING_KINDS = (EntryKind.SUSPECTED, EntryKind.CONFIRMED)
_CASE_ENDING_KINDS = (EntryKind.RULED_OUT, EntryKind.RECOVERED)


class ClearanceReason(StrEnum):
    """Why an auditor lets what was held go on: grounds of public health, and no others."""

    OUTBREAK = "outbreak"  # a cluster that the centre for disease control has confirmed
    TRACING = "tracing"  # the contacts of one case, traced by its centre
    ARRIVALS = "arrivals"  # travellers from a place with an outbreak, under an order
    SCREENING = "screening"  # results of a screening by a named laboratory


class RejectionReason(StrEnum):
    """Why a proposal is refused or taken back."""

    WRONG_PERSON = "wrong-person"
    WRONG_FACTS = "wrong-facts"
    NO_DOCUMENT = "no-document"
    NOT_HEALTH = "not-health"  # it has nothing to do with public health
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry(EntryContent):
    """What is proposed of one or many people: what is stated, where it happened, and for a contact of whose case."""

    place: str | None = None
    case: str | None = None
    urgent: bool = False


def validate(
    session: Session, officer: Officer, new_entry: NewEntry, people: int, known: Collection[int], now: datetime
) -> Case | None:
    """The case of a contact. Raises Problem with every bad field; `known` are those of the people who have a serial."""
    wrong = find_field_errors(new_entry, now.astimezone(BEIJING).date())
    if not people:
        wrong.append(FieldError("/people", "required"))
    needs_place = new_entry.kind in (EntryKind.CONTACT, EntryKind.QUARANTINE)
    if needs_place and (new_entry.place is None or len(new_entry.place.strip()) < 2):
        wrong.append(FieldError("/place", "required"))
    elif new_entry.place is not None and (len(new_entry.place) > 80 or not new_entry.place.isprintable()):
        wrong.append(FieldError("/place", "invalid"))
    case = None
    if new_entry.kind is EntryKind.CONTACT:
        case = cases.find_case(session, new_entry.case or "", officer)
        if case is None or case.ended_at is not None:
            wrong.append(FieldError("/case", "no-such-case"))
        elif case.serial in known:
            wrong.append(FieldError("/people", "own-contact"))
    elif new_entry.case is not None:
        wrong.append(FieldError("/case", "unknown"))
    if new_entry.kind in CASE_OPENING_KINDS and people != 1:
        wrong.append(FieldError("/people", "one-person"))
    if new_entry.kind in _CASE_ENDING_KINDS and len(find_diagnosed(session, known, now)) != people:
        wrong.append(FieldError("/people", "no-diagnosis"))
    if new_entry.urgent and _was_revoked_recently(session, new_entry.kind, known, now):
        wrong.append(FieldError("/urgent", "urgent-before"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return case


def _was_revoked_recently(session: Session, kind: EntryKind, serials: Collection[int], now: datetime) -> bool:
    """Whether an urgent entry of the kind about one of these people has counted lately, and fell without approval.

    However it fell: otherwise one officer alone could hold somebody's color by taking back and entering again.
    """
    fallen = (
        select(Entry.id)
        .join(EntrySubject, EntrySubject.entry_id == Entry.id)
        .where(
            among(EntrySubject.serial, serials),
            Entry.kind == kind,
            Entry.approve_until.is_not(None),
            Entry.state.in_(("lapsed", "rejected", "withdrawn")),
            Entry.resolved_at > now - URGENT_BLOCK_PERIOD,
        )
    )
    return session.scalar(fallen.limit(1)) is not None
