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
from app.audit import Actor, ReadPart, ReadReason
from app.citizens.accounts import Document, find_or_add_many
from app.citizens.documents import mask_number
from app.citizens.models import Citizen
from app.codes.models import Code
from app.codes.states import State
from app.db import among
from app.errors import Problem
from app.officers import applying, overlaps, proposals
from app.officers.drafts import Draft
from app.officers.lists import Line, serials_of
from app.officers.models import Concerned, Officer, Proposal, Role
from app.officers.overlaps import Overlap
from app.officers.small_numbers import FEWEST
from app.rules import Policy
from app.services import Services
from app.vault import Vault

SHOWN = 50  # people on a page
# refusals that say something of the people of an entry
_TELLING = frozenset({"own-contact", "nothing-to-release", "no-diagnosis", "urgent-before"})

Days = Mapping[Document, date | None]  # the people of an entry, some with a last day of contact of their own


class Person(NamedTuple):
    """Somebody on a page: masked, with the color of now, and what is known that the officer should see."""

    number: str
    color: str
    found: Sequence[Overlap] = ()
    day: date | None = None


class Look(NamedTuple):
    """What is known of the people of an entry: how many they are, how many new, and how many with something noted."""

    people: Sequence[Person]
    number: int
    new: int
    noted: int


def before(
    session: Session,
    officer: Officer,
    draft: Draft,
    days: Days,
    known: Mapping[int | Document, int],
    now: datetime,
) -> Look:
    """The people of an entry before it is saved, those first about whom there is something to see."""
    own = {known[document]: day for document, day in days.items() if document in known and day is not None}
    found: dict[int, list[Overlap]] = {}
    for overlap in overlaps.find(session, draft, list(known.values()), own):
        found.setdefault(overlap.serial, []).append(overlap)
    documents = sorted(days, key=lambda document: known.get(document, 0) not in found)
    people = []
    for document in documents[:SHOWN]:
        serial, color = known.get(document), ""
        if serial is not None:
            _note(session, officer, Role.RECORDER, serial, now)
            color = State(session.get_one(Code, serial).state).name
        people.append(Person(mask_number(document[1]), color, found.get(serial or 0, ()), days[document]))
    return Look(people, len(days), len(days) - len(known), len(found))


def after(
    session: Session, policy: Policy, vault: Vault, officer: Officer, draft: Draft, days: Days, now: datetime
) -> Counter[tuple[State, State]]:
    """How many codes an entry would turn from which state to which. The caller takes the transaction back."""
    serials, _ = find_or_add_many(session, vault, list(days), now)
    people = {serials[document]: day for document, day in days.items()}
    return proposals.outlook(session, policy, officer, draft, people, now)


def people_of(session: Session, vault: Vault, officer: Officer, proposal: Proposal, now: datetime) -> Sequence[Person]:
    """The people of an entry that was saved, as many as are shown."""
    role = next(role for role in (Role.APPROVER, Role.AUDITOR, Role.RECORDER) if role in officer.roles)
    people = []
    for one in applying.concerned(session, proposal)[:SHOWN]:
        _note(session, officer, role, one.serial, now)
        people.append(_person(session, vault, one))
    return people


def at_list(services: Services, officer: Officer, lines: Sequence[Line]) -> None:
    """Enter that an officer brings a list, also for a dry run, and a look at each where they are few.

    Of many known people numbers alone are told.
    """
    people, now = {line.person for line in lines}, services.clock.now()
    with services.begin() as session:
        actor = Actor("officer", str(officer.id))
        audit.enter(
            session, actor, "officer-list-brought", now, role=Role.RECORDER, lines=len(lines), people=len(people)
        )
        known = _known(session, services.vault, people)
        if len(known) < FEWEST:
            for serial in known:
                _note(session, officer, Role.RECORDER, serial, now)


def at_lines(services: Services, officer: Officer, lines: Sequence[Line], numbers: Collection[int]) -> None:
    """Enter a look at the people of these lines of a long list: what is wrong with one is told of a person."""
    with services.begin() as session:
        for serial in _known(session, services.vault, {line.person for line in lines if line.number in numbers}):
            _note(session, officer, Role.RECORDER, serial, services.clock.now())


def _known(session: Session, vault: Vault, people: Collection[int | Document]) -> Sequence[int]:
    """The serials of those who are known; that of nobody among them is none."""
    serials = set(serials_of(session, vault, people).values())
    return session.scalars(select(Code.serial).where(among(Code.serial, serials)).order_by(Code.serial)).all()


@contextmanager
def what_a_refusal_tells(services: Services, officer: Officer, people: Collection[Document]) -> Iterator[None]:
    """A refusal for what is known of the people of an entry is a look at them, noted before it is told."""
    try:
        yield
    except Problem as problem:
        if _TELLING.intersection(field.slug for field in problem.fields):
            with services.begin() as session:
                for serial in _known(session, services.vault, people):
                    _note(session, officer, Role.RECORDER, serial, services.clock.now())
        raise


def _person(session: Session, vault: Vault, one: Concerned) -> Person:
    citizen = session.get(Citizen, one.serial)
    sealed = citizen.document_sealed if citizen else None
    number = mask_number(vault.open("citizens.document", sealed)) if sealed else "—"
    return Person(number, State(session.get_one(Code, one.serial).state).name, (), one.exposed_on)


def _note(session: Session, officer: Officer, role: Role, serial: int, now: datetime) -> None:
    actor, part = Actor("officer", str(officer.id)), ReadPart.STATE
    audit.read(session, actor, role, serial, ReadReason.CASE_REVIEW, part, now)
