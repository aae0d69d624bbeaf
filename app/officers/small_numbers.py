"""Numbers of people as they may be shown: from 1 to 9 only as "<10", and sums so that they give none of those away.

Pure. All that is published of a table is made from its cells once they are hidden. So whatever somebody computes from
it would be the same if another small number had stood there: none can be told from the eight others.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

FEWEST = 10  # the smallest number of people that is told, besides none


class Few(Enum):
    """From 1 to 9."""

    FEW = f"<{FEWEST}"

    def __str__(self) -> str:
        return self.value


class AtLeast(NamedTuple):
    """A sum of cells of which one or more are small: what they come to at least, each counted as one."""

    number: int

    def __str__(self) -> str:
        return f"≥{self.number}"


FEW = Few.FEW
Cell = int | Few | None  # None: nobody has counted
Sum = int | AtLeast


class Table(NamedTuple):
    """Hidden cells, row by row, and the sums over rows, over columns and over all."""

    cells: Sequence[Sequence[Cell]]
    across: Sequence[Sum]
    down: Sequence[Sum]
    all: Sum


def hidden(number: int | None) -> Cell:
    """A number as it may be shown."""
    return FEW if number is not None and 0 < number < FEWEST else number


def publish(numbers: Sequence[Sequence[int | None]]) -> Table:
    """A table of numbers, all rows of one length, as it may be shown."""
    cells = [[hidden(number) for number in row] for row in numbers]
    return Table(
        cells,
        across=[total(row) for row in cells],
        down=[total(column) for column in zip(*cells, strict=True)],
        all=total(cell for row in cells for cell in row),
    )


def total(cells: Iterable[Cell]) -> Sum:
    """The sum of hidden cells: exact where none is small, since with one of them it would tell that one."""
    known, few = 0, 0
    for cell in cells:
        if cell is FEW:
            few += 1
        elif isinstance(cell, int):
            known += cell
    return AtLeast(known + few) if few else known


def percent(part: Sum, rest: Sum) -> int | AtLeast | None:
    """How many of a hundred belong to the part, rounded down; None where that cannot be said without a small number."""
    if isinstance(part, AtLeast):
        return None
    if isinstance(rest, AtLeast):
        return None if rest.number >= FEWEST or not part else AtLeast(part * 100 // (part + FEWEST - 1))
    return part * 100 // (part + rest) if part + rest else None
