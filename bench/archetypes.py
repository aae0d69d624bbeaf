"""Some people whose lives are told through the verbs, each deed at its time, and their rows as patterns for many.

Owns the mix of a province: who lives how, and how many live so. What the ledger decided of each is copied, never
invented: a pattern is the rows as PostgreSQL writes them, with places for serial, ids and what is sealed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens import accounts, declarations
from app.citizens.declarations import Statement, Symptom
from app.citizens.documents import DocumentType, check_digit
from app.citizens.models import Citizen
from app.citizens.verification import look_again
from app.clock import BEIJING
from app.codes import holding, ledger
from app.codes.evidence import Entry, new_id
from app.codes.models import Code
from app.officers import evidence
from app.officers.evidence import EntryKind, OfficerEntry
from app.platform.client import Answer
from app.rules import Temperature
from app.services import Services

# of decisions the one that stands; history, audit, inbox and log-ins are left out: no step reads them
ROWS = {
    "codes": "select * from codes where serial = {serial}",
    "citizens": "select * from citizens where serial = {serial}",
    "evidence": "select * from evidence where serial = {serial} order by at, id",
    "decisions": "select * from decisions where id = (select decision_id from codes where serial = {serial})",
    "declarations": "select * from declarations where serial = {serial} order by declared_at",
}
_FIRST_SERIAL, _FIRST_DECISION = 9 * 10**14, 8 * 10**14  # so long that nothing else in a row is taken for one
_PEOPLE = "codes, citizens, evidence, decisions, declarations, audit, notices, procrastinate_jobs"


class Archetype(NamedTuple):
    """How many of a hundred are such people, and by table their rows in COPY's text, as a pattern for `%`."""

    weight: float
    patterns: dict[str, str]


# --- lives --------------------------------------------------------------------------------------------------------


