"""Printed pages in tests: whether every letter is on the page, and none on another."""

from itertools import combinations
from typing import Any, NamedTuple

import pypdfium2


class Letter(NamedTuple):
    """A letter and the box of its ink, in points from the corner below on the left."""

    char: str
    left: float
    bottom: float
    right: float
    top: float


def letters_of(pdf: bytes) -> tuple[list[Letter], tuple[float, float]]:
    """The letters of the first page, and its size."""
    page = pypdfium2.PdfDocument(pdf)[0]
    text: Any = page.get_textpage()
    found = [Letter(text.get_text_range(place, 1), *text.get_charbox(place)) for place in range(text.count_chars())]
    return [one for one in found if one.char.strip()], page.get_size()


def is_clean(pdf: bytes) -> bool:
    """Whether every letter of the first page is on it, some millimetres from its edge, and no two are in one place."""
    letters, (width, height) = letters_of(pdf)
    margin = 4 / 25.4 * 72
    inside = all(margin < one.left and one.right < width - margin for one in letters)
    inside = inside and all(margin < one.bottom and one.top < height - margin for one in letters)
    return bool(letters) and inside and not any(_overlap(*pair) for pair in combinations(letters, 2))


def _overlap(one: Letter, other: Letter) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    along = min(one.top, other.top) - max(one.bottom, other.bottom)
    return across > 1 and along > 1
