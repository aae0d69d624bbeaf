"""Lists of officers: a CSV of many entries, validated as a whole before anything is written.

Owns the columns of a list and its errors, which name line and column, never the document number.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.citizens.documents import normalize, parse_document_type
from app.citizens.lookup import Document
from app.codes.models import Code
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem, json_pointer
from app.entries.content import DIAGNOSIS_KINDS, EntryContent, EntryKind, find_field_errors
from app.entries.effects import find_restrictions
from app.entries.validation import find_serials

PERSON_COLUMNS = ("serial", "document_number")  # a list has one of the two
REQUIRED_COLUMNS = ("kind", "authority", "reference")
DATE_COLUMNS = ("exposed_on", "first_day", "last_day")
COLUMNS = ("document_type", *PERSON_COLUMNS, *REQUIRED_COLUMNS, *DATE_COLUMNS)
CONTACT_COLUMNS = ("document_number", "exposed_on", "document_type")  # of a list of the contacts of one case
MAX_CONTACTS = 1000
_CHINESE_COLUMNS = {"证件号码": "document_number", "最后接触日期": "exposed_on", "证件类型": "document_type"}
_MAX_SERIAL = 2**62


class LineError(NamedTuple):
    """An error in a line; line 1 has the column names."""

    line: int
    field: FieldError


class InvalidList(Exception):
    """A list with errors, in the order of its lines. Nothing of it was written."""

    def __init__(self, mistakes: Sequence[LineError]) -> None:
        super().__init__(f"{len(mistakes)} errors")
        self.mistakes = mistakes


class ListLine(NamedTuple):
    """A valid line: content about the person with this serial or document."""

    number: int
    person: int | Document
    content: EntryContent


def parse_list(content: bytes, defaults: Mapping[str, str], today: date) -> list[ListLine]:
    """Parse a list; `defaults` fill for all lines what would be in a column. Raises InvalidList with every error."""
    mistakes: list[LineError] = []
    lines = [
        line
        for number, cells in _parse_rows(decode(content), defaults, mistakes)
        if (line := _parse_line(number, cells, today, mistakes)) is not None
    ]
    return _require_valid(lines, mistakes)


def parse_contacts(content: str, given: Mapping[str, str], defaults: Mapping[str, str], today: date) -> list[ListLine]:
    """Parse the contacts of one case: document numbers, each with its day or that of `defaults`. Raises InvalidList.

    A CSV, or cells pasted from a sheet: tabs are commas, and the columns may have Chinese names, or none when they are
    in their order.
    """
    mistakes: list[LineError] = []
    lines = []
    for number, cells in _parse_contact_rows(content, mistakes):
        filled = {name: cells.get(name) or defaults.get(name, "") for name in CONTACT_COLUMNS}
        line = _parse_line(number, {**filled, **given}, today, mistakes)
        lines += [line] if line else []
    return _require_valid(lines, mistakes)


def _require_valid(lines: list[ListLine], mistakes: list[LineError]) -> list[ListLine]:
    if not lines and not mistakes:
        mistakes = [LineError(1, FieldError("", "no-lines"))]
    if mistakes:
        raise InvalidList(mistakes)
    return lines


def validate_people(session: Session, encryption: FieldEncryption, lines: Sequence[ListLine]) -> None:
    """Require that serials exist, and that releases have something to release. Raises InvalidList with every error."""
    serials = find_serials(session, encryption, {line.person for line in lines})
    numbers = {person for person in serials if isinstance(person, int)}
    known = set(session.scalars(select(Code.serial).where(among(Code.serial, numbers))))
    released = [line for line in lines if line.content.kind is EntryKind.RELEASE and line.person in serials]
    restrictions = find_restrictions(session, {serials[line.person] for line in released})
    mistakes = []
    for line in lines:
        if isinstance(line.person, int) and line.person not in known:
            mistakes.append(LineError(line.number, FieldError("/serial", "no-such-citizen")))
        elif line.content.kind is EntryKind.RELEASE and _restriction_key(line, serials) not in restrictions:
            mistakes.append(LineError(line.number, FieldError("/reference", "nothing-to-release")))
    if mistakes:
        raise InvalidList(mistakes)


def _restriction_key(line: ListLine, serials: Mapping[int | Document, int]) -> tuple[int | None, str]:
    return serials.get(line.person), line.content.reference


# --- the file -----------------------------------------------------------------------------------------------------


def decode(content: bytes) -> str:
    """Decode UTF-8, or GB18030, as spreadsheets in China write it: a text in one is hardly valid in the other.

    Raises InvalidList where it is neither.
    """
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    raise InvalidList([LineError(1, FieldError("", "not-text"))])


def _parse_rows(
    content: str, given: Mapping[str, str], mistakes: list[LineError]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the cells of each line by column, with the defaults. Skips empty lines."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        mistakes += [LineError(1, field) for field in _find_column_errors(columns, given)]
        if mistakes:
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                mistakes.append(LineError(reader.line_num, FieldError("", "wrong-cells")))
            else:
                words = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
                yield reader.line_num, {**given, **words}
    except csv.Error:
        mistakes.append(LineError(max(reader.line_num, 1), FieldError("", "not-csv")))


def _parse_contact_rows(content: str, mistakes: list[LineError]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the cells of each line of a list of contacts by column; a line may omit the last of them."""
    plain = content.replace("\t", ",").replace("，", ",")
    reader = csv.reader(io.StringIO(plain, newline=""), strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(map(str.strip, cells))]
    except csv.Error:
        mistakes.append(LineError(max(reader.line_num, 1), FieldError("", "not-csv")))
        return
    columns: Sequence[str] = CONTACT_COLUMNS
    named = [_CHINESE_COLUMNS.get(cell, cell) for cell in rows[0][1]] if rows else []
    if set(named) & set(CONTACT_COLUMNS):
        columns, (first, _), rows = named, rows[0], rows[1:]
        mistakes += [LineError(first, field) for field in _find_contact_column_errors(columns)]
    if len(rows) > MAX_CONTACTS:
        mistakes.append(LineError(rows[MAX_CONTACTS][0], FieldError("", "list-too-long")))
    if mistakes:
        return
    for number, cells in rows:
        if len(cells) > len(columns):
            mistakes.append(LineError(number, FieldError("", "wrong-cells")))
        else:
            yield number, dict(zip(columns, cells, strict=False))


