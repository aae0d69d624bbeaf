"""Life cycles of invented people, made through the functions of the product, each action at its time.

Owns the mix of a province: which life cycles there are, and the share of each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens import declarations, lookup
from app.citizens.declarations import Statement, Symptom
from app.citizens.documents import DocumentType
from app.citizens.models import Citizen
from app.citizens.verification import reevaluate
from app.codes import claims, ledger
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import Code
from app.core.clock import BEIJING
from app.entries.content import EntryContent, EntryKind, fact_of
from app.entries.effects import find_restrictions
from app.platform.messages import PlatformAnswer, PlatformQuestion
from app.rules import Temperature
from app.runtime import Services


@dataclass
class Hand:
    """A clock that is moved by its caller."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


class Consenting:
    """A platform that confirms everybody."""

    def verify(self, question: PlatformQuestion) -> PlatformAnswer:
        assert question.declared_at is not None  # no life cycle asks about an identity alone
        return PlatformAnswer(result="consistent", reference="示例核验", checked_at=question.declared_at)


class _Person(NamedTuple):
    services: Services
    serial: int
    number: str

    @property
    def now(self) -> datetime:
        return self.services.clock.now()


Deed = Callable[[Session, _Person], Any]


class Life(NamedTuple):
    """A share of a hundred people, and the actions of and about them, each so many days ago."""

    weight: float
    deeds: Sequence[tuple[float, Deed]]
    registered: bool = True


def _declares(*symptoms: Symptom, contact: int | None = None, unanswered: bool = False) -> Deed:
    def deed(session: Session, person: _Person) -> None:
        contact_on = None if contact is None else (person.now - timedelta(days=contact)).astimezone(BEIJING).date()
        look_at = person.now + timedelta(hours=2 if unanswered else 0)
        statement, policy = Statement(symptoms, contact_on), person.services.policy
        own = Actor("citizen", str(person.serial))
        declarations.declare(ledger.ChangeContext(session, policy, own, person.now), person.serial, statement)
        ledger.schedule_retry(session, person.serial, look_at)

    return deed


def _is_measured(celsius: str) -> Deed:
    def deed(session: Session, person: _Person) -> None:
        fact = Temperature(id=new_id(), at=person.now, celsius=Decimal(celsius))
        entries, policy = [NewEvidence(fact, "示例站", "示例")], person.services.policy
        ledger.record(
            ledger.ChangeContext(session, policy, Actor("inspector", "1"), person.now), person.serial, entries
        )

    return deed


def _is_entered(kind: EntryKind) -> Deed:
    """Record, as an officer, a contact of the same day, or a quarantine of two weeks from it."""

    def deed(session: Session, person: _Person) -> None:
        today, quarantine = person.now.astimezone(BEIJING).date(), kind is EntryKind.QUARANTINE
        stated = EntryContent(
            kind=kind,
            authority="示例市疾病预防控制中心",
            reference="示疾控〔2020〕1号",
            exposed_on=today if kind is EntryKind.CONTACT else None,
            first_day=today if quarantine else None,
            last_day=today + timedelta(days=13) if quarantine else None,
        )
        releases = None
        if kind is EntryKind.RELEASE:
            releases = find_restrictions(session, [person.serial])[person.serial, stated.reference]
        entries = [NewEvidence(fact_of(stated, releases, person.now), stated.authority, stated.reference)]
        officer, policy = Actor("officer", "示例"), person.services.policy
        ledger.record(ledger.ChangeContext(session, policy, officer, person.now), person.serial, entries)

    return deed


_green = _declares()
_WEEK, _HOURS = 7, range(1, 168, 8)


def lives() -> Iterator[Life]:
    """Yield the mix: of a hundred 95 green, 4 without color, half a one orange, few red. Invented, not measured."""
    for hour in _HOURS:  # on each day an equal share falls due
        yield Life(62.0 / len(_HOURS), [(hour / 24, _green)])
        yield Life(33.0 / len(_HOURS), [(_WEEK + hour / 24, _green)])  # verified again by the clock
    yield Life(2.2, [])
    yield Life(0.3, [(0.04, _declares(unanswered=True))])
    yield Life(1.6, [(20.3, _green)])  # has not declared again
    yield Life(0.05, [(3.2, _green), (0.2, _is_measured("38.1"))])
    yield Life(0.05, [(5.2, _green), (2.3, _is_measured("37.6")), (2.2, _is_measured("36.6"))])
    yield Life(0.1, [(4.2, _green), (1.2, _declares(Symptom.COUGH, Symptom.FATIGUE))])
    contact, quarantine = _is_entered(EntryKind.CONTACT), _is_entered(EntryKind.QUARANTINE)
    for day in range(0, 13, 2):
        yield Life(0.030, [(day + 3.1, _green), (day + 0.1, contact)])
        yield Life(0.008, [(day + 0.1, contact)], registered=False)
        yield Life(0.020, [(day + 2.1, _green), (day + 0.1, contact), (day + 0.05, quarantine)])
    yield Life(0.03, [(6.1, _declares(contact=1))])
    yield Life(0.05, [(18.1, _green), (17.1, contact)])  # over, and the platform is not asked without a declaration
    yield Life(0.05, [(9.1, _green), (8.1, contact), (3.1, _is_entered(EntryKind.RELEASE)), (3.05, _green)])
    suspected, confirmed = _is_entered(EntryKind.SUSPECTED), _is_entered(EntryKind.CONFIRMED)
    yield Life(0.01, [(4.1, _green), (1.1, suspected)])
    yield Life(0.01, [(9.1, _green), (6.1, suspected), (5.1, _is_entered(EntryKind.RULED_OUT)), (5.0, _green)])
    yield Life(0.02, [(12.1, _green), (8.1, suspected), (7.1, confirmed)])
    yield Life(0.01, [(30.1, _green), (26.1, confirmed), (6.1, _is_entered(EntryKind.RECOVERED))])


def live(services: Services, life: Life, number: str, end: datetime) -> int:
    """Run a life cycle until `end`, evaluating what is due; return the serial."""
    hand = services.clock
    assert isinstance(hand, Hand)
    hand.moment = end - timedelta(days=max((ago for ago, _ in life.deeds), default=0) + 1)
    with services.begin() as session:
        citizen = lookup.find_or_add(session, services.encryption, DocumentType.ID_CARD, number, hand.moment)
        if life.registered:
            _register(session, services, citizen)
    person = _Person(services, citizen.serial, number)
    for ago, deed in life.deeds:
        moment = end - timedelta(days=ago)
        _look_when_due(person, hand, moment)
        hand.moment = moment
        with services.begin() as session:
            deed(session, person)
    _look_when_due(person, hand, end)
    return person.serial


def _register(session: Session, services: Services, citizen: Citizen) -> None:
    """Register as the product does, but without an account: hashing a password takes longer than a life cycle."""
    seal = services.encryption.encrypt
    citizen.name_ciphertext, citizen.phone_ciphertext = (
        seal("citizens.name", "示例甲"),
        seal("citizens.phone", "13800000000"),
    )
    actor = Actor("citizen", str(citizen.serial))
    claims.claim(session, citizen.serial, actor=actor, now=citizen.created_at)


def _look_when_due(person: _Person, hand: Hand, until: datetime) -> None:
    while True:
        with person.services.sessions() as session:
            code = session.get_one(Code, person.serial)
            next_look = code.retry_at or code.due_at
        if next_look is None or next_look > until:
            return
        hand.moment = max(hand.moment, next_look)
        reevaluate(person.services, person.serial)