@dataclass
class _Hand:
    """A clock moved by hand."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


class _Consenting:
    """A platform that finds nothing against anybody."""

    def verify(self, **question: Any) -> Answer:
        return Answer(result="consistent", reference="示例核验", checked_at=question["declared_at"])


class _Person(NamedTuple):
    services: Services
    serial: int
    number: str

    @property
    def now(self) -> datetime:
        return self.services.clock.now()


Deed = Callable[[Session, _Person], Any]


class Life(NamedTuple):
    """How many of a hundred live so, and what they do and what is done to them, each so many days ago."""

    weight: float
    deeds: Sequence[tuple[float, Deed]]
    registered: bool = True


def _declares(*symptoms: Symptom, contact: int | None = None, unanswered: bool = False) -> Deed:
    def deed(session: Session, person: _Person) -> None:
        contact_on = None if contact is None else (person.now - timedelta(days=contact)).astimezone(BEIJING).date()
        look_at = person.now + timedelta(hours=2 if unanswered else 0)
        statement, policy = Statement(symptoms, contact_on), person.services.policy
        declarations.declare(session, policy, person.serial, statement, person.now, look_at)

    return deed


def _is_measured(celsius: str) -> Deed:
    def deed(session: Session, person: _Person) -> None:
        fact = Temperature(id=new_id(), at=person.now, celsius=Decimal(celsius))
        entries, policy = [Entry(fact, "示例站", "示例")], person.services.policy
        ledger.record(session, policy, person.serial, entries, actor=Actor("inspector", "1"), now=person.now)

    return deed


def _is_entered(kind: EntryKind) -> Deed:
    """By an officer: a contact of the same day, or a quarantine of two weeks from it."""

    def deed(session: Session, person: _Person) -> None:
        today, quarantine = person.now.astimezone(BEIJING).date(), kind is EntryKind.QUARANTINE
        entry = OfficerEntry(
            kind=kind,
            authority="示例市疾病预防控制中心",
            reference="示疾控〔2020〕1号",
            exposed_on=today if kind is EntryKind.CONTACT else None,
            first_day=today if quarantine else None,
            last_day=today + timedelta(days=13) if quarantine else None,
            document_type=DocumentType.ID_CARD,
            document_number=person.number,
        )
        policy, vault, officer = person.services.policy, person.services.vault, Actor("officer", "示例")
        evidence.record(session, policy, vault, entry, actor=officer, now=person.now)

    return deed


_green = _declares()
_WEEK, _HOURS = 7, range(1, 168, 8)


def lives() -> Iterator[Life]:
    """The mix: of a hundred 95 green, 4 without color, half a one orange, few red. Invented, not counted."""
    for hour in _HOURS:  # on each day an equal share falls due
        yield Life(62.0 / len(_HOURS), [(hour / 24, _green)])
        yield Life(33.0 / len(_HOURS), [(_WEEK + hour / 24, _green)])  # verified anew by the clock
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


def _live(services: Services, life: Life, number: str, end: datetime) -> int:
    """Live it until `end`, with the clock looking at what is due; returns the serial."""
    hand = services.clock
    assert isinstance(hand, _Hand)
    hand.moment = end - timedelta(days=max((ago for ago, _ in life.deeds), default=0) + 1)
    with services.begin() as session:
        citizen = accounts.find_or_add(session, services.vault, DocumentType.ID_CARD, number, hand.moment)
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
    """As `accounts.register` does, without an account: its password takes longer than a life."""
    seal = services.vault.seal
    citizen.name_sealed, citizen.phone_sealed = seal("citizens.name", "示例甲"), seal("citizens.phone", "13800000000")
    actor = Actor("citizen", str(citizen.serial))
    holding.hold(session, citizen.serial, actor=actor, now=citizen.created_at)


def _look_when_due(person: _Person, hand: _Hand, until: datetime) -> None:
    while True:
        with person.services.sessions() as session:
            code = session.get_one(Code, person.serial)
            next_look = code.retry_at or code.due_at
        if next_look is None or next_look > until:
            return
        hand.moment = max(hand.moment, next_look)
        look_again(person.services, person.serial)


# --- patterns -----------------------------------------------------------------------------------------------------


def make(services: Services, end: datetime) -> list[Archetype]:
    """Let every life be lived until `end`; what the tables say of it. They are empty before and after."""
    _empty(services)
    them = replace(services, clock=_Hand(end), platform=_Consenting())  # type: ignore[arg-type]
    _number_from(services, _FIRST_SERIAL, _FIRST_DECISION)
    told = [(life.weight, _live(them, life, document_number(place), end)) for place, life in enumerate(lives())]
    with services.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, Connection)
        archetypes = [Archetype(weight, _patterns(raw, serial)) for weight, serial in told]
    _empty(services)
    return archetypes


def _empty(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("alter table audit disable trigger user"))  # nothing is erased but what was invented
        connection.execute(text(f"truncate {_PEOPLE} restart identity cascade"))
        connection.execute(text("alter table audit enable trigger user"))
    services.redis.flushdb()


def _number_from(services: Services, serial: int, decision: int) -> None:
    with services.engine.begin() as connection:
        connection.execute(text(f"alter table codes alter serial restart with {serial}"))
        connection.execute(text(f"alter table decisions alter id restart with {decision}"))


def _patterns(connection: Connection[Any], serial: int) -> dict[str, str]:
    places = {str(serial): "%(serial)d"}
    with connection.cursor() as cursor:
        row = cursor.execute(
            "select decision_id, encode(document_hash, 'hex'), encode(document_sealed, 'hex'), "
            "encode(name_sealed, 'hex'), encode(phone_sealed, 'hex') from codes join citizens using (serial) "
            "where serial = %s",
            [serial],
        ).fetchone()
        assert row is not None
        names = ("%(serial)d", "%(hash)s", "%(document)s", "%(name)s", "%(phone)s")
        places |= {str(value): name for value, name in zip(row, names, strict=True) if value is not None}
        # in their order: a decision names its evidence sorted
        ids = cursor.execute("select id::text from evidence where serial = %s order by id", [serial])
        places |= {uuid: f"%(ids)s{place:012x}" for place, (uuid,) in enumerate(ids.fetchall())}
        texts = {table: _copied(cursor, query.format(serial=serial)) for table, query in ROWS.items()}
    return {table: _with_places(words, places) for table, words in texts.items()}


def _copied(cursor: Any, query: str) -> str:
    with cursor.copy(f"copy ({query}) to stdout") as copy:
        return b"".join(copy).decode()


def _with_places(words: str, places: dict[str, str]) -> str:
    words = words.replace("%", "%%")
    for value, name in places.items():
        words = words.replace(value, name)
    return words


# --- what is new for each -----------------------------------------------------------------------------------------

_DAYS, _FIRST_DAY = 27_000, date(1940, 1, 1)
MOST = _DAYS * 1000  # people, of whom a thousand are born each day


def document_number(serial: int) -> str:
    """An ID-card number in order, from a region that is none: nobody has it."""
    number = f"{_born_on(serial % _DAYS)}{serial // _DAYS:03d}"
    return number + check_digit(number)


@cache
def _born_on(day: int) -> str:
    return f"220000{_FIRST_DAY + timedelta(days=day):%Y%m%d}"


def ids_of(serial: int) -> str:
    """What the ids of a person's evidence begin with: scattered like random ones, and no two people's the same."""
    scattered = f"{serial * 0x9E3779B97F4A7C15 % 2**64:016x}"
    return f"{scattered[:8]}-{scattered[8:12]}-4{scattered[12:15]}-a{scattered[15]}00-"
