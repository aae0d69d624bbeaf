"""The policy: parameters and texts by date, and the instructions for stations.

`policy_file` reads one from a file. Nothing here knows what day it is.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Literal

from app.rules.decision import AppliedRule, Color
from app.rules.follow_ups import FollowUpRules
from app.rules.venue_codes import VenueCodeRules

Action = Literal["pass", "measure", "stop"]
Days = Literal["quarantine_days", "declaration_days", "verification_days", "recovery_days"]

# Every rule that the code can apply; a policy must have texts for each of them, and may keep retired rules.
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


_days = cache(timedelta)  # of a policy there are few


class PolicyError(ValueError):
    """An unusable policy file; each line of the message names a place and the fault there."""


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
class EntryDays:
    """The days that officers may record: what is farther away is taken for a wrong digit. They decide no color.

    At most `past_days` have passed since a contact or since the end of an order, an order has at most `order_days`, and
    it begins at most `ahead_days` from today. The defaults are for a policy file that says nothing of them.
    """

    past_days: int = 90
    order_days: int = 90
    ahead_days: int = 60


@dataclass(frozen=True, slots=True)
class ForeignActions:
    """The action of a station for each state that an issuer of another province states.

    The defaults are for a policy file that says nothing of them: a statement alone lets nobody pass unmeasured.
    """

    UNVERIFIED: Action = "measure"
    GREEN: Action = "measure"
    YELLOW: Action = "measure"
    ORANGE: Action = "stop"
    RED: Action = "stop"


@dataclass(frozen=True, slots=True)
class RuleText:
    """The text of a rule in one language, and the document that the rule comes from."""

    title: str
    explanation: str
    advice: str
    reference: str


@dataclass(frozen=True, slots=True)
class StationInstruction:
    """The action of a check station for a state, and its instruction in Chinese and English, and translated."""

    action: Action
    zh: str
    en: str
    translations: Mapping[str, str] = field(default_factory=dict, compare=False)

    def words(self, language: str) -> str:
        """Return the instruction in a language, in Chinese where it has none."""
        return {"zh": self.zh, "en": self.en, **self.translations}.get(language, self.zh)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as read from its file.

    `rules` are the rule ids in their permanent order. `colors` has the color of each, None where it says nothing about
    health. Dated entries are sorted oldest first, each with the moment from which it is in force; the first one is also
    used for earlier moments. `follow_ups`, `venue_codes`, and `translations`, which has the texts of further languages
    by rule and moment, decide no color: a policy with others is the same policy.
    """

    version: str
    rules: tuple[str, ...]
    colors: Mapping[str, Color | None]
    parameters: tuple[tuple[datetime, Parameters], ...]
    texts: Mapping[str, tuple[tuple[datetime, Mapping[str, RuleText]], ...]]
    stations: Mapping[str, StationInstruction]
    entry_days: tuple[tuple[datetime, EntryDays], ...] = ()
    follow_ups: tuple[tuple[datetime, FollowUpRules], ...] = field(default=(), compare=False)
    foreign_actions: tuple[tuple[datetime, ForeignActions], ...] = field(default=(), compare=False)
    venue_codes: tuple[tuple[datetime, VenueCodeRules], ...] = field(default=(), compare=False)
    translations: Mapping[str, Mapping[tuple[str, datetime], RuleText]] = field(default_factory=dict, compare=False)

    def at(self, moment: datetime) -> Parameters:
        """Return the parameters in force at a moment."""
        if len(self.parameters) == 1:
            return self.parameters[0][1]
        return self.parameters[self._place(moment)][1]

    def entry_days_at(self, moment: datetime) -> EntryDays:
        """Return which days officers may record at a moment."""
        place = max(bisect_right(self.entry_days, moment, key=lambda entry: entry[0]) - 1, 0)
        return self.entry_days[place][1] if self.entry_days else EntryDays()

    def follow_ups_at(self, moment: datetime) -> FollowUpRules:
        """Return who is followed up at a moment, and how soon."""
        place = max(bisect_right(self.follow_ups, moment, key=lambda entry: entry[0]) - 1, 0)
        return self.follow_ups[place][1] if self.follow_ups else FollowUpRules()

    def venue_codes_at(self, moment: datetime) -> VenueCodeRules:
        """Return how venue codes are used at a moment."""
        place = max(bisect_right(self.venue_codes, moment, key=lambda entry: entry[0]) - 1, 0)
        return self.venue_codes[place][1] if self.venue_codes else VenueCodeRules()

    def foreign_action(self, state: str, moment: datetime) -> Action:
        """Return what a station does at a moment about the state in a code of another province."""
        place = max(bisect_right(self.foreign_actions, moment, key=lambda entry: entry[0]) - 1, 0)
        actions = self.foreign_actions[place][1] if self.foreign_actions else ForeignActions()
        action: Action = getattr(actions, state)
        return action

    def lapse(self, base: datetime, days: Days, begin: datetime) -> datetime:
        """Return the first moment from `begin` on at which the number of days in `days` has passed since `base`.

        At every moment the parameter of that moment applies: a change of policy ends what has lasted long enough by the
        new number on the day of the change and never before, and restarts nothing that has ended.
        """
        last, numbers = self.parameters[-1]
        if begin >= last or len(self.parameters) == 1:  # as nearly always
            end = base + _days(getattr(numbers, days))
            return end if end > begin else begin
        earliest, first = begin, self._place(begin)
        for place, (_, numbers) in enumerate(self.parameters[first:], first):
            end = max(base + _days(getattr(numbers, days)), earliest)
            if place + 1 == len(self.parameters) or end < self.parameters[place + 1][0]:
                break
            earliest = self.parameters[place + 1][0]
        return end

    def applied(
        self, rule: str, evidence: Iterable[str], since: datetime, until: datetime | None = None
    ) -> AppliedRule:
        """Return a rule that applies, with its color and its evidence in a fixed order."""
        return AppliedRule(rule, self.colors[rule], tuple(sorted(set(evidence))), since, until)

    def text(self, rule: str, language: str, at: datetime | None = None) -> RuleText:
        """Return the newest text of a rule, or that of a moment. Raises KeyError for an unknown rule.

        Where the language has none, it is the Chinese one, which binds.
        """
        entries = self.texts[rule]
        place = -1 if at is None else max(bisect_right(entries, at, key=lambda entry: entry[0]) - 1, 0)
        begins, words = entries[place]
        return words.get(language) or self.translations.get(language, {}).get((rule, begins), words["zh"])

    def station(self, state: str) -> StationInstruction:
        """Return the instruction for a color or for UNVERIFIED. Raises KeyError for another name."""
        return self.stations[state]

    def _place(self, moment: datetime) -> int:
        if moment >= self.parameters[-1][0]:  # as nearly always
            return len(self.parameters) - 1
        return max(bisect_right(self.parameters, moment, key=lambda entry: entry[0]) - 1, 0)
