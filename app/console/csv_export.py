"""Figures as files for a spreadsheet: CSV that Excel opens in Chinese, with nothing in it that runs there."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # a spreadsheet computes what begins so


def make_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as CSV in UTF-8 with the mark by which Excel knows it; None is an empty cell."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([_escape_formula(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _escape_formula(cell: object) -> str:
    """A cell as text; what a spreadsheet would take for a formula begins with an apostrophe."""
    words = "" if cell is None else str(cell)
    return f"'{words}" if words.lstrip(" \u00a0\ufeff").startswith(_FORMULA) else words
