"""The lines of officers' lists: many entries, validated as a whole before anything is written.

Owns what a list must have. Errors name line and column, never the document number.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from app.citizens.documents import DocumentType, normalize, parse_document_type
from app.citizens.lookup import Document
from app.core.errors import FieldError, Problem, bad_field, json_pointer
from app.core.identity import spelling
from app.entries.content import DIAGNOSIS_KINDS, EntryContent, EntryKind, NewEntry, find_field_errors
from app.entries.lists.cells import DATE_COLUMNS, is_rounded, read_cell, unwrap
from app.entries.lists.errors import InvalidList, LineError
from app.entries.lists.tables import FORM_COLUMNS, PERSON_COLUMNS, Table
from app.rules import EntryDays

REQUIRED_COLUMNS = ("kind", "authority", "reference")
MAX_PEOPLE = 1000  # of one entry
_MAX_SERIAL = 2**62


class ListLine(NamedTuple):
    """A valid line: content about the person with this serial or document."""

    number: int
    person: int | Document
    content: EntryContent


class LineRules(NamedTuple):
    """What holds for every line: today, how far from it days may be, and the kind where all are of one entry."""

    today: date
    limits: EntryDays
    kind: EntryKind | None = None


def lines_of(new_entry: NewEntry) -> list[ListLine]:
    """Return an entry as the lines of a list: each person with what is recorded of them."""
    people = new_entry.people.items()
    content = {day: new_entry if day is None else replace(new_entry, exposed_on=day) for _, day in people}
    return [ListLine(new_entry.lines[person], person, content[day]) for person, day in people]


def parse_list(table: Table, defaults: Mapping[str, str], rules: LineRules) -> list[ListLine]:
    """Parse a list; `defaults` fill for all lines what would be in a column. Raises InvalidList with every error."""
    _require_columns(table, list(_find_column_errors(table.columns, defaults)))
    return _parse_lines(table, lambda row: {**defaults, **row}, rules)


def parse_people(table: Table, kind: EntryKind, defaults: Mapping[str, str], rules: LineRules) -> list[ListLine]:
    """Parse the people of one entry, whose form says all that they have in common. Raises InvalidList.

    Each may have a kind of document, and as a contact a day, of their own instead of that of `defaults`.
    """
    columns = find_form_columns(kind)
    _require_columns(table, list(_find_form_column_errors(table.columns, columns)))
    if len(table.rows) > MAX_PEOPLE:
        raise InvalidList([LineError(table.rows[MAX_PEOPLE][0], FieldError("", "list-too-long"))])
    stated = {"authority": "——", "reference": "——"}  # as the form states them

    def fill(row: Mapping[str, str]) -> dict[str, str]:
        own = {name: row.get(name) or defaults.get(name, "") for name in columns}
        return {**own, **stated, "kind": row.get("kind") or kind.value}

    return _parse_lines(table, fill, rules._replace(kind=kind))


def find_form_columns(kind: EntryKind) -> Sequence[str]:
    """Return the columns that the people of an entry of this kind may have: only a contact has a day of their own."""
    return [name for name in FORM_COLUMNS if name != "exposed_on" or kind is EntryKind.CONTACT]


def _require_columns(table: Table, wrong: Sequence[FieldError]) -> None:
    if wrong:
        raise InvalidList([*table.mistakes, *(LineError(table.layout.header or 1, field) for field in wrong)])
    if not table.rows:
        raise InvalidList(table.mistakes or [LineError(table.layout.header or 1, FieldError("", "no-lines"))])


def _find_column_errors(columns: Sequence[str], given: Mapping[str, str]) -> Iterator[FieldError]:
    yield from _find_repeated(columns, given)
    if sum(name in columns for name in PERSON_COLUMNS) != 1:
        yield FieldError("/document_number", "one-person-column")
    for name in REQUIRED_COLUMNS:
        if name not in columns and name not in given:
            yield FieldError(json_pointer(name), "required")


def _find_form_column_errors(columns: Sequence[str], expected: Sequence[str]) -> Iterator[FieldError]:
    """Yield what the people of one entry must not have; its authority and reference are given in the form."""
    yield from _find_repeated(columns, {})
    for name in dict.fromkeys(columns):
        if name not in (*expected, *REQUIRED_COLUMNS):
            yield FieldError(json_pointer(name), "not-of-entry")
    if "document_number" not in columns:
        yield FieldError("/document_number", "required")


def _find_repeated(columns: Sequence[str], given: Mapping[str, str]) -> Iterator[FieldError]:
    for name in dict.fromkeys(columns):
        if columns.count(name) > 1 or name in given:
            yield FieldError(json_pointer(name), "given-twice")


# --- a line -------------------------------------------------------------------------------------------------------


def _parse_lines(
    table: Table, fill: Callable[[Mapping[str, str]], Mapping[str, str]], rules: LineRules
) -> list[ListLine]:
    lines, mistakes = [], [*table.mistakes]
    for number, row in table.rows:
        wrong: list[FieldError] = []
        line = _parse_line(number, fill(row), rules, wrong)
        mistakes += [LineError(number, field) for field in wrong]
        lines += [line] if line else []
    if mistakes:
        raise InvalidList(sorted(mistakes, key=lambda mistake: mistake.line))
    return lines


def _parse_line(number: int, cells: Mapping[str, str], rules: LineRules, wrong: list[FieldError]) -> ListLine | None:
    read = _read_cells(cells, rules.today, wrong)
    person = _parse_person(read, rules.today, wrong)
    content = _parse_content(read, rules, wrong)
    return None if wrong or person is None or content is None else ListLine(number, person, content)


def _read_cells(cells: Mapping[str, str], today: date, wrong: list[FieldError]) -> dict[str, str | None]:
    """Return the cells in the forms that are kept, and None for each that is wrong by itself."""
    read: dict[str, str | None] = {}
    for name, cell in cells.items():
        try:
            read[name] = read_cell(name, cell, today)
        except Problem as problem:
            wrong += problem.fields
            read[name] = None
    return read


def _parse_person(cells: Mapping[str, str | None], today: date, wrong: list[FieldError]) -> int | Document | None:
    if "serial" in cells:
        return None if cells["serial"] is None else _parse_serial(cells["serial"], wrong)
    number, type_ = cells["document_number"], cells.get("document_type", "")
    if number is None or type_ is None:
        return None
    if not number:
        wrong.append(FieldError("/document_number", "required"))
        return None
    try:
        return _normalize(parse_document_type(type_ or "id-card"), number, today)
    except Problem as problem:
        wrong += problem.fields or [FieldError("/document_type", "not-a-choice")]
    return None


def parse_document(kind: DocumentType, number: str, today: date) -> Document:
    """Return a document that no spreadsheet has destroyed. Raises Problem for the field `/document_number`."""
    return _normalize(kind, read_cell("document_number", unwrap(number), today), today)


def _normalize(kind: DocumentType, number: str, today: date) -> Document:
    try:
        return kind, normalize(kind, number, today)
    except Problem as problem:
        (slug,) = (field.slug for field in problem.fields)
        rounded = slug == "number-check-digit" and is_rounded(spelling.fold_number(number))
        raise bad_field("/document_number", "number-rounded" if rounded else slug) from None


def _parse_serial(digits: str, wrong: list[FieldError]) -> int | None:
    if digits.isascii() and digits.isdigit() and len(digits) < 19 and 0 < int(digits) < _MAX_SERIAL:
        return int(digits)
    wrong.append(FieldError("/serial", "invalid"))
    return None


def _parse_content(cells: Mapping[str, str | None], rules: LineRules, wrong: list[FieldError]) -> EntryContent | None:
    kind = next((kind for kind in EntryKind if kind == cells["kind"]), None)
    if kind is None and cells["kind"] is not None:
        wrong.append(FieldError("/kind", "not-a-choice" if cells["kind"] else "required"))
    elif rules.kind is not None and kind is not rules.kind:
        wrong.append(FieldError("/kind", "not-of-entry"))
        return None
    elif rules.kind is None and kind in DIAGNOSIS_KINDS:  # it opens or ends a case, for which a list has no entry
        wrong.append(FieldError("/kind", "diagnosis-in-list"))
    authority, reference = cells["authority"], cells["reference"]
    days = {name: cells.get(name, "") for name in DATE_COLUMNS}
    if kind is None or authority is None or reference is None or None in days.values():
        return None
    read = {name: date.fromisoformat(day) if day else None for name, day in days.items()}
    content = EntryContent(kind=kind, authority=authority, reference=reference, **read)
    if rules.kind not in (None, EntryKind.CONTACT):  # the form has their days
        return content
    wrong += find_field_errors(content, rules.today, rules.limits)
    return content
