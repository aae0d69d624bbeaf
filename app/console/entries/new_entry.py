"""The form of a new entry: previewed before it is saved.

Document numbers travel in forms only, never in an address, and are masked on pages.
"""

from datetime import date
from typing import Any, Final

from flask import Response, request
from pydantic import Field

from app.appeals import appeals
from app.citizens.documents import DocumentType, parse_document_type
from app.citizens.lookup import Document
from app.console.forms import parse_form, parse_int, restore_form
from app.console.pages import page, redirect_to, views
from app.core.clock import BEIJING
from app.core.errors import FieldError, Problem, bad_field
from app.core.identity.spelling import fold_number
from app.entries import cases, workflow
from app.entries.content import RISK_LOWERING_KINDS, EntryKind, NewEntry
from app.entries.lists.errors import InvalidList, LineError
from app.entries.lists.lines import lines_of, parse_document
from app.entries.lists.tables import Layout
from app.entries.preview import begin_entry, preview, record_accesses
from app.entries.signing.list_summary import find_doubtful
from app.staff.context import begin_officer
from app.staff.models import Role
from app.web import RequestBody, current_officer, get_services

# the fields of a kind, beside its people and its document
FIELDS_BY_KIND: Final = {
    EntryKind.CONTACT: ("place", "case", "exposed_on", "urgent"),
    EntryKind.QUARANTINE: ("place", "days", "urgent"),
    EntryKind.SUSPECTED: ("urgent",),
    EntryKind.CONFIRMED: ("urgent",),
    EntryKind.RULED_OUT: (),
    EntryKind.RECOVERED: (),
    EntryKind.RELEASE: (),
}
MAX_PEOPLE = 1000  # in one form; longer lists are imported


class PreviewedForm(RequestBody):
    """A form that is sent twice: for the preview, and once that was shown."""

    previewed: str = Field(default="", max_length=3)


class EntryForm(PreviewedForm):
    """The form of an entry: its content, and its people, one document number a line."""

    kind: str = Field(max_length=20)
    document_type: str = Field(default="id-card", max_length=30)
    numbers: str = Field(max_length=30_000, repr=False)
    authority: str = Field(max_length=200)
    reference: str = Field(max_length=200)
    exposed_on: str = Field(default="", max_length=10)
    first_day: str = Field(default="", max_length=10)
    last_day: str = Field(default="", max_length=10)
    place: str = Field(default="", max_length=200)
    case: str = Field(default="", max_length=100)
    urgent: str = Field(default="", max_length=3)


@views.get("/entries/new")
def new_entry_page() -> Response:
    """Show the form of one kind, or the kinds to choose from; for an appeal, filled with what its record says."""
    return _entry_page(restore_form(EntryForm) or _for_appeal())


@views.post("/entries/new")
def record_entry() -> Response:
    """Preview an entry; save it once it was previewed."""
    filled = None
    try:
        filled = parse_form(EntryForm)
        return preview_or_save(filled, _parse_entry(filled))
    except InvalidList as error:
        return _entry_page(filled, Problem("invalid-request"), error)
    except Problem as problem:
        return _entry_page(filled, problem)


def preview_or_save(filled: PreviewedForm, new_entry: NewEntry, layout: Layout | None = None) -> Response:
    """Preview an entry, with the form to send again and how its list was read; save it once it was previewed.

    Raises Problem.

    The page is drawn after the commit, so that every access is recorded before anybody sees it.
    """
    with begin_entry(get_services(), current_officer(), new_entry.people) as context:
        if filled.previewed:
            saved = workflow.save(context, new_entry)
            id_, state = saved.id, saved.state
            if new_entry.kind in RISK_LOWERING_KINDS:  # that it could be saved says that there is something to lower
                record_accesses(context.acting_as(Role.RECORDER), new_entry.people)
        else:
            shown = preview(context, new_entry)
            doubtful = find_doubtful(lines_of(new_entry), context.policy, context.now)
    if filled.previewed:
        return redirect_to("console.show_entry", id_=id_, done=f"entry-{state}")
    again = {**filled.model_dump(exclude={"previewed"}), "previewed": "yes"}
    return page("entry-preview.html", entry=new_entry, preview=shown, layout=layout, doubtful=doubtful, again=again)


def _entry_page(
    filled: EntryForm | None, problem: Problem | None = None, errors: InvalidList | None = None
) -> Response:
    """Return the form with the fields of its kind; without a kind, the kinds to choose from."""
    kind = filled.kind if filled else request.values.get("kind", "")
    if kind not in set(EntryKind):
        return page("entry-kind.html", problem=problem, kinds=list(EntryKind))
    with get_services().sessions() as session:
        numbers = [
            case.number
            for case, _ in cases.list_with_contacts(session, current_officer(), 200)
            if case.ended_at is None
        ]
    shown: dict[str, Any] = {"fields": FIELDS_BY_KIND[EntryKind(kind)], "types": list(DocumentType), "cases": numbers}
    return page("entry-new.html", filled=filled, problem=problem, errors=errors, kind=kind, **shown)


def _for_appeal() -> EntryForm | None:
    """Return the entry that would end a piece of evidence of an appeal, without its person, whom the record omits.

    Raises Problem where the officer may not view the appeal.
    """
    id_ = request.args.get("appeal", type=parse_int)
    if id_ is None:
        return None
    with begin_officer(get_services(), current_officer()) as context:
        record = appeals.view_appeal(context, id_).record
    line = next((line for line in record.evidence if line.id == request.args.get("evidence")), None)
    if line is None:
        return None
    if line.kind == "diagnosis":  # it is ruled out by a document of its own
        return EntryForm(kind=EntryKind.RULED_OUT.value, numbers="", authority="", reference="")
    return EntryForm(kind=EntryKind.RELEASE.value, numbers="", authority=line.authority, reference=line.reference)


def _parse_entry(filled: EntryForm) -> NewEntry:
    """Return the entry of a form. Raises Problem, InvalidList for lines that are no document numbers."""
    wrong: list[FieldError] = []
    days = {name: _parse_date(name, getattr(filled, name), wrong) for name in ("exposed_on", "first_day", "last_day")}
    if filled.kind not in set(EntryKind):
        wrong.append(FieldError("/kind", "not-a-choice"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    lines = _parse_documents(filled)
    return NewEntry(
        kind=EntryKind(filled.kind),
        authority=filled.authority.strip(),
        reference=filled.reference.strip(),
        place=filled.place.strip() or None,
        case=filled.case.strip() or None,
        urgent=bool(filled.urgent),
        people=dict.fromkeys(lines),
        lines=lines,
        **days,
    )


def _parse_date(name: str, words: str, wrong: list[FieldError]) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        wrong.append(FieldError(f"/{name}", "date-form"))
        return None


def _parse_documents(filled: EntryForm) -> dict[int | Document, int]:
    """Return the documents of a form, each with the first of its lines. Raises Problem, InvalidList for bad lines."""
    kind = parse_document_type(filled.document_type)
    today = get_services().clock.now().astimezone(BEIJING).date()
    lines = {number: line for number, line in enumerate(filled.numbers.splitlines(), 1) if fold_number(line)}
    if not lines:
        raise bad_field("/numbers", "required")
    if len(lines) > MAX_PEOPLE:
        raise bad_field("/numbers", "too-long")
    first: dict[int | Document, int] = {}
    errors: list[LineError] = []
    for number, line in lines.items():
        try:
            first.setdefault(parse_document(kind, line, today), number)
        except Problem as problem:
            errors += [LineError(number, field) for field in problem.fields]
    if errors:
        raise InvalidList(errors)
    return first
