"""Numbers of people as they may be shown: from 1 to 9 only as "<10", and sums so that they give none of those away.

Pure. All that is published of a table is made from its cells once they are hidden. So whatever somebody computes from
it would be the same if another small number had stood there: none can be told from the eight others.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

SUPPRESSION_THRESHOLD = 10  # the smallest number of people that is told, besides none


class Suppressed(Enum):
    """From 1 to 9."""

    SUPPRESSED = f"<{SUPPRESSION_THRESHOLD}"

    def __str__(self) -> str:
        return self.value


class AtLeast(NamedTuple):
    """What a sum of hidden cells comes to at least, each small one counted as one, and how many of them are small."""

    number: int
    small: int = 0

    def __str__(self) -> str:
        return f"≥{self.number}"


SUPPRESSED = Suppressed.SUPPRESSED
Cell = int | Suppressed | None  # None: nobody has counted
CellSum = int | AtLeast


class SuppressedTable(NamedTuple):
    """Hidden cells, row by row, and the sums over rows, over columns and over all."""

    cells: Sequence[Sequence[Cell]]
    across: Sequence[CellSum]
    down: Sequence[CellSum]
    all: CellSum


def suppress(number: int | None) -> Cell:
    """A number as it may be shown."""
    return SUPPRESSED if number is not None and 0 < number < SUPPRESSION_THRESHOLD else number


def suppress_table(numbers: Sequence[Sequence[int | None]]) -> SuppressedTable:
    """A table of numbers, all rows of one length, as it may be shown."""
    cells = [[suppress(number) for number in row] for row in numbers]
    return SuppressedTable(
        cells,
        across=[sum_cells(row) for row in cells],
        down=[sum_cells(column) for column in zip(*cells, strict=True)],
        all=sum_cells(cell for row in cells for cell in row),
    )


def sum_cells(cells: Iterable[Cell]) -> CellSum:
    """The sum of hidden cells: exact where none is small, since with one of them it would tell that one."""
    known, few = 0, 0
    for cell in cells:
        if cell is SUPPRESSED:
            few += 1
        elif isinstance(cell, int):
            known += cell
    return AtLeast(known + few, few) if few else known


def compute_percentage(part: CellSum, rest: CellSum) -> CellSum | None:
    """How many of a hundred belong to the part, rounded down, or at least belong to it; None of nobody."""
    fewest = part.number if isinstance(part, AtLeast) else part
    most = rest.number + (SUPPRESSION_THRESHOLD - 2) * rest.small if isinstance(rest, AtLeast) else rest
    if not fewest + most:
        return None
    share = fewest * 100 // (fewest + most)
    return AtLeast(share) if isinstance(part, AtLeast) or isinstance(rest, AtLeast) else share
