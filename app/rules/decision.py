"""The form of a decision: a color, and everything that explains it.

There is no color without evidence, and no free text.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Color(StrEnum):
    """The four colors, in ascending severity."""

    GREEN = "GREEN"
    YELLOW = "YELLOW"
    ORANGE = "ORANGE"
    RED = "RED"

    @property
    def severity(self) -> int:
        return _SEVERITY[self]


_SEVERITY = {color: severity for severity, color in enumerate(Color)}


class AppliedRule(NamedTuple):
    """A rule that applies: its color, the ids of its evidence, and from when to when it applies by the clock."""

    rule: str
    color: Color | None
    evidence: tuple[str, ...]
    since: datetime
    until: datetime | None = None


class Decision(NamedTuple):
    """The result of the rules at one moment.

    `rules` has every rule that applies, the most severe first; `rule`, `color`, `since` and `until` are those of the
    first. `missing` names what the citizen can provide now so that the code may become green. Before `due_at` nothing
    changes unless evidence or policy do.
    """

    color: Color | None
    rule: str
    rules: tuple[AppliedRule, ...]
    evidence: tuple[str, ...]
    missing: tuple[str, ...]
    policy_version: str
    since: datetime
    until: datetime | None
    due_at: datetime | None
