"""The page of a new entry: its form, its preview, and saving it once it was previewed.

Document numbers travel in forms only, never in an address, and are masked on pages.
"""

from dataclasses import replace
from typing import Any, Final

from flask import Response, request

from app.appeals import viewing
from app.citizens.documents import DocumentType
from app.console import uploads
from app.console.entries.reading import EntryForm, ReadForm, read_form
from app.console.forms import parse_form, parse_int, restore_form
from app.console.pages import language, page, redirect_to, send_download, views
from app.core.errors import Problem
from app.entries import cases, workflow
from app.entries.content import CASE_OPENING_KINDS, RISK_LOWERING_KINDS, EntryKind, NewEntry
from app.entries.lists.errors import InvalidList
from app.entries.lists.lines import find_form_columns, lines_of
from app.entries.lists.tables import Table
from app.entries.preview import begin_entry, preview, record_accesses
from app.entries.signing.list_summary import find_doubtful
from app.staff.context import begin_officer
from app.staff.models import Role
from app.web import current_officer, get_services

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
_OF_ONE: Final = tuple(kind.value for kind in CASE_OPENING_KINDS)


@views.get("/entries/new")
def new_entry_page() -> Response:
    """Show the form of one kind, or the kinds to choose from; for an appeal or a case, filled with what they say."""
    return _entry_page(restore_form(EntryForm) or _for_appeal() or _for_case())


@views.get("/entries/template.xlsx")
def template_workbook() -> Response:
    """Send an empty list for a kind of entry as a workbook."""
    from app.entries.lists import template  # with what makes workbooks, which few processes ever do

    return send_download(template.make_workbook(_template_columns(), language()), "list.xlsx")


@views.get("/entries/template.csv")
def template_csv() -> Response:
    """Send an empty list for a kind of entry as CSV."""
    from app.entries.lists import template

    return send_download(template.make_text(_template_columns(), language()), "list.csv")


@views.post("/entries/new")
def record_entry() -> Response:
    """Preview an entry; save it once it was previewed."""
    filled = None
    try:
        filled = parse_form(EntryForm)
        filled, read = read_form(filled)
        if read.entry is not None:
            return _preview_or_save(filled, read.entry, read.table)
        return _entry_page(filled, Problem("invalid-request", fields=tuple(read.wrong)), read)
    except Problem as problem:
        return _entry_page(filled, _beside_list(problem))


def _preview_or_save(filled: EntryForm, new_entry: NewEntry, table: Table | None) -> Response:
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
    is_list = table is not None and (uploads.has_file() or table.layout.header or len(table.columns) > 1)
    how = table if is_list else None
    return page("entry-preview.html", entry=new_entry, preview=shown, table=how, doubtful=doubtful, again=again)


def _entry_page(filled: EntryForm | None, problem: Problem | None = None, read: ReadForm | None = None) -> Response:
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
    errors = InvalidList(read.mistakes) if read and read.mistakes else None
    shown: dict[str, Any] = {"fields": FIELDS_BY_KIND[EntryKind(kind)], "types": list(DocumentType), "cases": numbers}
    shown |= {"is_list": kind not in _OF_ONE}
    return page("entry-new.html", filled=filled, problem=problem, errors=errors, kind=kind, **shown)


def _beside_list(problem: Problem) -> Problem:
    """Return a problem whose errors about the people of the entry stand beside their list."""
    at_list = (replace(field, pointer="/numbers") if field.pointer == "/people" else field for field in problem.fields)
    return Problem(problem.slug, fields=tuple(at_list), retry_after=problem.retry_after)


def _template_columns() -> list[str]:
    kind = request.args.get("kind", "")
    return list(find_form_columns(EntryKind(kind) if kind in set(EntryKind) else EntryKind.CONTACT))


def _for_case() -> EntryForm | None:
    """Return the entry of contacts of a case. Raises Problem where the officer has no such case that is open."""
    id_ = request.args.get("case", type=parse_int)
    if id_ is None:
        return None
    with get_services().sessions() as session:
        number = cases.get_open_case(session, id_, current_officer()).number
    return EntryForm(kind=EntryKind.CONTACT.value, case=number, authority="", reference="")


def _for_appeal() -> EntryForm | None:
    """Return the entry that would end a piece of evidence of an appeal, without its person, whom the record omits.

    Raises Problem where the officer may not view the appeal.
    """
    id_ = request.args.get("appeal", type=parse_int)
    if id_ is None:
        return None
    with begin_officer(get_services(), current_officer()) as context:
        record = viewing.view_appeal(context, id_).record
    line = next((line for line in record.evidence if line.id == request.args.get("evidence")), None)
    if line is None:
        return None
    if line.kind == "diagnosis":  # it is ruled out by a document of its own
        return EntryForm(kind=EntryKind.RULED_OUT.value, authority="", reference="")
    return EntryForm(kind=EntryKind.RELEASE.value, authority=line.authority, reference=line.reference)
