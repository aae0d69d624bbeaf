"""The table in a file: which row has its headings, which column is which, and what around it is not read.

Title rows above and totals below are left out, and reported; none that could name somebody is.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple

from app.core.errors import FieldError
from app.core.identity import spelling
from app.entries.lists import cells, text_file, words, workbook
from app.entries.lists.errors import InvalidList, LineError
from app.entries.lists.text_file import Row
from app.entries.lists.workbook import Bounds, Sheets

PERSON_COLUMNS: Final = ("serial", "document_number")  # a list has one of the two
FORM_COLUMNS: Final = ("document_number", "exposed_on", "document_type")  # in this order where they have no headings
ANY_LENGTH: Final = Bounds(unpacked=512 * 1024 * 1024, rows=1_048_576)
_HEADINGS_WITHIN: Final = 30  # rows with anything in them, from the top
_IDENTIFIER: Final = re.compile(r"[A-Z]{0,3}[0-9]{7,}[0-9A-Z]?|[0-9](\.[0-9]+)?E\+[0-9]+")
_SOMEBODY: Final = re.compile(r"[0-9]{15}|[0-9]{17}[0-9X]|[A-Z]{1,3}[0-9]{8,}|[0-9](\.[0-9]+)?E\+[0-9]+")


class Layout(NamedTuple):
    """How a list was read: the row of its headings, None where it has none, and its columns.

    `headings` are the headings by field, in the words of words.toml. `unused` names columns by their letter, with the
    heading where that is a known word: nothing else of a file is shown. `left_out` are rows around the table;
    `has_hidden` is whether the spreadsheet hides some rows, which are read all the same.
    """

    header: int | None
    headings: Mapping[str, str]
    unused: Sequence[str]
    left_out: Sequence[int]
    has_hidden: bool = False


class Table(NamedTuple):
    """The rows of a list, each with its cells by field, and how they were found. `columns` can repeat a field.

    With `mistakes`, of rows that are not in order, it is no table that may be used.
    """

    layout: Layout
    columns: Sequence[str]
    rows: Sequence[tuple[int, Mapping[str, str]]]
    mistakes: Sequence[LineError] = ()


def read_table(content: bytes | str, bounds: Bounds = ANY_LENGTH) -> Table:
    """Read the file of a list, or what was pasted or typed: numbers, one a line, need not look like any.

    Raises InvalidList where no table can be found.
    """
    sheets, has_hidden = _read_sheets(content, bounds)
    rows = next((sheet for sheet in sheets if _find_header(sheet) is not None), sheets[0] if sheets else [])
    if not rows:
        raise _refusal(1, "no-lines")
    if any(_names_somebody(row) for sheet in sheets if sheet is not rows for _, row in sheet):
        raise _refusal(1, "several-sheets")
    header = _find_header(rows)
    is_typed = isinstance(content, str) and all(len(row) == 1 for _, row in rows)
    table = _read_without_header(rows, is_typed=is_typed) if header is None else _read_below(rows, header)
    return table._replace(layout=table.layout._replace(has_hidden=has_hidden))


def write_table(table: Table) -> str:
    """Return the columns that are read as a text that reads as the same lines, with the same numbers."""
    rows: list[Row] = [(number, [row.get(field, "") for field in table.columns]) for number, row in table.rows]
    header: list[Row] = [] if table.layout.header is None else [(table.layout.header, table.columns)]
    return text_file.write_rows([*header, *rows])


def _read_sheets(content: bytes | str, bounds: Bounds) -> Sheets:
    if isinstance(content, bytes):
        if content.startswith(workbook.BEGIN):
            sheets = workbook.read_sheets(content, bounds)
            return sheets._replace(rows=[sheet for one in sheets.rows if (sheet := _clean(one))])
        if content.startswith(workbook.OLD_BEGIN):
            raise _refusal(1, "old-workbook")
        content = text_file.decode(content)
    return Sheets([_clean(text_file.read_rows(content, _count_headings))], has_hidden=False)


def _clean(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that have anything in them, their cells unwrapped."""
    cleaned = [(number, [cells.unwrap(cell) for cell in row]) for number, row in rows]
    return [(number, row) for number, row in cleaned if any(row)]


def _refusal(line: int, slug: str, pointer: str = "") -> InvalidList:
    return InvalidList([LineError(line, FieldError(pointer, slug))])


# --- headings -----------------------------------------------------------------------------------------------------


def _find_header(rows: Sequence[Row]) -> int | None:
    """Return the place of the row that names the columns: the first that has a heading of the people."""
    for place, (_, row) in enumerate(rows[:_HEADINGS_WITHIN]):
        if any(_field_of(cell) in PERSON_COLUMNS for cell in row):
            return place
    return None


