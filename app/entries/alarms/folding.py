"""Folding of names: spellings of one place or authority become one, so that they are added up together.

What was typed is kept and shown; what is folded is only compared. Two names that fold alike may be different: then an
entry more is held.
"""

import unicodedata
from functools import cache
from typing import Final

from opencc import OpenCC

MAX_LENGTH: Final = 80
_to_simplified = OpenCC("hk2s")  # knows more variants than t2s: 衞 is 卫 too


def fold_name(name: str) -> str:
    """Return a name with letters and digits only: simplified, without case, accents, widths, spaces and punctuation."""
    compatible = unicodedata.normalize("NFKD", name).casefold()
    return "".join(map(_fold_character, unicodedata.normalize("NFKD", compatible)))[:MAX_LENGTH]


@cache
def _fold_character(character: str) -> str:
    """Fold one character; by itself, because a phrase keeps forms that the same character has in no other."""
    if unicodedata.category(character)[0] not in "LN":
        return ""
    number = unicodedata.numeric(character, -1)
    if number in range(10):  # 一, 壹, 〇
        return str(int(number))
    simplified: str = _to_simplified.convert(
        _to_simplified.convert(character)
    )  # of some, the first is not the simplest
    return simplified
