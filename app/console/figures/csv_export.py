"""Figures as files for a spreadsheet: CSV that Excel opens in Chinese, and that contains no formula."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # a spreadsheet runs cells that begin so


def make_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV in UTF-8 with the byte order mark that Excel needs; None is an empty cell."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([_escape_formula(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _escape_formula(cell: object) -> str:
    """Return a cell as text; a possible formula gets an apostrophe."""
    words = "" if cell is None else str(cell)
    return f"'{words}" if words.lstrip(" \u00a0\ufeff").startswith(_FORMULA) else words
