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
from app.citizens.documents import DocumentType, document_type
from app.clock import BEIJING
from app.errors import Problem, bad_field
from app.officers import cases, drafts, lists
from app.officers.console.frame import form, page, views
from app.officers.console.proposing import look_or_save
from app.officers.drafts import Draft
from app.officers.evidence import EntryKind
from app.officers.lists import Mistake, WrongList
from app.web import Body, officer, services

_TOLD = 50  # mistakes on a page
_LONGEST = 60_000  # letters of a list


class Contacts(Body):
    """The form of a list: what holds for all of it, and its lines, unless they come as a file."""

    lines: str = Field(default="", max_length=_LONGEST, repr=False)
    document_type: str = Field(default="id-card", max_length=30)
    exposed_on: str = Field(default="", max_length=10)
    authority: str = Field(max_length=200)
    reference: str = Field(max_length=200)
    place: str = Field(default="", max_length=200)
    urgent: str = Field(default="", max_length=3)
    looked: str = Field(default="", max_length=3)


@views.get("/cases/<int:id_>/contacts")
def contacts_page(id_: int) -> Response:
    return _page(id_, None)


@views.post("/cases/<int:id_>/contacts")
def record_contacts(id_: int) -> Response:
    """Show what is known about the contacts of a list; save it as one entry when the officer has looked."""
    filled = None
    try:
        filled = form(Contacts)
        filled = filled.model_copy(update={"lines": _content(filled)})
        with services().sessions() as session:
            draft = _checked(session, id_, filled)
        days = _days(filled)
        return look_or_save(filled, replace(draft, exposed_on=max(days.values())), days)
    except WrongList as wrong:
        return _page(id_, filled, Problem("invalid-request"), wrong.mistakes)
    except Problem as problem:
        return _page(id_, filled, problem)


def _page(
    id_: int, filled: Contacts | None, problem: Problem | None = None, mistakes: Sequence[Mistake] = ()
) -> Response:
    with services().sessions() as session:
        case = cases.open_one(session, id_, officer())
    told: dict[str, Any] = {"mistakes": mistakes[:_TOLD], "more": len(mistakes) - _TOLD, "columns": lists.CONTACTS}
    return page("contacts.html", case=case, filled=filled, types=list(DocumentType), problem=problem, **told)


def _content(filled: Contacts) -> str:
    """The lines, from the file where one was chosen. Raises WrongList for what is no text, Problem for too much."""
    file = request.files.get("file")
    content = file.read() if file else b""
    text = lists.decoded(content) if content else filled.lines
    if len(text) > _LONGEST:
        raise bad_field("/lines", "too-long")
    return text


def _checked(session: Session, id_: int, filled: Contacts) -> Draft:
    """What holds for the whole list, in order. Raises Problem with every bad field."""
    now = services().clock.now()
    draft = Draft(
        kind=EntryKind.CONTACT,
        authority=filled.authority.strip(),
        reference=filled.reference.strip(),
        place=filled.place.strip() or None,
        case=cases.open_one(session, id_, officer()).number,
        urgent=bool(filled.urgent),
        exposed_on=now.astimezone(BEIJING).date(),  # until the lines are read
    )
    document_type(filled.document_type)
    drafts.check(session, officer(), draft, 1, (), now)
    return draft


def _days(filled: Contacts) -> dict[Document, date]:
    """The people of the list, each with the latest of their days. Raises WrongList with every mistake."""
    given = {"kind": EntryKind.CONTACT.value, "authority": filled.authority, "reference": filled.reference}
    defaults = {"exposed_on": filled.exposed_on, "document_type": filled.document_type}
    today = services().clock.now().astimezone(BEIJING).date()
    days: dict[Document, date] = {}
    for line in lists.read_contacts(filled.lines, given, defaults, today):
        assert not isinstance(line.person, int) and line.stated.exposed_on is not None
        days[line.person] = max(line.stated.exposed_on, days.get(line.person, date.min))
    return days
