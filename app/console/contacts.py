"""The contacts of one case as a list: a file or pasted lines, validated as a whole, previewed, and saved as one entry.

`jixiang evidence import` takes longer lists than this page. Errors name the line, never a document number.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Response, request
from pydantic import Field

from app.citizens.documents import DocumentType, parse_document_type
from app.citizens.lookup import Document
from app.console.entries import PreviewedForm, preview_or_save
from app.console.pages import page, parse_form, restore_form, views
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.entries import cases, lists, validation
from app.entries.content import EntryKind, NewEntry
from app.entries.lists import InvalidList, LineError, ListLine
from app.staff.context import OfficerContext, begin_officer
from app.web import current_officer, get_services

_MAX_SHOWN = 50  # errors on a page
_MAX_LENGTH = 60_000  # letters of a list


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


@views.post("/cases/<int:id_>/contacts")
def record_contacts(id_: int) -> Response:
    """Preview the contacts of a list; save it as one entry once it was previewed."""
    filled = None
    try:
        filled = parse_form(ContactsForm)
        filled = filled.model_copy(update={"lines": _read_lines(filled)})
        with begin_officer(get_services(), current_officer()) as context:
            new_entry = _validate_header(context, id_, filled)
        lines = _parse_lines(filled)
        days = {person: line.content.exposed_on for person, line in lines.items()}
        numbers = {person: line.number for person, line in lines.items()}
        latest = max(day for day in days.values() if day)
        return preview_or_save(filled, replace(new_entry, exposed_on=latest, people=days, lines=numbers))
    except InvalidList as error:
        return _page(id_, filled, Problem("invalid-request"), error.mistakes)
    except Problem as problem:
        return _page(id_, filled, problem)


def _page(
    id_: int, filled: ContactsForm | None, problem: Problem | None = None, mistakes: Sequence[LineError] = ()
) -> Response:
    with get_services().sessions() as session:
        case = cases.get_open_case(session, id_, current_officer())
    values: dict[str, Any] = {
        "mistakes": mistakes[:_MAX_SHOWN],
        "more": len(mistakes) - _MAX_SHOWN,
        "columns": lists.CONTACT_COLUMNS,
    }
    return page("contacts.html", case=case, filled=filled, types=list(DocumentType), problem=problem, **values)


def _read_lines(filled: ContactsForm) -> str:
    """Return the lines, of the file where one was chosen. Raises InvalidList for no text, Problem for too much."""
    file = request.files.get("file")
    content = file.read() if file else b""
    text = lists.decode(content) if content else filled.lines
    if len(text) > _MAX_LENGTH:
        raise bad_field("/lines", "too-long")
    return text


def _validate_header(context: OfficerContext, id_: int, filled: ContactsForm) -> NewEntry:
    """Return the entry without its people, validated. Raises Problem with every bad field."""
    new_entry = NewEntry(
        kind=EntryKind.CONTACT,
        authority=filled.authority.strip(),
        reference=filled.reference.strip(),
        place=filled.place.strip() or None,
        case=cases.get_open_case(context.session, id_, context.me).number,
        urgent=bool(filled.urgent),
        exposed_on=context.now.astimezone(BEIJING).date(),  # until the lines are read
    )
    parse_document_type(filled.document_type)
    validation.validate(context, replace(new_entry, people={0: None}), ())  # somebody: the lines say who
    return new_entry


def _parse_lines(filled: ContactsForm) -> dict[int | Document, ListLine]:
    """Return the people of the list, each with the line of the latest of their days. Raises InvalidList."""
    given = {"kind": EntryKind.CONTACT.value, "authority": filled.authority, "reference": filled.reference}
    defaults = {"exposed_on": filled.exposed_on, "document_type": filled.document_type}
    today = get_services().clock.now().astimezone(BEIJING).date()
    lines = lists.parse_contacts(filled.lines, given, defaults, today)
    return {line.person: line for line in sorted(lines, key=lambda line: line.content.exposed_on or date.min)}
