"""WeChat's limits for the fields of a subscribe message.

Owns the limits, by the type in the field's key: `thing2` is a thing. It never changes the meaning of a text: only a
thing is shortened, and visibly; a number is not.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import Final

_KEY: Final = re.compile(r"([a-z]+(?:_[a-z]+)?)[0-9]*")
_THING: Final = 20
_NAME_CHINESE: Final = 10
_DIGITS: Final = 32
_AMOUNT_DIGITS: Final = 10
_SYMBOLS: Final = 5
_ELLIPSIS: Final = "…"
_EMPTY: Final = "-"
# Controls, invisible formats (also those that change the text direction), lone surrogates, line and paragraph ends.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_HAN: Final = r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]"
_HAS_HAN: Final = re.compile(_HAN)
_CLOCK: Final = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]"
_CHINESE_DAY: Final = r"[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日"
_DAY: Final = (
    rf"(?:{_CHINESE_DAY}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}|[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2})"
)
_TIME: Final = rf"(?:{_CHINESE_DAY} ?)?{_CLOCK}"
_DATE: Final = rf"{_DAY}(?: ?{_CLOCK})?"
_DAY_PARTS: Final = re.compile(r"([0-9]{4})[年\-/.]([0-9]{1,2})[月\-/.]([0-9]{1,2})")


class TemplateFieldError(ValueError):
    """A value that WeChat would refuse. Contains the field's key and a reason, never the value."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key, self.reason = key, reason


def _whole(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _moments(pattern: str) -> Callable[[str], bool]:
    shaped = _whole(rf"{pattern}(?: ?~ ?{pattern})?")
    return lambda text: shaped(text) and all(_is_day(*map(int, parts)) for parts in _DAY_PARTS.findall(text))


def _is_day(year: int, month: int, day: int) -> bool:
    with suppress(ValueError):
        return bool(date(year, month, day))
    return False


def _is_name(text: str) -> bool:
    if _HAS_HAN.search(text):
        return re.fullmatch(rf"(?:{_HAN}|[A-Za-z·. ]){{1,{_NAME_CHINESE}}}", text) is not None
    return re.fullmatch(r"[A-Za-z·. ]{1,20}", text) is not None


def _is_number(text: str) -> bool:
    return _decimal(text) and _digits(text) <= _DIGITS


def _is_amount(text: str) -> bool:
    signed = text and unicodedata.category(text[0]) == "Sc"
    number = (text[1:] if signed else text).removesuffix("元")
    return _decimal(number) and _digits(number) <= _AMOUNT_DIGITS


_decimal: Final = _whole(r"[0-9]+(?:\.[0-9]+)?")


def _digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)


def _is_symbols(text: str) -> bool:
    return len(text) <= _SYMBOLS and all(unicodedata.category(letter)[0] in "PS" for letter in text)


_LIMITS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "thing": (lambda text: len(text) <= _THING, "at most 20 characters"),
    "phrase": (_whole(rf"{_HAN}{{1,5}}"), "1 to 5 Chinese characters and nothing else"),
    "character_string": (_whole(r"[!-~]{1,32}"), "1 to 32 letters, digits and symbols"),
    "number": (_is_number, "at most 32 digits, with a decimal point or without"),
    "letter": (_whole(r"[A-Za-z]{1,32}"), "1 to 32 letters"),
    "symbol": (_is_symbols, "1 to 5 symbols"),
    "time": (_moments(_TIME), "15:01 or 2019年10月1日 15:01, or two of them with ~ between"),
    "date": (_moments(_DATE), "2019年10月1日, also with - / . and a time, or two with ~ between"),
    "name": (_is_name, "at most 10 characters with Chinese among them, else 20 letters"),
    "amount": (_is_amount, "one currency sign and at most 10 digits"),
    "phone_number": (_whole(r"[0-9+()\-]{1,17}"), "1 to 17 digits and symbols"),
    "car_number": (
        _whole(rf"(?:{_HAN}|[A-Za-z0-9])[A-Za-z0-9]{{0,6}}(?:{_HAN}|[A-Za-z0-9])?"),
        "1 to 8 letters and digits; the first and the last may be Chinese",
    ),
    "enum": (lambda _: True, "one of the template's own values"),  # which only WeChat knows
}


def check_fields(data: Mapping[str, str]) -> None:
    """Raise TemplateFieldError for the first value that WeChat would refuse."""
    for key, value in data.items():
        limit = _LIMITS.get(_kind(key))
        if limit is None:
            raise TemplateFieldError(key, "not a type of field that WeChat knows")
        if not value.strip():
            raise TemplateFieldError(key, "empty")
        if _visible(value) != value:
            raise TemplateFieldError(key, "a control character or a line end")
        fits, reason = limit
        if not fits(value):
            raise TemplateFieldError(key, reason)


def fit_field(key: str, text: str) -> str:
    """Return the text as a field of this key or type can show it: one line, and a thing shortened with "…".

    An empty text becomes "-". Other types cannot be shortened without changing their meaning: `check_fields` refuses
    them.
    """
    line = " ".join(_visible(" ".join(text.split())).split()) or _EMPTY
    if _kind(key) == "thing" and len(line) > _THING:
        return line[: _THING - len(_ELLIPSIS)].rstrip() + _ELLIPSIS
    return line


def _kind(key: str) -> str:
    match = _KEY.fullmatch(key)
    return match.group(1) if match else ""


def _visible(text: str) -> str:
    return "".join(letter for letter in text if unicodedata.category(letter) not in _INVISIBLE)
