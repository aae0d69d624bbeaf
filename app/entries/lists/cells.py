"""Cells of a list: out of what spreadsheets wrap them in, and in the forms in which officers write days and kinds.

What is ambiguous is not guessed, and a number that a spreadsheet has destroyed is refused as that.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

from app.core.errors import bad_field, json_pointer
from app.core.identity import spelling
from app.entries.lists import words

DATE_COLUMNS: Final = ("exposed_on", "first_day", "last_day")
_AROUND: Final = " \t\r\n\u00a0\u3000\ufeff\u200b\u200e\u200f\u202a\u202c"
_QUOTED: Final = re.compile(r'="(.*)"', re.DOTALL)  # a formula that keeps a number a text
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+|[0-9]{16,}\.0+")
_DAY: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{1,2})-|/([0-9]{1,2})/|\.([0-9]{1,2})\.|年([0-9]{1,2})月|(?=[0-9]{4}$)([0-9]{2}))([0-9]{1,2})[日号]?"
)
_AFTER_DAY: Final = re.compile(  # a time, or the day of the week
    r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?| ?(?:星期|周)[一二三四五六日天])$"
)
_SERIAL_DAY: Final = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")
_BEFORE_SERIALS: Final = date(1899, 12, 30)  # of spreadsheets whose days begin in 1900
_SERIAL_RANGE: Final = timedelta(days=366)  # around today; the days of 1904 are four years from these


def unwrap(cell: str) -> str:
    """Return a cell without blanks around it, the formula that keeps it a text, and the apostrophe before it."""
    if cell.isalnum():  # as nearly always
        return cell
    plain = cell.strip(_AROUND)
    if plain.startswith("=") and (found := _QUOTED.fullmatch(plain)):
        plain = found[1].replace('""', '"').strip(_AROUND)
    return plain.lstrip("'‘’＇").strip(_AROUND)


def read_cell(field: str, cell: str, today: date) -> str:
    """Return a cell in the form that is kept: days as 2020-03-15, kinds by their names in code. Raises Problem."""
    if cell.startswith(("=", "＝")):
        raise bad_field(json_pointer(field), "formula")
    reader = _READERS.get(field)
    return reader(field, cell, today) if reader and cell else cell


def is_rounded(number: str) -> bool:
    """Return whether a number may have lost its last digits: a spreadsheet keeps fifteen of eighteen."""
    return len(number) == 18 and number.endswith("000")


def _read_number(field: str, cell: str, _today: date) -> str:
    if cell.isalnum():
        return cell
    folded = spelling.fold_number(cell)
    if _SCIENTIFIC.fullmatch(folded):
        raise bad_field(json_pointer(field), "number-destroyed")
    return re.sub(r"(?<=[0-9])\.0+$", "", cell)


def _read_day(field: str, cell: str, today: date) -> str:
    plain = _AFTER_DAY.sub("", cell if cell.isascii() else spelling.fold(cell).strip())
    try:
        if found := _SERIAL_DAY.fullmatch(plain):
            day = _BEFORE_SERIALS + timedelta(days=int(found[1]))
            if abs(day - today) > _SERIAL_RANGE:
                raise ValueError
            return day.isoformat()
        if not (found := _DAY.fullmatch(plain)):
            raise ValueError
        year, *months, day_of_month = found.groups()
        return date(int(year), int(next(filter(None, months))), int(day_of_month)).isoformat()
    except ValueError:
        raise bad_field(json_pointer(field), "date-form") from None


def _read_word(section: str) -> Callable[[str, str, date], str]:
    return lambda _field, cell, _today: words.find_word(section, cell) or cell


_READERS: Final[Mapping[str, Callable[[str, str, date], str]]] = {
    "document_number": _read_number,
    "serial": _read_number,
    "document_type": _read_word("document-types"),
    "kind": _read_word("kinds"),
    **dict.fromkeys(DATE_COLUMNS, _read_day),
}
