"""Phone numbers: one spelling of each before it is kept, asked or compared, and what can be one.

By its form only. Which ranges are given to carriers changes each year, so no list of them is asked: 146, 148, 149 and
each of 19x are phones of people.
"""

import re
from typing import Final

from app.core.identity import spelling

_MAINLAND: Final = re.compile(r"(?:\+?86)*0?(1[3-9][0-9]{9})")
# The 0 of +49 (0)151, which nobody dials from abroad.
_TRUNK_ZERO: Final = re.compile(r"^(\W*(?:[+＋]|00)\W*\d{1,3}\W*)[(（][0０][)）]")
# The same without brackets, as Koreans write it: +82 010. Of countries where a 0 is dialed at home before a number that
# never begins with one; in Italy, Benin or Ivory Coast it is a part of the number. Two digits, and three of neighbors.
_COUNTRY_WITH_ZERO: Final = re.compile(
    r"(\+(?:2[07]|3[123]|4[013469]|5[13458]|6[0-46]|8[124]|9[0-58]|85[056]|88[06]|976|996))0+(?=[1-9])"
)
_PHONE: Final = re.compile(r"1[3-9][0-9]{9}|\+(?!86)[1-9][0-9]{6,14}")


def fold_phone(phone: str) -> str:
    """Return a phone number in the spelling that is kept and asked: 11 digits of the mainland, else + and its country.

    `+86`, `0086` and `86` go, and what `spelling.fold_number` drops; `00` before another country is its +, and the 0
    that is dialed at home alone goes.
    """
    plain = spelling.fold_number(_TRUNK_ZERO.sub(r"\1", phone)).replace(".", "").replace("·", "")
    if plain.startswith("00"):
        plain = "+" + plain.removeprefix("00")
    plain = _COUNTRY_WITH_ZERO.sub(r"\1", plain, count=1) if plain.startswith("+") else plain
    mainland = _MAINLAND.fullmatch(plain)
    return mainland[1] if mainland else plain


def is_phone(folded: str) -> bool:
    """Return whether a folded text has the form of a phone number that a person can have."""
    return _PHONE.fullmatch(folded) is not None
