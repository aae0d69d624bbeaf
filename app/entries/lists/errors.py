"""The errors of a list: by line and column, the same ones together. None has the content of a cell."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.core.errors import FieldError


class LineError(NamedTuple):
    """An error in a line, numbered as spreadsheets number their rows."""

    line: int
    field: FieldError


class InvalidList(Exception):
    """A list with errors, in the order of its lines. Nothing of it was written."""

    def __init__(self, mistakes: Sequence[LineError]) -> None:
        super().__init__(f"{len(mistakes)} errors")
        self.mistakes = mistakes

    @property
    def groups(self) -> "list[ErrorGroup]":
        return group_errors(self.mistakes)


class ErrorGroup(NamedTuple):
    """The same error in one line or many."""

    field: FieldError
    lines: Sequence[int]

    @property
    def numbers(self) -> str:
        """Return the numbers of the lines, in short."""
        return format_lines(self.lines)


def group_errors(errors: Iterable[LineError]) -> list[ErrorGroup]:
    """Return what is wrong with a list, each error once, in the order of their first lines."""
    lines: dict[FieldError, dict[int, None]] = {}
    for line, field in errors:
        lines.setdefault(field, {})[line] = None
    return [ErrorGroup(field, list(numbers)) for field, numbers in lines.items()]


def format_lines(numbers: Iterable[int], most: int = 20) -> str:
    """Return numbers of lines in short, such as `3, 7-9`; of many ranges the first."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:most]]
    return ", ".join(shown + (["…"] if len(ranges) > most else []))
