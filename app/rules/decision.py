"""What the rules answer: a color, and everything by which a person can understand it.

Owns the form of a decision. There is no color without evidence, and no free text.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Color(StrEnum):
    """The four colors; a higher severity is the more severe one."""

    GREEN = "GREEN"
    YELLOW = "YELLOW"
    ORANGE = "ORANGE"
    RED = "RED"

    @property
    def severity(self) -> int:
        return _SEVERITY[self]


_SEVERITY = {color: severity for severity, color in enumerate(Color)}


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """A rule that applies, the ids of the evidence that it rests on, since when, and until when by the clock."""

    rule: str
    color: Color | None
    evidence: tuple[str, ...]
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer of the rules at one moment.

    `rules` holds every rule that applies, the most severe first; `rule`, `color`, `since` and `until` are those of the
    first. `missing` names what somebody can bring now so that the code may become green. Before `due_at` nothing
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