def _find_contact_column_errors(columns: Sequence[str]) -> Iterator[FieldError]:
    for name in dict.fromkeys(columns):
        if name not in CONTACT_COLUMNS:
            yield FieldError(json_pointer(name), "unknown")
        elif columns.count(name) > 1:
            yield FieldError(json_pointer(name), "given-twice")
    if "document_number" not in columns:
        yield FieldError("/document_number", "required")


def _find_column_errors(columns: Sequence[str], given: Mapping[str, str]) -> Iterator[FieldError]:
    for name in dict.fromkeys(columns):
        if name not in COLUMNS:
            yield FieldError(json_pointer(name), "unknown")
        elif columns.count(name) > 1 or name in given:
            yield FieldError(json_pointer(name), "given-twice")
    if sum(name in columns for name in PERSON_COLUMNS) != 1:
        yield FieldError("/document_number", "one-person-column")
    for name in REQUIRED_COLUMNS:
        if name not in columns and name not in given:
            yield FieldError(json_pointer(name), "required")


# --- a line -------------------------------------------------------------------------------------------------------


def _parse_line(number: int, cells: Mapping[str, str], today: date, mistakes: list[LineError]) -> ListLine | None:
    wrong: list[FieldError] = []
    person = _parse_serial(cells, wrong) if "serial" in cells else _parse_document(cells, today, wrong)
    content = _parse_content(cells, today, wrong)
    if wrong or person is None or content is None:
        mistakes += [LineError(number, field) for field in wrong]
        return None
    return ListLine(number, person, content)


def _parse_content(cells: Mapping[str, str], today: date, wrong: list[FieldError]) -> EntryContent | None:
    kind = next((kind for kind in EntryKind if kind == cells["kind"]), None)
    if kind is None:
        wrong.append(FieldError("/kind", "not-a-choice"))
    if kind in DIAGNOSIS_KINDS:  # it opens or ends a case, for which a list has no entry
        wrong.append(FieldError("/kind", "diagnosis-in-list"))
    days: dict[str, date | None] = {}
    bad_days: list[FieldError] = []
    for name in DATE_COLUMNS:
        days[name] = _parse_date(name, cells.get(name, ""), bad_days)
    wrong += bad_days
    if kind is None or bad_days:
        return None
    content = EntryContent(kind=kind, authority=cells["authority"], reference=cells["reference"], **days)
    wrong += find_field_errors(content, today)
    return content


def _parse_serial(cells: Mapping[str, str], wrong: list[FieldError]) -> int | None:
    digits = cells["serial"]
    if digits.isascii() and digits.isdigit() and len(digits) < 19 and 0 < int(digits) < _MAX_SERIAL:
        return int(digits)
    wrong.append(FieldError("/serial", "invalid"))
    return None


def _parse_document(cells: Mapping[str, str], today: date, wrong: list[FieldError]) -> Document | None:
    try:
        kind = parse_document_type(cells.get("document_type") or "id-card")
        return kind, normalize(kind, cells["document_number"], today)
    except Problem as problem:
        wrong += problem.fields or [FieldError("/document_type", "not-a-choice")]
    return None


def _parse_date(name: str, words: str, wrong: list[FieldError]) -> date | None:
    try:
        if words and len(words) != len("2020-03-15"):
            raise ValueError
        return date.fromisoformat(words) if words else None
    except ValueError:
        wrong.append(FieldError(json_pointer(name), "date-form"))
    return None
