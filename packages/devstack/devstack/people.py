"""A few invented people and a station, to try everything with. Refused in production.

Nobody here exists: no region has the code 229999, and the names say so. Each person gets their color as everybody
does: by evidence, through the ledger.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from app.audit import Actor
from app.citizens import declarations, registration
from app.citizens.declarations import Statement
from app.citizens.documents import DocumentType, check_digit
from app.citizens.models import Account
from app.citizens.registration import Registration
from app.codes import ledger
from app.codes.evidence import NewEvidence, new_id
from app.core.clock import BEIJING
from app.core.errors import ConfigError
from app.rules import Contact, Diagnosis, Evidence, Temperature
from app.runtime import Services
from app.stations.accounts import NewInspector, add_inspector
from app.stations.models import Inspector

PASSWORD = "Jixiang-2020"
INSPECTOR = "demo-inspector"
STATION = "示例查验点·长春站"
_AUTHORITY = "示例市疾病预防控制中心"


class Person(NamedTuple):
    """An invented person: log-in, name, what makes the number, and the evidence beyond a declaration."""

    username: str
    name: str
    number: str
    declares: bool = True
    evidence: Callable[[Services], Evidence] | None = None


def _number(first_seventeen: str) -> str:
    return first_seventeen + check_digit(first_seventeen)


def _fever(services: Services) -> Evidence:
    return Temperature(id=new_id(), at=services.clock.now(), celsius=Decimal("37.6"))


def _contact(services: Services) -> Evidence:
    now = services.clock.now()
    exposed = now.astimezone(BEIJING).date() - timedelta(days=3)
    return Contact(id=new_id(), at=now, exposed_on=exposed)


def _case(services: Services) -> Evidence:
    return Diagnosis(id=new_id(), at=services.clock.now(), status="confirmed")


PEOPLE = (
    Person("demo-new", "示例新人", _number("22999919990101001"), declares=False),
    Person("demo-green", "示例绿", _number("22999919900101002")),
    Person("demo-yellow", "示例黄", _number("22999919880202003"), evidence=_fever),
    Person("demo-orange", "示例橙", _number("22999919770303004"), evidence=_contact),
    Person("demo-red", "示例红", _number("22999919660404005"), evidence=_case),
)


def make_demo_people(services: Services) -> str:
    """Make whoever is missing; returns the log-ins to try, for people to read."""
    if services.settings.environment == "production":
        raise ConfigError("Invented people have no place in production.")
    with services.sessions() as session:
        there = set(session.scalars(select(Account.username)))
        inspector = session.scalar(select(Inspector.id).filter_by(username=INSPECTOR))
    for person in PEOPLE:
        if person.username not in there:
            _make(services, person)
    if inspector is None:
        with services.begin() as session:
            new = NewInspector(STATION, "长春市", INSPECTOR, PASSWORD)
            added = add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())
            added.must_change_password, added.password_ends_at = False, None  # they have changed it
    names = " · ".join(person.username for person in PEOPLE)
    return f"Citizens 居民: {names}\nInspector 查验员: {INSPECTOR}\nPassword of all 密码: {PASSWORD}"


def _make(services: Services, person: Person) -> None:
    now, policy = services.clock.now(), services.policy
    form = Registration(person.username, PASSWORD, person.name, DocumentType.ID_CARD, person.number, "13800000000")
    with services.begin() as session:
        serial = registration.register(session, services.encryption, form, now)
        if person.declares:  # the worker asks the platform as soon as both run
            own = ledger.ChangeContext(session, policy, Actor("citizen", str(serial)), now)
            declarations.declare(own, serial, Statement((), None))
        if person.evidence is not None:
            entry = NewEvidence(person.evidence(services), _AUTHORITY, "示例 2020-001")
            ledger.record(ledger.ChangeContext(session, policy, Actor("operator"), now), serial, [entry])
