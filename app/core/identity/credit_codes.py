"""Codes of organizations in China, 统一社会信用代码 by GB 32100-2015: eighteen places, the last of which is a check.

The first place names who registers: 9 for companies, 5 for associations, but also letters, such as N for those of
villages. So it is not asked to be a digit. The organization code inside has a check of its own, which is not asked.
"""

import re
from typing import Final

from app.core.identity.spelling import fold_number

_PLACES: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_FORM: Final = re.compile(rf"[{_PLACES}]{{2}}[0-9]{{6}}[{_PLACES}]{{10}}")


def fold_credit_code(code: str) -> str:
    """Return a code in the spelling that is kept and compared: capitals, without blanks and dashes."""
    return fold_number(code)


def is_credit_code(folded: str) -> bool:
    """Return whether a folded code has the form, and the check at its end."""
    if _FORM.fullmatch(folded) is None:
        return False
    total = sum(weight * _PLACES.index(place) for weight, place in zip(_WEIGHTS, folded, strict=False))
    return folded[-1] == _PLACES[-total % 31]
