"""Text files of spreadsheets as rows of cells: CSV and TSV in the encodings and with the delimiters that they write."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from app.core.errors import FieldError
from app.entries.lists.errors import InvalidList, LineError

Row = tuple[int, Sequence[str]]  # numbered as in the spreadsheet, empty ones too

_BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",  # "Unicode text" of Excel and WPS
    codecs.BOM_UTF16_BE: "utf-16",
}
_DELIMITERS: Final = (",", "\t", ";", "，")
_SAMPLE: Final = 8192  # characters by which the delimiter is found
_DELIMITER_LINE: Final = re.compile(r'"?sep=([,;\t|，])"?\r?\n')  # which Excel reads and does not show


def decode(content: bytes) -> str:
    """Decode a text by its byte order mark, else as UTF-8 or GB18030: a text in one is hardly valid in the other.

    Raises InvalidList where it is none of them.
    """
    marked = [name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)]
    for encoding in marked or ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InvalidList([LineError(1, FieldError("", "not-text"))])


def read_rows(text: str, count_headings: Callable[[Sequence[str]], int]) -> list[Row]:
    """Return the rows of a text. Raises InvalidList for an unpaired quotation mark.

    The delimiter is the one by which a row has most headings. Without headings any of them separates, row by row.
    """
    if found := _DELIMITER_LINE.match(text):
        return [(1, ()), *((number + 1, cells) for number, cells in _split(text[found.end() :], found[1]))]
    sample = text[:_SAMPLE]
    headings = {delimiter: _most_headings(sample, delimiter, count_headings) for delimiter in _DELIMITERS}
    delimiter = max(headings, key=lambda one: headings[one])  # of several the first
    if not headings[delimiter]:
        return list(_split(re.sub("[\t;，]", ",", text), ","))
    return list(_split(text, delimiter))


def write_rows(rows: Sequence[Row]) -> str:
    """Return rows as a text that reads as the same rows, with tabs between the cells."""
    text, filled = io.StringIO(newline=""), dict(rows)
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    for number in range(1, max(filled, default=0) + 1):
        writer.writerow(filled.get(number, ()))
    return text.getvalue()


def _most_headings(sample: str, delimiter: str, count_headings: Callable[[Sequence[str]], int]) -> int:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    return max((count_headings(cells) for cells in reader), default=0)


def _split(text: str, delimiter: str) -> Iterator[Row]:
    reader, number = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 0
    try:
        for number, cells in enumerate(reader, 1):
            yield number, cells
    except csv.Error:
        raise InvalidList([LineError(number + 1, FieldError("", "not-csv"))]) from None
