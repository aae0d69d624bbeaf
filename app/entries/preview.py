"""What an officer sees of the people of an entry: masked, with the color of now, and what the entry would change.

Each look at a person is written down before it is shown. Nothing here decides.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AccessReason, Actor, RecordPart
from app.citizens.accounts import Document, find_or_add_many
from app.citizens.documents import mask_number
from app.citizens.models import Citizen
from app.codes.models import Code
from app.codes.states import State
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.core.suppression import SUPPRESSION_THRESHOLD
from app.entries import effects, overlaps, workflow
from app.entries.lists import ListLine, find_serials
from app.entries.models import Entry, EntrySubject
from app.entries.overlaps import Overlap
from app.entries.validation import NewEntry
from app.rules import Policy
from app.runtime import Services
from app.staff.models import Officer, Role

MAX_SHOWN = 50  # people on a page
# refusals that say something of the people of an entry
_REVEALING_ERRORS = frozenset({"own-contact", "nothing-to-release", "no-diagnosis", "urgent-before"})

ContactDates = Mapping[Document, date | None]  # the people of an entry, some with a last day of contact of their own


class MaskedPerson(NamedTuple):
    """Somebody on a page: masked, with the color of now, and what is known that the officer should see."""

    number: str
    color: str
    found: Sequence[Overlap] = ()
    day: date | None = None


class PeoplePreview(NamedTuple):
    """What is known of the people of an entry: how many they are, how many new, and how many with something noted."""

    people: Sequence[MaskedPerson]
    number: int
    new: int
    noted: int


def preview_people(
    session: Session,
    officer: Officer,
    new_entry: NewEntry,
    days: ContactDates,
    known: Mapping[int | Document, int],
    now: datetime,
) -> PeoplePreview:
    """The people of an entry before it is saved, those first about whom there is something to see."""
    own = {known[document]: day for document, day in days.items() if document in known and day is not None}
    found: dict[int, list[Overlap]] = {}
    for overlap in overlaps.find_overlaps(session, new_entry, list(known.values()), own):
        found.setdefault(overlap.serial, []).append(overlap)
    documents = sorted(days, key=lambda document: known.get(document, 0) not in found)
    people = []
    for document in documents[:MAX_SHOWN]:
        serial, color = known.get(document), ""
        if serial is not None:
            _record_access(session, officer, Role.RECORDER, serial, now)
            color = State(session.get_one(Code, serial).state).name
        people.append(MaskedPerson(mask_number(document[1]), color, found.get(serial or 0, ()), days[document]))
    return PeoplePreview(people, len(days), len(days) - len(known), len(found))


def preview_changes(
    session: Session,
    policy: Policy,
    encryption: FieldEncryption,
    officer: Officer,
    new_entry: NewEntry,
    days: ContactDates,
    now: datetime,
) -> Counter[tuple[State, State]]:
    """How many codes an entry would turn from which state to which. The caller takes the transaction back."""
    serials, _ = find_or_add_many(session, encryption, list(days), now)
    people = {serials[document]: day for document, day in days.items()}
    return workflow.preview_changes(session, policy, officer, new_entry, people, now)


def list_people(
    session: Session, encryption: FieldEncryption, officer: Officer, entry: Entry, now: datetime
) -> Sequence[MaskedPerson]:
    """The people of an entry that was saved, as many as are shown."""
    role = next(role for role in (Role.APPROVER, Role.AUDITOR, Role.RECORDER) if role in officer.roles)
    people = []
    for one in effects.list_subjects(session, entry)[:MAX_SHOWN]:
        _record_access(session, officer, role, one.serial, now)
        people.append(_mask_person(session, encryption, one))
    return people


def record_list_access(services: Services, officer: Officer, lines: Sequence[ListLine]) -> None:
    """Enter that an officer brings a list, also for a dry run, and a look at each where they are few.

    Of many known people numbers alone are told.
    """
    people, now = {line.person for line in lines}, services.clock.now()
    with services.begin() as session:
        actor = Actor("officer", str(officer.id))
        audit.append(
            session, actor, "officer-list-brought", now, role=Role.RECORDER, lines=len(lines), people=len(people)
        )
        known = _find_known_serials(session, services.encryption, people)
        if len(known) < SUPPRESSION_THRESHOLD:
            for serial in known:
                _record_access(session, officer, Role.RECORDER, serial, now)


def record_line_access(
    services: Services, officer: Officer, lines: Sequence[ListLine], numbers: Collection[int]
) -> None:
    """Enter a look at the people of these lines of a long list: what is wrong with one is told of a person."""
    with services.begin() as session:
        for serial in _find_known_serials(
            session, services.encryption, {line.person for line in lines if line.number in numbers}
        ):
            _record_access(session, officer, Role.RECORDER, serial, services.clock.now())


def _find_known_serials(
    session: Session, encryption: FieldEncryption, people: Collection[int | Document]
) -> Sequence[int]:
    """The serials of those who are known; that of nobody among them is none."""
    serials = set(find_serials(session, encryption, people).values())
    return session.scalars(select(Code.serial).where(among(Code.serial, serials)).order_by(Code.serial)).all()


@contextmanager
def record_access_on_error(services: Services, officer: Officer, people: Collection[Document]) -> Iterator[None]:
    """A refusal for what is known of the people of an entry is a look at them, noted before it is told."""
    try:
        yield
    except Problem as problem:
        if _REVEALING_ERRORS.intersection(field.slug for field in problem.fields):
            with services.begin() as session:
                for serial in _find_known_serials(session, services.encryption, people):
                    _record_access(session, officer, Role.RECORDER, serial, services.clock.now())
        raise


def _mask_person(session: Session, encryption: FieldEncryption, one: EntrySubject) -> MaskedPerson:
    citizen = session.get(Citizen, one.serial)
    sealed = citizen.document_ciphertext if citizen else None
    number = mask_number(encryption.decrypt("citizens.document", sealed)) if sealed else "—"
    return MaskedPerson(number, State(session.get_one(Code, one.serial).state).name, (), one.exposed_on)


def _record_access(session: Session, officer: Officer, role: Role, serial: int, now: datetime) -> None:
    actor, part = Actor("officer", str(officer.id)), RecordPart.STATE
    audit.record_access(session, actor, role, serial, AccessReason.CASE_REVIEW, part, now)
