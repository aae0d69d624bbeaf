"""The result of a policy simulation: the state of one citizen by a policy, and the numbers of citizens who change."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from app.codes.states import State


class SimulatedState(NamedTuple):
    """The state of a citizen by one policy, with its end by the clock, and whether the platform must be asked."""

    state: State
    rule: str
    until: datetime | None
    needs_platform: bool


@dataclass
class SimulationResult:
    """The changes that a policy would bring, summed over citizens.

    `outcomes` counts citizens by state and rule before and after; before is by the policy in force at the same moment.
    `due` citizens change state by the policy in force too. `ends` counts those whose rule stays and ends earlier or
    later. `asked` are those about whom the platform must be asked in addition. `notices` report a change that the
    policy brings; `withheld` more are kept from holders who are not confirmed.
    """

    people: int = 0
    due: int = 0
    asked: int = 0
    notices: int = 0
    withheld: int = 0
    outcomes: Counter[tuple[State, str, State, str]] = field(default_factory=Counter)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def states(self) -> Counter[tuple[State, State]]:
        """Return the number of citizens by state before and after."""
        states: Counter[tuple[State, State]] = Counter()
        for (before, _, after, _), people in self.outcomes.items():
            states[before, after] += people
        return states

    @property
    def rules(self) -> Counter[tuple[str, str]]:
        """Return the number of citizens by rule before and after."""
        rules: Counter[tuple[str, str]] = Counter()
        for (_, before, _, after), people in self.outcomes.items():
            rules[before, after] += people
        return rules

    @property
    def changed(self) -> int:
        """Return the number of citizens whose state the policy changes."""
        return sum(people for (before, after), people in self.states.items() if before != after)

    def count(self, stored: State, before: SimulatedState, after: SimulatedState, delivery: str | None) -> None:
        """Count a citizen whose stored state is `stored`; `delivery` is that of the notice that the policy brings."""
        self.people += 1
        self.due += before.state != stored
        self.asked += after.needs_platform and not before.needs_platform
        self.outcomes[before.state, before.rule, after.state, after.rule] += 1
        if before.rule == after.rule and before.until != after.until:
            self.ends[after.rule, _direction(before.until, after.until)] += 1
        if before.state != after.state:
            self.notices += delivery == "waiting"
            self.withheld += delivery == "withheld"

    def add(self, other: "SimulationResult") -> None:
        """Add the numbers of other citizens."""
        self.people += other.people
        self.due += other.due
        self.asked += other.asked
        self.notices += other.notices
        self.withheld += other.withheld
        self.outcomes.update(other.outcomes)
        self.ends.update(other.ends)


def _direction(before: datetime | None, after: datetime | None) -> str:
    return "earlier" if before is None or (after is not None and after < before) else "later"
