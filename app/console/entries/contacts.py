"""The contacts of one case as a list: a file or pasted lines, validated as a whole, previewed, and saved as one entry.

`jixiang evidence import` takes longer lists than this page. Errors name the line, never a document number.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from flask import Response, request
from pydantic import Field

from app.citizens.documents import DocumentType, parse_document_type
from app.citizens.lookup import Document
from app.console.entries.new_entry import PreviewedForm, preview_or_save
from app.console.forms import parse_form, restore_form
from app.console.pages import language, page, send_download, views
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.entries import cases, validation
from app.entries.content import EntryKind, NewEntry
from app.entries.lists import template
from app.entries.lists.errors import InvalidList, LineError
from app.entries.lists.lines import LineRules, ListLine, parse_contacts
from app.entries.lists.tables import Table, read_table, write_table
from app.entries.lists.workbook import Bounds
from app.staff.context import begin_officer
from app.web import current_officer, get_services

_MAX_LENGTH: Final = 120_000  # letters of a list
_BOUNDS: Final = Bounds(unpacked=8 * 1024 * 1024, rows=10_000)  # of a file with at most a thousand people


class ContactsForm(PreviewedForm):
    """The form of a list: what all of it has in common, and its lines, unless they come as a file."""

    lines: str = Field(default="", max_length=_MAX_LENGTH, repr=False)
    document_type: str = Field(default="id-card", max_length=30)
    exposed_on: str = Field(default="", max_length=10)
    authority: str = Field(max_length=200)
    reference: str = Field(max_length=200)
    place: str = Field(default="", max_length=200)
    urgent: str = Field(default="", max_length=3)


@views.get("/cases/<int:id_>/contacts")
def contacts_page(id_: int) -> Response:
    return _page(id_, restore_form(ContactsForm))


@views.get("/cases/contacts.xlsx")
def contacts_workbook() -> Response:
    """Send an empty list of contacts as a workbook."""
    return send_download(template.make_workbook(template.CONTACTS, language()), "contacts.xlsx")


@views.get("/cases/contacts.csv")
def contacts_csv() -> Response:
    """Send an empty list of contacts as CSV."""
    return send_download(template.make_text(template.CONTACTS, language()), "contacts.csv")


@views.post("/cases/<int:id_>/contacts")
def record_contacts(id_: int) -> Response:
    """Preview the contacts of a list; save it as one entry once it was previewed."""
    filled, problem, mistakes = None, None, list[LineError]()
    try:
        filled = parse_form(ContactsForm)
        filled, table = _read_file(filled)
        new_entry, problem, mistakes = _read_entry(id_, filled, table)
        if new_entry is not None:
            return preview_or_save(filled, new_entry, table.layout)
    except Problem as error:
        problem = error
    except InvalidList as error:
        mistakes = [*error.mistakes]
    return _page(id_, filled, problem or Problem("invalid-request"), mistakes)


def _page(
    id_: int, filled: ContactsForm | None, problem: Problem | None = None, mistakes: Sequence[LineError] = ()
) -> Response:
    with get_services().sessions() as session:
        case = cases.get_open_case(session, id_, current_officer())
    errors = InvalidList(mistakes) if mistakes else None
    return page("contacts.html", case=case, filled=filled, types=list(DocumentType), problem=problem, errors=errors)


def _read_file(filled: ContactsForm) -> tuple[ContactsForm, Table]:
    """Read the file where one was chosen, else the lines; a file comes back as lines, without what is not used of it.

    Raises InvalidList where it cannot be read, Problem for too much.
    """
    file = request.files.get("file")
    content = file.read() if file else b""
    table = read_table(content or filled.lines, _BOUNDS)
    if content and not table.mistakes:
        filled = filled.model_copy(update={"lines": write_table(table)})
    if len(filled.lines) > _MAX_LENGTH:
        raise bad_field("/lines", "too-long")
    return filled, table


def _read_entry(
    id_: int, filled: ContactsForm, table: Table
) -> tuple[NewEntry | None, Problem | None, list[LineError]]:
    """Return the entry of a list, each of whose people has a day of their own; the entry has the latest.

    Otherwise what is wrong with the fields of the form and with the list, to be reported together.
    """
    header, problem, lines, mistakes = None, None, None, list[LineError]()
    try:
        header = _make_header(id_, filled)
    except Problem as error:
        problem = error
    try:
        lines = _parse_lines(filled, table)
    except InvalidList as error:
        mistakes = [*error.mistakes]
    if header is None or lines is None:
        return None, problem, mistakes
    days = {person: line.content.exposed_on for person, line in lines.items()}
    numbers = {person: line.number for person, line in lines.items()}
    latest = max(day for day in days.values() if day)
    return replace(header, exposed_on=latest, people=days, lines=numbers), None, []


def _make_header(id_: int, filled: ContactsForm) -> NewEntry:
    """Return the entry without its people, validated. Raises Problem with every bad field."""
    parse_document_type(filled.document_type)
    with begin_officer(get_services(), current_officer()) as context:
        new_entry = NewEntry(
            kind=EntryKind.CONTACT,
            authority=filled.authority.strip(),
            reference=filled.reference.strip(),
            place=filled.place.strip() or None,
            case=cases.get_open_case(context.session, id_, context.me).number,
            urgent=bool(filled.urgent),
            exposed_on=context.now.astimezone(BEIJING).date(),  # until the lines are read
        )
        validation.validate(context, replace(new_entry, people={0: None}), ())  # somebody: the lines say who
    return new_entry


def _parse_lines(filled: ContactsForm, table: Table) -> dict[int | Document, ListLine]:
    """Return the people of the list, each with the line of the latest of their days. Raises InvalidList."""
    services = get_services()
    given = {"kind": EntryKind.CONTACT.value, "authority": "——", "reference": "——"}  # the fields of the form say it
    defaults = {"exposed_on": filled.exposed_on, "document_type": filled.document_type}
    now = services.clock.now()
    rules = LineRules(now.astimezone(BEIJING).date(), services.policy.entry_days_at(now))
    lines = parse_contacts(table, given, defaults, rules)
    return {line.person: line for line in sorted(lines, key=lambda line: line.content.exposed_on or date.min)}
