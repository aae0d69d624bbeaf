"""The policy that is in force: parameters, texts and what a station does, each by its date.

Owns the questions that may be put to a policy; `policy_file.py` reads it. Nothing here knows what day it is.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from app.rules.decision import AppliedRule, Color

Action = Literal["pass", "measure", "stop"]
Days = Literal["quarantine_days", "declaration_days", "verification_days", "recovery_days"]

# Every rule that the code can apply; a policy must explain each of them, and may explain retired ones besides.
KNOWN_RULES = (
    "RED-CONFIRMED",
    "RED-SUSPECTED",
    "ORANGE-QUARANTINE",
    "ORANGE-CONTACT",
    "ORANGE-DECLARED-CONTACT",
    "ORANGE-RECOVERED",
    "ORANGE-REVERIFY",
    "YELLOW-FEVER",
    "YELLOW-SYMPTOMS",
    "GREEN-VERIFIED",
    "UNVERIFIED-WAITING",
    "UNVERIFIED-EXPIRED",
    "NOT-DECLARED",
)


class PolicyError(ValueError):
    """A policy file that cannot be used; each line of the message names a place and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """The numbers of the rules: degrees Celsius, and days of 24 hours or of the Beijing calendar."""

    fever_celsius: Decimal
    quarantine_days: int
    declaration_days: int
    verification_days: int
    release_declaration_days: int
    recovery_days: int


@dataclass(frozen=True, slots=True)
class RuleText:
    """How a rule is told in one language, and the document that it comes from."""

    title: str
    explanation: str
    advice: str
    reference: str


@dataclass(frozen=True, slots=True)
class StationInstruction:
    """What a check station does with a state, and what it tells the holder in Chinese and English."""

    action: Action
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as read from its file.

    `rules` are the rule ids in their permanent order. `colors` has the color of each, None where it says nothing about
    health. Dated entries stand oldest first, each with the moment from which it is in force; what lies before the first
    is told and judged by the first.
    """

    version: str
    rules: tuple[str, ...]
    colors: Mapping[str, Color | None]
    parameters: tuple[tuple[datetime, Parameters], ...]
    texts: Mapping[str, tuple[tuple[datetime, Mapping[str, RuleText]], ...]]
    stations: Mapping[str, StationInstruction]

    def at(self, moment: datetime) -> Parameters:
        """The parameters in force at a moment."""
        if len(self.parameters) == 1:
            return self.parameters[0][1]
        return self.parameters[self._place(moment)][1]

    def lapse(self, base: datetime, days: Days, begin: datetime) -> datetime:
        """The first moment from `begin` on at which that many days have passed since `base`.

        At every moment the parameter of that moment counts, so that a change of policy ends what has run long enough by
        the new number on the day of the change, and never before; what has ended is not brought back.
        """
        earliest, first = begin, self._place(begin)
        if first + 1 == len(self.parameters):  # as nearly always
            return max(base + timedelta(days=getattr(self.parameters[first][1], days)), begin)
        for place, (_, numbers) in enumerate(self.parameters[first:], first):
            end = max(base + timedelta(days=getattr(numbers, days)), earliest)
            if place + 1 == len(self.parameters) or end < self.parameters[place + 1][0]:
                break
            earliest = self.parameters[place + 1][0]
        return end

    def applied(
        self, rule: str, evidence: Iterable[str], since: datetime, until: datetime | None = None
    ) -> AppliedRule:
        """A rule that applies, in its color, its evidence in a fixed order."""
        return AppliedRule(rule, self.colors[rule], tuple(sorted(set(evidence))), since, until)

    def text(self, rule: str, language: str, at: datetime | None = None) -> RuleText:
        """How a rule is told in "zh" or "en": the newest text, or that of a moment. Raises KeyError for others."""
        entries = self.texts[rule]
        place = -1 if at is None else max(bisect_right(entries, at, key=lambda entry: entry[0]) - 1, 0)
        return entries[place][1][language]

    def station(self, state: str) -> StationInstruction:
        """What a check station does with a color or with UNVERIFIED. Raises KeyError for other names."""
        return self.stations[state]

    def _place(self, moment: datetime) -> int:
        if moment >= self.parameters[-1][0]:  # as nearly always
            return len(self.parameters) - 1
        return max(bisect_right(self.parameters, moment, key=lambda entry: entry[0]) - 1, 0)
