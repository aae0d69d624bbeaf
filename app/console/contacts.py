"""The contacts of one case, brought as a list: a file or pasted lines, checked whole, looked at, and proposed as one.

A list of more lines than a page takes goes by `jixiang evidence import`. Mistakes are told by line, never by number.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flask import Response, request
from pydantic import Field
from sqlalchemy.orm import Session

from app.citizens.accounts import Document
from app.citizens.documents import DocumentType, parse_document_type
from app.console.entries import preview_or_save
from app.console.pages import page, parse_form, views
from app.core.clock import BEIJING
from app.core.errors import Problem, bad_field
from app.entries import cases, lists, validation
from app.entries.content import EntryKind
from app.entries.lists import InvalidList, LineError
from app.entries.validation import NewEntry
from app.web import RequestBody, current_officer, get_services

_MAX_SHOWN = 50  # mistakes on a page
_MAX_LENGTH = 60_000  # letters of a list


class ContactsForm(RequestBody):
    """The form of a list: what holds for all of it, and its lines, unless they come as a file."""

    lines: str = Field(default="", max_length=_MAX_LENGTH, repr=False)
    document_type: str = Field(default="id-card", max_length=30)
    exposed_on: str = Field(default="", max_length=10)
    authority: str = Field(max_length=200)
    reference: str = Field(max_length=200)
    place: str = Field(default="", max_length=200)
    urgent: str = Field(default="", max_length=3)
    previewed: str = Field(default="", max_length=3)


@views.get("/cases/<int:id_>/contacts")
def contacts_page(id_: int) -> Response:
    return _page(id_, None)


@views.post("/cases/<int:id_>/contacts")
def record_contacts(id_: int) -> Response:
    """Show what is known about the contacts of a list; save it as one entry when the officer has looked."""
    filled = None
    try:
        filled = parse_form(ContactsForm)
        filled = filled.model_copy(update={"lines": _read_lines(filled)})
        with get_services().sessions() as session:
            new_entry = _validate_header(session, id_, filled)
        days = _parse_days(filled)
        return preview_or_save(filled, replace(new_entry, exposed_on=max(days.values())), days)
    except InvalidList as wrong:
        return _page(id_, filled, Problem("invalid-request"), wrong.mistakes)
    except Problem as problem:
        return _page(id_, filled, problem)


def _page(
    id_: int, filled: ContactsForm | None, problem: Problem | None = None, mistakes: Sequence[LineError] = ()
) -> Response:
    with get_services().sessions() as session:
        case = cases.get_open_case(session, id_, current_officer())
    told: dict[str, Any] = {
        "mistakes": mistakes[:_MAX_SHOWN],
        "more": len(mistakes) - _MAX_SHOWN,
        "columns": lists.CONTACT_COLUMNS,
    }
    return page("contacts.html", case=case, filled=filled, types=list(DocumentType), problem=problem, **told)


def _read_lines(filled: ContactsForm) -> str:
    """The lines, from the file where one was chosen. Raises WrongList for what is no text, Problem for too much."""
    file = request.files.get("file")
    content = file.read() if file else b""
    text = lists.decode(content) if content else filled.lines
    if len(text) > _MAX_LENGTH:
        raise bad_field("/lines", "too-long")
    return text


def _validate_header(session: Session, id_: int, filled: ContactsForm) -> NewEntry:
    """What holds for the whole list, in order. Raises Problem with every bad field."""
    now = get_services().clock.now()
    new_entry = NewEntry(
        kind=EntryKind.CONTACT,
        authority=filled.authority.strip(),
        reference=filled.reference.strip(),
        place=filled.place.strip() or None,
        case=cases.get_open_case(session, id_, current_officer()).number,
        urgent=bool(filled.urgent),
        exposed_on=now.astimezone(BEIJING).date(),  # until the lines are read
    )
    parse_document_type(filled.document_type)
    validation.validate(session, current_officer(), new_entry, 1, (), now)
    return new_entry


def _parse_days(filled: ContactsForm) -> dict[Document, date]:
    """The people of the list, each with the latest of their days. Raises WrongList with every mistake."""
    given = {"kind": EntryKind.CONTACT.value, "authority": filled.authority, "reference": filled.reference}
    defaults = {"exposed_on": filled.exposed_on, "document_type": filled.document_type}
    today = get_services().clock.now().astimezone(BEIJING).date()
    days: dict[Document, date] = {}
    for line in lists.parse_contacts(filled.lines, given, defaults, today):
        assert not isinstance(line.person, int) and line.content.exposed_on is not None
        days[line.person] = max(line.content.exposed_on, days.get(line.person, date.min))
    return days
