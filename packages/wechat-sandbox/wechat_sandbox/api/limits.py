"""What a value in a subscribe message may be, by the type in its key (`thing2` is a thing).

Written from WeChat's table of limits alone and shared with no client, so that a client that breaks
a limit is found out. Where the table leaves a doubt, this module refuses.
"""

import re
import unicodedata

_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]"
_LATIN = r"[A-Za-z·. ]"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_DATE = "[0-9]{4}(?:" + "|".join(
    rf"{after_year}{_MONTH}{after_month}{_DAY}{after_day}"
    for after_year, after_month, after_day in (
        ("年", "月", "日"), ("-", "-", ""), ("/", "/", ""), (r"\.", r"\.", ""),
    )
) + ")"  # fmt: skip
_CLOCK_MAYBE_DATED = rf"(?:{_DATE} ?)?{_CLOCK}"
_DATE_MAYBE_CLOCK = rf"{_DATE}(?: ?{_CLOCK})?"

_WHOLE = {
    "thing": r".{1,20}",
    "phrase": rf"{_HAN}{{1,5}}",
    "character_string": r"[!-~]{1,32}",
    "number": r"(?!(?:\.?[0-9]){33})[0-9]+(?:\.[0-9]+)?",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^\w\s]{1,5}",
    "time": rf"{_CLOCK_MAYBE_DATED}(?: ?~ ?{_CLOCK_MAYBE_DATED})?",
    "date": rf"{_DATE_MAYBE_CLOCK}(?: ?~ ?{_DATE_MAYBE_CLOCK})?",
    "name": rf"(?:{_HAN}|{_LATIN}){{1,10}}|{_LATIN}{{1,20}}",
    "amount": r"[¥￥$€£₩₽₹]?[0-9]{1,10}(?:\.[0-9]{1,10})?元?",
    "phone_number": r"[0-9+\-() ]{1,17}",
    "car_number": rf"(?:{_HAN}|[A-Za-z0-9])(?:[A-Za-z0-9]{{0,6}}(?:{_HAN}|[A-Za-z0-9]))?",
    "enum": r".{1,20}",
}
_KEY = re.compile(r"([a-z_]+?)[0-9]+")
_UNPRINTABLE = {"Cc", "Zl", "Zp"}


def fault(key: str, value: str) -> str | None:
    """What WeChat says against the value; None when it keeps to the limits of its key's type."""
    if not value.strip():
        return f"data.{key}.value is empty"
    kind = _KEY.fullmatch(key)
    pattern = _WHOLE.get(kind.group(1)) if kind else None
    printable = not any(unicodedata.category(letter) in _UNPRINTABLE for letter in value)
    if pattern is None or not printable or not re.fullmatch(pattern, value):
        return f"data.{key}.value invalid"
    return None