def _field_of(heading: str) -> str | None:
    return words.find_word("columns", heading)


def _count_headings(row: Sequence[str]) -> int:
    fields = [_field_of(cells.unwrap(cell)) for cell in row]
    return sum(field is not None for field in fields) if set(fields) & set(PERSON_COLUMNS) else 0


def _read_below(rows: Sequence[Row], place: int) -> Table:
    """Read the rows below the headings. A row around them that could name somebody is a mistake."""
    number, headings = rows[place]
    fields = [_field_of(heading) for heading in headings]
    above, below = rows[:place], rows[place + 1 :]
    around = [row for row in below if _is_around(row[1], fields, headings)]
    mistakes = [LineError(line, FieldError("", "line-above-headings")) for line, row in above if _names_somebody(row)]
    left_out = {line for line, _ in (*above, *around)}
    read = [(line, row) for line, row in below if line not in left_out and _is_filled(row, headings)]
    mistakes += [LineError(line, FieldError("", "wrong-cells")) for line, row in read if any(row[len(headings) :])]
    layout = Layout(number, _name_headings(headings, fields), _name_unused(headings, fields, read), sorted(left_out))
    columns = [field for field in fields if field is not None]
    return Table(layout, columns, [(line, _by_field(row, fields)) for line, row in read], mistakes)


def _is_around(row: Sequence[str], fields: Sequence[str | None], headings: Sequence[str]) -> bool:
    """Return whether a row is no line of the list: a total, who filled it in, or the headings of the next page."""
    people = [cell for cell, field in zip(row, fields, strict=False) if field in PERSON_COLUMNS and cell]
    if any(map(_IDENTIFIER.match, people)):  # as nearly always
        return False
    first = next(cell for cell in row if cell)
    return list(row) == list(headings) or (words.begins_below(first) and not _names_somebody(row))


def _names_somebody(row: Sequence[str]) -> bool:
    return any(_SOMEBODY.fullmatch(spelling.fold_number(cell)) for cell in row)


def _is_filled(row: Sequence[str], headings: Sequence[str]) -> bool:
    """Return whether a row has more than the number that many lists give each row beforehand."""
    numbered = {place for place, heading in enumerate(headings) if words.find_word("unused", heading) == "row"}
    return any(cell for place, cell in enumerate(row) if place not in numbered)


def _by_field(row: Sequence[str], fields: Sequence[str | None]) -> dict[str, str]:
    """Return the cells by field; those that a short row does not have are empty."""
    cells_of = zip_longest(fields, row[: len(fields)], fillvalue="")
    return {field: cell for field, cell in cells_of if field is not None}


def _name_headings(headings: Sequence[str], fields: Sequence[str | None]) -> dict[str, str]:
    pairs = zip(fields, map(words.find_heading, headings), strict=True)
    return {field: heading for field, heading in pairs if field is not None and heading is not None}


def _name_unused(headings: Sequence[str], fields: Sequence[str | None], rows: Sequence[Row]) -> list[str]:
    named = []
    for place, (heading, field) in enumerate(zip(headings, fields, strict=True)):
        known = words.find_heading(heading)
        if field is None and (heading or any(place < len(row) and row[place] for _, row in rows)):
            named.append(_letter(place) + (f" {known}" if known else ""))
    return named


def _letter(place: int) -> str:
    """Return the letter of a column, as spreadsheets have it."""
    return ("" if place < 26 else _letter(place // 26 - 1)) + chr(ord("A") + place % 26)


# --- without headings ---------------------------------------------------------------------------------------------


def _read_without_header(rows: Sequence[Row], *, is_typed: bool) -> Table:
    """Read columns in their order, from the first that has anything. Raises InvalidList where these are no numbers."""
    filled = sorted({place for _, row in rows for place, cell in enumerate(row) if cell})
    first_line, first_row = rows[0]
    first = first_row[filled[0]] if len(first_row) > filled[0] else ""
    if not is_typed and not _IDENTIFIER.match(spelling.fold_number(first)):
        raise _refusal(first_line, "no-headings", "/document_number")
    wide = [number for number, row in rows if any(row[place] for place in filled[3:] if place < len(row))]
    mistakes = [LineError(number, FieldError("", "wrong-cells")) for number in wide]
    fields: list[str | None] = [None] * (filled[-1] + 1)
    for place, field in zip(filled, FORM_COLUMNS, strict=False):
        fields[place] = field
    columns = [field for field in fields if field is not None]
    return Table(Layout(None, {}, (), ()), columns, [(line, _by_field(row, fields)) for line, row in rows], mistakes)
