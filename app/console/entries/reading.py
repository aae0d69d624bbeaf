"""The form of a new entry as an entry: what is wrong with its fields and with its people is reported together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from pydantic import Field

from app.citizens.documents import parse_document_type
from app.console import uploads
from app.core.clock import BEIJING
from app.core.errors import FieldError, Problem
from app.entries import validation
from app.entries.content import EntryKind, NewEntry
from app.entries.lists.errors import InvalidList, LineError
from app.entries.lists.lines import LineRules, ListLine, parse_people
from app.entries.lists.tables import Table
from app.staff.context import begin_officer
from app.web import RequestBody, current_officer, get_services


class EntryForm(RequestBody):
    """The form of an entry: its content, and its people, one a line, unless they come as a file.

    It is sent twice: for the preview, and once that was shown.
    """

    kind: str = Field(max_length=20)
    document_type: str = Field(default="id-card", max_length=30)
    numbers: str = Field(default="", max_length=uploads.MAX_LENGTH, repr=False)
    authority: str = Field(max_length=200)
    reference: str = Field(max_length=200)
    exposed_on: str = Field(default="", max_length=10)
    first_day: str = Field(default="", max_length=10)
    last_day: str = Field(default="", max_length=10)
    place: str = Field(default="", max_length=200)
    case: str = Field(default="", max_length=100)
    urgent: str = Field(default="", max_length=3)
    previewed: str = Field(default="", max_length=3)


class ReadForm(NamedTuple):
    """A form that was read: its entry, and the table of its people; without an entry, what is wrong."""

    entry: NewEntry | None
    table: Table | None
    wrong: Sequence[FieldError] = ()
    mistakes: Sequence[LineError] = ()


def read_form(filled: EntryForm) -> tuple[EntryForm, ReadForm]:
    """Read a form; a file comes back as its lines. Raises Problem for an unknown kind of document."""
    parse_document_type(filled.document_type)
    wrong, mistakes, lines = list[FieldError](), list[LineError](), list[ListLine]()
    header, table = _read_header(filled, wrong), None
    try:
        typed, table = uploads.read_list(filled.numbers)
        filled = filled.model_copy(update={"numbers": typed})
    except InvalidList as error:
        mistakes += error.mistakes
    except Problem as problem:
        wrong += problem.fields
    own_days = bool(mistakes) if table is None else "exposed_on" in table.columns
    if header is not None:
        header = _add_content_errors(header, wrong, own_days=own_days)
        try:
            lines = [] if table is None else _read_lines(header, table, filled.document_type)
        except InvalidList as error:
            mistakes += error.mistakes
    if header is None or table is None or wrong or mistakes:
        return filled, ReadForm(None, table, wrong, mistakes)
    return filled, ReadForm(_with_people(header, lines, own_days=own_days), table)


def _read_header(filled: EntryForm, wrong: list[FieldError]) -> NewEntry | None:
    """Return the entry without its people, or None without a kind; what is wrong is added to `wrong`."""
    exposed_on, first_day, last_day = (
        _parse_date(name, getattr(filled, name), wrong) for name in ("exposed_on", "first_day", "last_day")
    )
    if filled.kind not in set(EntryKind):
        wrong.append(FieldError("/kind", "not-a-choice"))
        return None
    return NewEntry(
        kind=EntryKind(filled.kind),
        authority=filled.authority.strip(),
        reference=filled.reference.strip(),
        place=filled.place.strip() or None,
        case=filled.case.strip() or None,
        urgent=bool(filled.urgent),
        exposed_on=exposed_on,
        first_day=first_day,
        last_day=last_day,
    )


def _parse_date(name: str, words: str, wrong: list[FieldError]) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        wrong.append(FieldError(f"/{name}", "date-form"))
        return None


def _add_content_errors(header: NewEntry, wrong: list[FieldError], *, own_days: bool) -> NewEntry:
    """Add what is wrong with the content, once for each field; return the entry with the day of lines without one.

    `own_days`: the list may have the days of contacts. Where a field has the mistake, the lines do not repeat it: until
    it is corrected they are read as of today.
    """
    today = get_services().clock.now().astimezone(BEIJING).date()
    in_lines = header.kind is EntryKind.CONTACT and own_days
    given = {error.pointer for error in wrong}
    with begin_officer(get_services(), current_officer()) as context:
        checked = replace(header, exposed_on=today) if in_lines and header.exposed_on is None else header
        try:
            validation.validate_content(context, checked)
        except Problem as problem:
            wrong += [field for field in problem.fields if field.pointer not in given]
    is_bad = any(error.pointer == "/exposed_on" for error in wrong)
    return replace(header, exposed_on=today) if is_bad and header.kind is EntryKind.CONTACT else header


def _read_lines(header: NewEntry, table: Table, document_type: str) -> list[ListLine]:
    """Return the people of a list as its lines. Raises InvalidList."""
    services = get_services()
    now = services.clock.now()
    day = "" if header.exposed_on is None else header.exposed_on.isoformat()
    rules = LineRules(now.astimezone(BEIJING).date(), services.policy.entry_days_at(now))
    return parse_people(table, header.kind, {"document_type": document_type, "exposed_on": day}, rules)


def _with_people(header: NewEntry, lines: Sequence[ListLine], *, own_days: bool) -> NewEntry:
    """Return the entry with its people: who is named twice has the later day, and else the first line.

    In a list with days each contact has their own, and the entry the latest of these.
    """
    people = {line.person: line for line in sorted(lines, key=lambda line: (_day_of(line), -line.number))}
    ordered = sorted(people.values(), key=lambda line: line.number)
    numbers = {line.person: line.number for line in ordered}
    if not own_days:
        return replace(header, people=dict.fromkeys(numbers), lines=numbers)
    days = {line.person: line.content.exposed_on for line in ordered}
    return replace(header, exposed_on=max(map(_day_of, ordered)), people=days, lines=numbers)


def _day_of(line: ListLine) -> date:
    return line.content.exposed_on or date.min
