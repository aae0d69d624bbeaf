"""Workbooks (.xlsx) as rows of text: bounded before anything is unpacked, and nothing in them is evaluated.

A formula counts as the value that was saved with it. See decision 36.
"""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from io import BytesIO
from typing import Any, Final, NamedTuple

from app.core.errors import FieldError
from app.entries.lists.errors import InvalidList, LineError
from app.entries.lists.text_file import Row

BEGIN: Final = b"PK\x03\x04"
OLD_BEGIN: Final = b"\xd0\xcf\x11\xe0"  # .xls, .et, and any workbook with a password
_MAX_COLUMNS: Final = 100
_MAX_PARTS: Final = 1000
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ />]")
_HIDDEN_ROW: Final = re.compile(rb'<(?:\w+:)?row\b[^>]*\shidden="(?:1|true)"')
_STRICT: Final = {  # the names that Excel writes for "Strict Open XML", and those that openpyxl knows
    b"http://purl.oclc.org/ooxml/spreadsheetml/main": b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    b"http://purl.oclc.org/ooxml/officeDocument/relationships": (
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    ),
}
_ESCAPE: Final = re.compile(r"_x00(09|0A|0D|5F)_", re.IGNORECASE)  # of a tab, a line end, an underscore before an x
_EXACT: Final = 10**15  # from here on a spreadsheet's number has lost digits
# zipfile, zlib, the XML parsers and openpyxl on a file that is none, or is broken
_UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, KeyError, IndexError, ValueError, TypeError, AttributeError, SyntaxError, OSError,
    EOFError, NotImplementedError, RuntimeError,
)  # fmt: skip

# a warning of openpyxl quotes the value of a cell
warnings.filterwarnings("ignore", module="openpyxl")


class Bounds(NamedTuple):
    """How much of a file is read: bytes once unpacked, and rows."""

    unpacked: int
    rows: int


class _Traits(NamedTuple):
    """What the XML of the sheets says: formulas, hidden rows, the names of Strict Open XML."""

    has_formulas: bool
    has_hidden: bool
    is_strict: bool


class Sheets(NamedTuple):
    """The rows of each visible sheet that has any, and whether some of the workbook are hidden, such as by a filter."""

    rows: list[list[Row]]
    has_hidden: bool


def read_sheets(content: bytes, bounds: Bounds) -> Sheets:
    """Read the visible sheets of a workbook. Raises InvalidList."""
    try:
        traits = _inspect(content, bounds)
        content = _with_common_names(content) if traits.is_strict else content
        sheets = [_read_rows(sheet, bounds) for sheet in _open_sheets(content, data_only=True)]
        lost = _find_lost_values(content, bounds) if traits.has_formulas else []
    except _UNREADABLE:
        raise _refusal("not-a-workbook") from None
    if lost:
        raise InvalidList([LineError(number, FieldError("", "formula-without-value")) for number in lost])
    return Sheets([sheet for sheet in sheets if sheet], traits.has_hidden)


def _inspect(content: bytes, bounds: Bounds) -> _Traits:
    """Return the traits of a workbook. Raises InvalidList, before it is unpacked, for one that is too large.

    The declared sizes can be believed: zipfile unpacks no more than these.
    """
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > _MAX_PARTS or sum(part.file_size for part in parts) > bounds.unpacked:
            raise _refusal("workbook-too-large")
        sheets = [part for part in parts if part.filename.startswith("xl/worksheets/")]
        found = [
            _Traits(bool(_FORMULA.search(xml)), bool(_HIDDEN_ROW.search(xml)), any(name in xml for name in _STRICT))
            for xml in map(archive.read, sheets)
        ]
    return _Traits(*(any(column) for column in zip(*found, strict=True))) if found else _Traits(False, False, False)


def _with_common_names(content: bytes) -> bytes:
    """Return a workbook of Strict Open XML under the names by which openpyxl finds its sheets; it would see none."""
    output = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as strict, zipfile.ZipFile(output, "w") as common:
        for part in strict.infolist():
            xml = strict.read(part)
            for name, known in _STRICT.items():
                xml = xml.replace(name, known)
            common.writestr(part.filename, xml)
    return output.getvalue()


def _open_sheets(content: bytes, *, data_only: bool) -> list[Any]:
    from openpyxl import load_workbook  # a quarter of what a web process would take to start, for a few lists a day

    book = load_workbook(BytesIO(content), read_only=True, data_only=data_only, keep_links=False)
    return [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]


def _read_rows(sheet: Any, bounds: Bounds) -> list[Row]:
    """Return the rows that have anything in them, all as wide as the widest."""
    rows: list[tuple[int, list[str]]] = []
    for number, values in _iterate(sheet, bounds, values_only=True):
        cells = [_text_of(value) for value in values]
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            rows.append((number, cells))
    width = max((len(cells) for _, cells in rows), default=0)
    return [(number, [*cells, *[""] * (width - len(cells))]) for number, cells in rows]


def _iterate(sheet: Any, bounds: Bounds, *, values_only: bool) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the rows of a sheet with their numbers. Raises InvalidList for too many."""
    sheet.reset_dimensions()  # some programs write a wrong size, and beyond it nothing would be read
    for number, cells in enumerate(sheet.iter_rows(values_only=values_only), 1):
        if number > bounds.rows:
            raise _refusal("workbook-too-large")
        yield number, cells[:_MAX_COLUMNS]


def _find_lost_values(content: bytes, bounds: Bounds) -> list[int]:
    """Return the rows with a formula of which no value was saved: they would look empty."""
    lost = []
    valued, written = (_open_sheets(content, data_only=data_only) for data_only in (True, False))
    for sheet, formulas in zip(valued, written, strict=True):
        rows = _iterate(sheet, bounds, values_only=True), _iterate(formulas, bounds, values_only=False)
        for (number, values), (_, cells) in zip(*rows, strict=False):
            pairs = zip(values, cells, strict=False)
            lost += [number] if any(value is None and cell.data_type == "f" for value, cell in pairs) else []
    return lost


def _text_of(value: Any) -> str:
    """Return the value of a cell as text: days as 2020-03-15, and numbers that have lost digits as 2.20102E+17."""
    match value:
        case None:
            return ""
        case datetime():
            return str(value.date() if value.time() == time() else value)
        case str():
            return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
        case bool() | date() | time():
            return str(value)
        case int() | float() if abs(value) >= _EXACT:
            return f"{value:.5E}"
        case float() if value.is_integer():
            return str(int(value))
    return str(value)


def _refusal(slug: str) -> InvalidList:
    return InvalidList([LineError(1, FieldError("", slug))])
