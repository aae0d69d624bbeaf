"""The facts that the rules evaluate, and those of them in effect at a moment.

Owns the types of evidence and the order of the facts of one kind. Nothing here decides, and no fact names a person.
Days are Beijing days; moments are aware.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal

BEIJING = timezone(timedelta(hours=8), "Beijing")  # no summer time since 1991: no table of time zones is needed
_LAST_DAY = date(9999, 12, 30)  # orders without an end often have the last possible date

Status = Literal["suspected", "confirmed", "ruled_out", "recovered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A fact with an id, the moment from which it is in effect, and the moment of its withdrawal, if any."""

    id: str
    at: datetime
    withdrawn_at: datetime | None = None

    def in_effect(self, now: datetime) -> bool:
        """Return whether the fact is in effect at `now`: begun, and not withdrawn."""
        return self.at <= now and (self.withdrawn_at is None or now < self.withdrawn_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Fact):
    """A citizen's statement: symptoms, and the last day of contact with a case, if there was one."""

    symptoms: tuple[str, ...]
    contact_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Fact):
    """The national platform's confirmation of the declaration with the id `declaration`."""

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
    """A quarantine order from `first_day` to `last_day`, both included."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Fact):
    """A diagnosis by a health authority."""

    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Fact):
    """The early end of one restriction: that of the contact or quarantine with the id `releases`."""

    releases: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission(Fact):
    """The admission to a hospital. No rule of a color asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Fact):
    """The admission to another hospital, which has accepted the patient. No rule of a color asks for it."""


Evidence = Declaration | Verification | Temperature | Contact | Quarantine | Diagnosis | Release | Admission | Transfer

_MOMENT_AND_ID = attrgetter("at", "id")
SEVERITY: dict[Status, int] = {"ruled_out": 0, "recovered": 1, "suspected": 2, "confirmed": 3}


class Facts:
    """The evidence in effect at `now`, by kind, the latest last; of the same moment, the more severe last."""

    def __init__(self, evidence: Iterable[Evidence], now: datetime) -> None:
        by_kind: dict[type[Fact], list[Any]] = defaultdict(list)
        for fact in sorted(evidence, key=_MOMENT_AND_ID):
            if fact.in_effect(now):
                by_kind[type(fact)].append(fact)
        self.declarations: list[Declaration] = by_kind[Declaration]
        if len(self.declarations) > 1:
            self.declarations.sort(key=lambda fact: (fact.at, bool(fact.symptoms)))
        self.temperatures: list[Temperature] = by_kind[Temperature]
        if self.temperatures:
            self.temperatures.sort(key=lambda fact: (fact.at, fact.celsius))
        self.diagnoses: list[Diagnosis] = by_kind[Diagnosis]
        if self.diagnoses:
            self.diagnoses.sort(key=lambda fact: (fact.at, SEVERITY[fact.status]))
        self.contacts: list[Contact] = by_kind[Contact]
        self.quarantines: list[Quarantine] = by_kind[Quarantine]
        self.releases: list[Release] = by_kind[Release]
        declared = {fact.id: fact.at for fact in self.declarations}
        # a verification of a declaration that is not in effect, or is dated later, has no effect
        self.verifications: list[Verification] = [
            fact
            for fact in by_kind[Verification]
            if fact.declaration in declared and declared[fact.declaration] <= fact.at
        ]
        self.latest_verification = {fact.declaration: fact for fact in self.verifications}
        self.newest_verified: Declaration | None = None
        for declaration in self.declarations:
            if declaration.id in self.latest_verification:
                self.newest_verified = declaration


def midnight(day: date) -> datetime:
    """Return the moment at which a Beijing day begins."""
    return datetime.combine(day, time(), BEIJING)


@lru_cache(1_024)  # the evidence of a list has few days
def midnight_after(day: date) -> datetime:
    """Return the moment at which a Beijing day ends."""
    return midnight(min(day, _LAST_DAY) + timedelta(days=1))


def day_of(moment: datetime) -> date:
    """Return the Beijing day of a moment."""
    return moment.astimezone(BEIJING).date()
