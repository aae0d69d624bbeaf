"""The facts that the rules weigh, and which of them count at a moment.

Owns the types of evidence and the order in which facts of one kind follow each other. Nothing here judges, and
nothing here knows who a person is. Days are Beijing days; moments are aware.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

BEIJING = timezone(timedelta(hours=8), "Beijing")  # no summer time since 1991: no table of time zones is needed
_LAST_DAY = date(9999, 12, 30)  # orders without an end are often written with the last date that there is

Status = Literal["suspected", "confirmed", "ruled_out", "recovered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every piece of evidence has: an id, the moment from which it holds, and when it was taken back."""

    id: str
    at: datetime
    withdrawn_at: datetime | None = None

    def in_effect(self, now: datetime) -> bool:
        """Whether the fact has come to be by `now` and has not been withdrawn."""
        return self.at <= now and (self.withdrawn_at is None or now < self.withdrawn_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Fact):
    """What a citizen states: symptoms, and the last day of contact with a case, if there was one."""

    symptoms: tuple[str, ...]
    contact_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Fact):
    """The national platform's consent to the declaration with the id `declaration`."""

    declaration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature(Fact):
    """A body temperature in degrees Celsius, measured on site."""

    celsius: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Fact):
    """Close contact with a confirmed or suspected case, last on the day `exposed_on`."""

    exposed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine(Fact):
    """An order of quarantine from `first_day` to `last_day`, both included."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Fact):
    """A medical finding about the person."""

    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Fact):
    """The early end of one restriction: of the contact or quarantine with the id `releases`."""

    releases: str


Evidence = Declaration | Verification | Temperature | Contact | Quarantine | Diagnosis | Release

SEVERITY: dict[Status, int] = {"ruled_out": 0, "recovered": 1, "suspected": 2, "confirmed": 3}


class Facts:
    """The evidence that counts at `now`, by kind, the latest last; of the same moment, the more severe last."""

    def __init__(self, evidence: Iterable[Evidence], now: datetime) -> None:
        counting = sorted((fact for fact in evidence if fact.in_effect(now)), key=lambda fact: (fact.at, fact.id))
        by_kind: dict[type[Fact], list[Any]] = defaultdict(list)
        for fact in counting:
            by_kind[type(fact)].append(fact)
        self.declarations: list[Declaration] = by_kind[Declaration]
        self.declarations.sort(key=lambda fact: (fact.at, bool(fact.symptoms)))
        self.temperatures: list[Temperature] = by_kind[Temperature]
        self.temperatures.sort(key=lambda fact: (fact.at, fact.celsius))
        self.diagnoses: list[Diagnosis] = by_kind[Diagnosis]
        self.diagnoses.sort(key=lambda fact: (fact.at, SEVERITY[fact.status]))
        self.contacts: list[Contact] = by_kind[Contact]
        self.quarantines: list[Quarantine] = by_kind[Quarantine]
        self.releases: list[Release] = by_kind[Release]
        stated = {fact.id: fact.at for fact in self.declarations}
        # an answer to a declaration that does not count, or that came only later, answers nothing
        self.verifications: list[Verification] = [
            fact for fact in by_kind[Verification] if fact.declaration in stated and stated[fact.declaration] <= fact.at
        ]
        self.latest_verification = {fact.declaration: fact for fact in self.verifications}


def midnight(day: date) -> datetime:
    """The moment at which a Beijing day begins."""
    return datetime.combine(day, time(), BEIJING)


def midnight_after(day: date) -> datetime:
    """The moment at which a Beijing day ends."""
    return midnight(min(day, _LAST_DAY) + timedelta(days=1))


def day_of(moment: datetime) -> date:
    """The Beijing day in which a moment lies."""
    return moment.astimezone(BEIJING).date()
