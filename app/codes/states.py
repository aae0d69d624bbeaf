"""The states of a code, with the numbers that cache records, tokens and rows contain.

The numbers are permanent: a token or a cache record of an older release must keep its meaning.
"""

from enum import IntEnum

from app.rules import Color


class State(IntEnum):
    """The state of a code: one of four colors, or one of two states that say nothing about health."""

    EMPTY = 0  # a cache record that was never written: the database knows the state
    NOT_DECLARED = 1
    UNVERIFIED = 2
    GREEN = 3
    YELLOW = 4
    ORANGE = 5
    RED = 6

    @classmethod
    def of(cls, color: Color | None) -> "State":
        """Return the state for a decided color; without a color it is UNVERIFIED."""
        return _OF_COLOR[color]

    @property
    def color(self) -> str | None:
        """Return the name of the color, or None for a state that is no color."""
        return self.name if self >= State.GREEN else None


_OF_COLOR: dict[Color | None, State] = {None: State.UNVERIFIED} | {color: State[color] for color in Color}
