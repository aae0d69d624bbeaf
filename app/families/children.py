"""Children: a guardian adds a child under 14, for whom the national platform vouches, and registers the child by it.

A child registered so has an account to which there is no log-in. It gives way to one of the child's own.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.citizens import declarations
from app.citizens.declarations import NewHolder
from app.citizens.document_checks import identities
from app.citizens.lookup import find_or_add_evenly, make_current
from app.citizens.models import Account
from app.codes import claims, ledger
from app.codes.claims import Assurance
from app.core.encryption import FieldEncryption
from app.core.errors import Problem, bad_field
from app.families import ties
from app.families.models import FamilyTie
from app.families.people import Person
from app.families.ties import CHILD_UNTIL, MINOR_UNTIL, Consent, NewTie
from app.rules import Policy


class Added(NamedTuple):
    """The new tie of a guardian, and the evidence of contacts that an earlier holder of the child's code declared."""

    tie: FamilyTie
    doubtful: Sequence[str]


def check_age(born_on: date | None, now: datetime) -> None:
    """Raise Problem with the field `/document/number` for somebody of 14 years or more, where the day is known."""
    if born_on is not None and now >= ties.birthday(born_on, CHILD_UNTIL):
        raise bad_field("/document/number", "child-under-14")


class Vouched(NamedTuple):
    """A child of a guardian, for which the platform or a service window vouches."""

    guardian: int
    child: Person
    born_on: date


def add(session: Session, policy: Policy, encryption: FieldEncryption, vouched: Vouched, now: datetime) -> Added:
    """Tie a child to a guardian, and register the child where nobody has yet; the guardian's code is locked.

    Raises Problem `family-full`, `holders-full`, `family-already`, and `document-registered` for a child whose account
    the platform has not confirmed.
    """
    guardian, child, born_on = vouched
    check_age(born_on, now)
    ties.check_room_of_holder(session, guardian, now)
    citizen = find_or_add_evenly(session, encryption, child.kind, child.number, now)
    serial, code = citizen.serial, ledger.lock_code(session, citizen.serial)
    account = session.get(Account, serial)
    doubtful: Sequence[str] = ()
    if account is not None and code.confirmed_at is None:
        raise Problem("document-registered")
    if account is None:
        make_current(session, encryption, citizen, (child.kind, child.number), now)
        citizen.name_ciphertext = encryption.encrypt("citizens.name", child.name)
        identity = identities.fingerprint_of(encryption, (child.kind, child.number), child.name)
        identities.change(session, citizen, identity)
        doubtful = _register(session, policy, serial, guardian, now)
    ties.check_room_of_dependant(session, serial, now)
    new = NewTie(guardian, serial, Consent.GUARDIAN, True, ties.birthday(born_on, MINOR_UNTIL))
    return Added(ties.tie(session, new, ties.family_actor(guardian), now), doubtful)


def _register(session: Session, policy: Policy, serial: int, guardian: int, now: datetime) -> Sequence[str]:
    """Make an account without a log-in; whom the guardian speaks for is confirmed, as the guardian is."""
    session.add(Account(serial=serial, created_at=now))
    session.flush()
    now = claims.claim(session, serial, actor=ties.family_actor(guardian), now=now)
    claims.confirm(session, serial, now)
    new = NewHolder(serial, Assurance.PLATFORM, was_holder=False)
    return declarations.retract_previous_holder(session, policy, new, now)
