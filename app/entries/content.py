"""The content of entries: contacts, quarantines, diagnoses and releases, and the reasons that go with them. Pure.

An entry names its authority and the document that it rests on. Nobody enters a color.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from app.citizens.lookup import Document
from app.codes.evidence import dedup_key_of, new_id
from app.core.errors import FieldError
from app.rules import Contact, Diagnosis, EntryDays, Evidence, Policy, Quarantine, Release, decide

People = Mapping[int | Document, date | None]  # by serial or document, some with a last day of contact of their own


class EntryKind(StrEnum):
    """The kinds of entries."""

    CONTACT = "contact"
    QUARANTINE = "quarantine"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    RULED_OUT = "ruled-out"
    RECOVERED = "recovered"
    RELEASE = "release"


DIAGNOSIS_KINDS: Final = frozenset({EntryKind.SUSPECTED, EntryKind.CONFIRMED, EntryKind.RULED_OUT, EntryKind.RECOVERED})
RISK_LOWERING_KINDS: Final = frozenset({EntryKind.RELEASE, EntryKind.RULED_OUT, EntryKind.RECOVERED})
CASE_OPENING_KINDS: Final = (EntryKind.SUSPECTED, EntryKind.CONFIRMED)
CASE_ENDING_KINDS: Final = (EntryKind.RULED_OUT, EntryKind.RECOVERED)

OPEN_STATES: Final = ("waiting", "held", "urgent")  # not resolved yet
IN_EFFECT_STATES: Final = ("applied", "urgent")
# reasons that the system gives
NOT_APPROVED, CASE_RULED_OUT, BASIS_ENDED = "not-approved", "case-ruled-out", "basis-ended"
CASE_ENDED: Final = "case-ended"  # the audit's action


class ClearanceReason(StrEnum):
    """Why an auditor clears a hold: reasons of public health, and no others."""

    OUTBREAK = "outbreak"  # a cluster that the centre for disease control has confirmed
    TRACING = "tracing"  # the contacts of one case, traced by its centre
    ARRIVALS = "arrivals"  # travellers from a place with an outbreak, under an order
    SCREENING = "screening"  # results of a screening by a named laboratory


class RejectionReason(StrEnum):
    """Why an entry is rejected or withdrawn."""

    WRONG_PERSON = "wrong-person"
    WRONG_FACTS = "wrong-facts"
    NO_DOCUMENT = "no-document"
    NOT_HEALTH = "not-health"  # it has nothing to do with public health
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryContent:
    """What is recorded of somebody. Which dates it needs follows from its kind."""

    kind: EntryKind
    authority: str
    reference: str
    exposed_on: date | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry(EntryContent):
    """An entry that is not saved yet: its content, its place, for a contact the case, and its people.

    `lines` are the numbers of the lines in which they were given.
    """

    place: str | None = None
    case: str | None = None
    urgent: bool = False
    people: People = field(default_factory=dict, repr=False)  # never in a log or a traceback
    lines: Mapping[int | Document, int] = field(default_factory=dict, repr=False)


def is_past(content: EntryContent, policy: Policy, now: datetime) -> bool:
    """Return whether a valid contact or quarantine was over before it was recorded, so that it changes nothing."""
    if content.kind not in (EntryKind.CONTACT, EntryKind.QUARANTINE):
        return False
    return decide([fact_of(content, None, now)], policy, now).due_at is None


def find_field_errors(content: EntryContent, today: date, limits: EntryDays) -> list[FieldError]:
    """Return every bad field of the content of an entry; `limits` say which days are plausible."""
    wrong = []
    for name in ("authority", "reference"):
        if len(given := getattr(content, name).strip()) < 2:
            wrong.append(FieldError(f"/{name}", "too-short" if given else "required"))
        elif len(getattr(content, name)) > 80:
            wrong.append(FieldError(f"/{name}", "too-long"))
        elif not getattr(content, name).isprintable():  # the citizen's screen shows it
            wrong.append(FieldError(f"/{name}", "invalid"))
    return wrong + (_find_date_errors(content, today) or _find_implausible_dates(content, today, limits))


_REQUIRED_DATES = {
    EntryKind.CONTACT: ("exposed_on",),
    EntryKind.QUARANTINE: ("first_day", "last_day"),
}


def _find_date_errors(content: EntryContent, today: date) -> list[FieldError]:
    wrong = []
    needed = _REQUIRED_DATES.get(content.kind, ())
    for name in ("exposed_on", "first_day", "last_day"):
        if name in needed and getattr(content, name) is None:
            wrong.append(FieldError(f"/{name}", "required"))
        if name not in needed and getattr(content, name) is not None:
            wrong.append(FieldError(f"/{name}", "unknown"))
    if content.exposed_on and content.exposed_on > today:
        wrong.append(FieldError("/exposed_on", "date-in-future"))
    if content.first_day and content.last_day and content.last_day < content.first_day:
        wrong.append(FieldError("/last_day", "date-order"))
    return wrong


def _find_implausible_dates(content: EntryContent, today: date, limits: EntryDays) -> list[FieldError]:
    """Return the days that are too far from today, or from each other, to be anything but a mistake."""
    wrong, oldest = [], today - timedelta(days=limits.past_days)
    if content.exposed_on and content.exposed_on < oldest:
        wrong.append(FieldError("/exposed_on", "day-too-old"))
    if content.last_day and content.last_day < oldest:
        wrong.append(FieldError("/last_day", "day-too-old"))
    if content.first_day and content.first_day > today + timedelta(days=limits.ahead_days):
        wrong.append(FieldError("/first_day", "day-too-far"))
    if content.first_day and content.last_day and (content.last_day - content.first_day).days >= limits.order_days:
        wrong.append(FieldError("/last_day", "order-too-long"))
    return wrong


def finding_key(content: EntryContent, releases: str | None = None) -> str:
    """Return the key by which a line of a list is recognized when it is imported again."""
    said = content.kind, content.authority, content.reference, content.exposed_on, content.first_day, content.last_day
    return dedup_key_of(*said, *([releases] if releases else []))


def fact_of(content: EntryContent, restriction_id: str | None, now: datetime) -> Evidence:
    """Return the fact that valid content records; a release ends the restriction with this id."""
    match content.kind:
        case EntryKind.CONTACT:
            assert content.exposed_on is not None
            return Contact(id=new_id(), at=now, exposed_on=content.exposed_on)
        case EntryKind.QUARANTINE:
            assert content.first_day is not None and content.last_day is not None
            return Quarantine(id=new_id(), at=now, first_day=content.first_day, last_day=content.last_day)
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
