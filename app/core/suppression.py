"""Suppression of small numbers of people: 1 to 9 become "<10", others are rounded down to tens, and sums are bounds.

Pure. Everything published of a table is computed from its suppressed cells alone. So whatever a reader computes from it
would be the same for any other small number in a cell: none can be distinguished from the eight others. Rounding does
the same for what is subtracted from each other: two views of a number that grows, or a total and its parts.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

SUPPRESSION_THRESHOLD = 10  # the smallest number of people that is shown, besides 0


class Suppressed(Enum):
    """A number from 1 to 9."""

    SUPPRESSED = f"<{SUPPRESSION_THRESHOLD}"

    def __str__(self) -> str:
        return self.value


class AtLeast(NamedTuple):
    """The least value of a sum, each suppressed cell counted as 1, and by how much the sum may exceed it."""

    number: int
    slack: int = 0

    def __str__(self) -> str:
        return f"≥{self.number}"


SUPPRESSED = Suppressed.SUPPRESSED
Cell = int | Suppressed | None  # None: not counted
CellSum = int | AtLeast


class SuppressedTable(NamedTuple):
    """Suppressed cells, row by row, and the sums over rows, over columns and over all."""

    cells: Sequence[Sequence[Cell]]
    across: Sequence[CellSum]
    down: Sequence[CellSum]
    all: CellSum


def suppress(number: int | None) -> Cell:
    """Return a number as it may be shown once."""
    return SUPPRESSED if number is not None and 0 < number < SUPPRESSION_THRESHOLD else number


def round_down(number: int | None) -> Cell:
    """Return a number as it may be shown again and again, and beside parts of it: no difference of two is small."""
    cell = suppress(number)
    return cell // SUPPRESSION_THRESHOLD * SUPPRESSION_THRESHOLD if isinstance(cell, int) else cell


def suppress_table(numbers: Sequence[Sequence[int | None]]) -> SuppressedTable:
    """Return a table of numbers, all rows of one length, as it may be published."""
    cells = [[round_down(number) for number in row] for row in numbers]
    return SuppressedTable(
        cells,
        across=[sum_cells(row) for row in cells],
        down=[sum_cells(column) for column in zip(*cells, strict=True)],
        all=sum_cells(cell for row in cells for cell in row),
    )


def suppress_parts(numbers: Sequence[int]) -> Sequence[Cell | AtLeast]:
    """Return the parts of a whole that the reader knows, as they may be shown: subtraction reveals no small one.

    Beside small parts the largest is "at least", as if each of them were 9. Where that would not be the largest any
    more, or small itself, all parts are "at least 1".
    """
    cells = [suppress(number) for number in numbers]
    small = cells.count(SUPPRESSED)
    if not small or all(cell is SUPPRESSED or not cell for cell in cells):
        return cells
    *_, second, largest = sorted([0, *numbers])
    hidden = sum(number for number, cell in zip(numbers, cells, strict=True) if cell is SUPPRESSED)
    least = largest + hidden - (SUPPRESSION_THRESHOLD - 1) * small
    if least < SUPPRESSION_THRESHOLD or least <= second:
        return [AtLeast(1) if number else 0 for number in numbers]
    return [AtLeast(least) if number == largest else cell for number, cell in zip(numbers, cells, strict=True)]


def sum_cells(cells: Iterable[Cell]) -> CellSum:
    """Return the sum of published cells: exact only if all are zero or not counted."""
    known, slack = 0, 0
    for cell in cells:
        if cell is SUPPRESSED:
            known, slack = known + 1, slack + SUPPRESSION_THRESHOLD - 2
        elif cell:
            known, slack = known + cell, slack + SUPPRESSION_THRESHOLD - 1
    return AtLeast(known, slack) if slack else 0


def compute_percentage(part: CellSum, rest: CellSum) -> CellSum | None:
    """Return the percentage of the part, rounded down, or its least value; None if there is nobody at all."""
    fewest = part.number if isinstance(part, AtLeast) else part
    most = rest.number + rest.slack if isinstance(rest, AtLeast) else rest
    if not fewest + most:
        return None
    share = fewest * 100 // (fewest + most)
    return AtLeast(share) if isinstance(part, AtLeast) or isinstance(rest, AtLeast) else share
