"""The states a code can be in, with the numbers that cache records, tokens and rows carry.

The numbers are permanent: a printed token or a cached record of an older release must still mean the same.
"""

from enum import IntEnum

from app.rules import Color


class State(IntEnum):
    """What a code shows: one of four colors, or one of two states that say nothing about health."""

    EMPTY = 0  # a cache record that was never written: ask the database
    NOT_DECLARED = 1
    UNVERIFIED = 2
    GREEN = 3
    YELLOW = 4
    ORANGE = 5
    RED = 6

    @classmethod
    def of(cls, color: Color | None) -> "State":
        """The state that shows a decided color; without a color the holder is unverified."""
        return cls.UNVERIFIED if color is None else cls[color.value]

    @property
    def color(self) -> str | None:
        """The color's name, or None for the states that are not colors."""
        return self.name if self >= State.GREEN else None
