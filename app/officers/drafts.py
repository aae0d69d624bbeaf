"""What officers may propose: the kinds, the words for refusing and releasing, and what a draft must hold to.

Reads what is known of people, and writes nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import BEIJING
from app.db import among
from app.errors import FieldError, Problem
from app.officers import cases
from app.officers.evidence import EntryKind, Stated, diagnosed, wrong_fields
from app.officers.models import Case, Concerned, Officer, Proposal

NOT_AGAIN_FOR = timedelta(days=7)  # what fell without approval is not urgent a second time
OPEN = ("waiting", "held", "urgent")  # not settled yet
NOT_APPROVED, CASE_RULED_OUT = "not-approved", "case-ruled-out"

MILDER = frozenset({EntryKind.RELEASE, EntryKind.RULED_OUT, EntryKind.RECOVERED})
INFECTED = (EntryKind.SUSPECTED, EntryKind.CONFIRMED)
_END_INFECTION = (EntryKind.RULED_OUT, EntryKind.RECOVERED)


class Release(StrEnum):
    """Why an auditor lets what was held go on: grounds of public health, and no others."""

    OUTBREAK = "outbreak"  # a cluster that the centre for disease control has confirmed
    TRACING = "tracing"  # the contacts of one case, traced by its centre
    ARRIVALS = "arrivals"  # travellers from a place with an outbreak, under an order
    SCREENING = "screening"  # results of a screening by a named laboratory


class Refusal(StrEnum):
    """Why a proposal is refused or taken back."""

    WRONG_PERSON = "wrong-person"
    WRONG_FACTS = "wrong-facts"
    NO_DOCUMENT = "no-document"
    NOT_HEALTH = "not-health"  # it has nothing to do with public health
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Stated):
    """What is proposed of one or many people: what is stated, where it happened, and for a contact of whose case."""

    place: str | None = None
    case: str | None = None
    urgent: bool = False


def check(
    session: Session, officer: Officer, draft: Draft, people: int, known: Collection[int], now: datetime
) -> Case | None:
    """The case of a contact. Raises Problem with every bad field; `known` are those of the people who have a serial."""
    wrong = wrong_fields(draft, now.astimezone(BEIJING).date())
    if not people:
        wrong.append(FieldError("/people", "required"))
    needs_place = draft.kind in (EntryKind.CONTACT, EntryKind.QUARANTINE)
    if needs_place and (draft.place is None or len(draft.place.strip()) < 2):
        wrong.append(FieldError("/place", "required"))
    elif draft.place is not None and (len(draft.place) > 80 or not draft.place.isprintable()):
        wrong.append(FieldError("/place", "invalid"))
    case = None
    if draft.kind is EntryKind.CONTACT:
        case = cases.find(session, draft.case or "", officer)
        if case is None or case.ended_at is not None:
            wrong.append(FieldError("/case", "no-such-case"))
        elif case.serial in known:
            wrong.append(FieldError("/people", "own-contact"))
    elif draft.case is not None:
        wrong.append(FieldError("/case", "unknown"))
    if draft.kind in INFECTED and people != 1:
        wrong.append(FieldError("/people", "one-person"))
    if draft.kind in _END_INFECTION and len(diagnosed(session, known, now)) != people:
        wrong.append(FieldError("/people", "no-diagnosis"))
    if draft.urgent and _fell_before(session, draft.kind, known, now):
        wrong.append(FieldError("/urgent", "urgent-before"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return case


def _fell_before(session: Session, kind: EntryKind, serials: Collection[int], now: datetime) -> bool:
    """Whether an urgent entry of the kind about one of these people has counted lately, and fell without approval.

    However it fell: otherwise one officer alone could hold somebody's color by taking back and entering again.
    """
    fallen = (
        select(Proposal.id)
        .join(Concerned, Concerned.proposal_id == Proposal.id)
        .where(
            among(Concerned.serial, serials),
            Proposal.kind == kind,
            Proposal.approve_until.is_not(None),
            Proposal.state.in_(("lapsed", "refused", "taken-back")),
            Proposal.settled_at > now - NOT_AGAIN_FOR,
        )
    )
    return session.scalar(fallen.limit(1)) is not None
