"""What an officer sees of the people of an entry: masked, with the color of now, and what the entry would change.

Each look at a person is written down before it is shown. Nothing here decides.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, ReadPart, ReadReason
from app.citizens.accounts import Document, find_or_add_many
from app.citizens.documents import mask_number
from app.citizens.models import Citizen
from app.codes.models import Code
from app.codes.states import State
from app.officers import overlaps, proposals
from app.officers.models import Concerned, Officer, Proposal, Role
from app.officers.overlaps import Overlap
from app.officers.proposals import Draft
from app.rules import Policy
from app.vault import Vault

SHOWN = 50  # people on a page

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
    for one in proposals.concerned(session, proposal)[:SHOWN]:
        _note(session, officer, role, one.serial, now)
        people.append(_person(session, vault, one))
    return people


def _person(session: Session, vault: Vault, one: Concerned) -> Person:
    citizen = session.get(Citizen, one.serial)
    sealed = citizen.document_sealed if citizen else None
    number = mask_number(vault.open("citizens.document", sealed)) if sealed else "—"
    return Person(number, State(session.get_one(Code, one.serial).state).name, (), one.exposed_on)


def _note(session: Session, officer: Officer, role: Role, serial: int, now: datetime) -> None:
    actor, part = Actor("officer", str(officer.id)), ReadPart.STATE
    audit.read(session, actor, role, serial, ReadReason.CASE_REVIEW, part, now)
