"""Entries: previewed before they are saved, approved by a second officer after.

Document numbers travel in forms only, never in an address, and are masked on pages.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, TypeVar

from flask import Response, request
from pydantic import Field

from app.appeals import appeals
from app.citizens.documents import DocumentType, parse_document_type
from app.citizens.lookup import Document
from app.console.pages import page, parse_form, parse_int, redirect_to, restore_form, views
from app.core.clock import BEIJING
from app.core.errors import FieldError, Problem, bad_field
from app.core.identity.spelling import fold_number
from app.entries import cases, effects, queries, workflow
from app.entries.content import RISK_LOWERING_KINDS, ClearanceReason, EntryKind, NewEntry, RejectionReason
from app.entries.lists.errors import InvalidList, LineError
from app.entries.lists.lines import lines_of, parse_document
from app.entries.lists.tables import Layout
from app.entries.models import Case, Entry
from app.entries.preview import begin_entry, list_people, preview, record_accesses
from app.entries.signing import approval
from app.entries.signing.list_summary import find_doubtful
from app.entries.signing.view import view_before_signing
from app.entries.transitions import allowed_acts
from app.staff.context import begin_officer
from app.staff.models import Role
from app.web import RequestBody, current_officer, get_services

ReasonKind = TypeVar("ReasonKind", RejectionReason, ClearanceReason)

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


class ReasonForm(RequestBody):
    reason: str = Field(max_length=40)


@views.get("/entries")
def list_entries() -> Response:
    """List what waits for this officer, and what they have recorded."""
    me = current_officer()
    with get_services().sessions() as session:
        waiting = queries.list_pending(session, me)
        mine = queries.list_recorded_by(session, me, 50)
    return page("entries.html", waiting=waiting, mine=mine, recorder=Role.RECORDER in me.roles)


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


@views.get("/entries/<int:id_>")
def show_entry(id_: int) -> Response:
    """Show an entry, with what the officer can do with it, and its people: whole to who may sign it, else masked."""
    with begin_officer(get_services(), current_officer()) as context:
        entry = queries.find_entry(context.session, context.me, id_)
        if request.args.get("done", _done_for(entry)[0]) not in _done_for(entry):
            return redirect_to("console.show_entry", id_=id_)  # what was done is not so any more, or never was
        signing = view_before_signing(context, entry)
        people = list_people(context, entry) if signing is None else ()
        case = context.session.get(Case, entry.case_id) if entry.case_id else None
        acts = allowed_acts(context, entry)
        ending = effects.find_ending(context, entry)
    return page(
        "entry.html",
        entry=entry, signing=signing, people=people, more=entry.people - len(people), case=case, acts=acts,
        ending=ending,
        rejections=list(RejectionReason), clearances=list(ClearanceReason),
    )  # fmt: skip


@views.post("/entries/<int:id_>/approve")
def approve_entry(id_: int) -> Response:
    """Approve an entry of another officer, who was shown it."""
    state = approval.approve(get_services(), current_officer(), id_).state
    return redirect_to("console.show_entry", id_=id_, done=f"entry-{state}")


@views.post("/entries/<int:id_>/reject")
def reject_entry(id_: int) -> Response:
    """Reject an entry of another officer."""
    approval.reject(get_services(), current_officer(), id_, _parse_reason(RejectionReason))
    return redirect_to("console.show_entry", id_=id_, done="entry-rejected")


@views.post("/entries/<int:id_>/withdraw")
def withdraw_entry(id_: int) -> Response:
    """Withdraw an entry of one's own."""
    with begin_officer(get_services(), current_officer()) as context:
        workflow.withdraw(context, id_, _parse_reason(RejectionReason))
    return redirect_to("console.show_entry", id_=id_, done="entry-withdrawn")


@views.post("/entries/<int:id_>/clear-hold")
def clear_hold(id_: int) -> Response:
    """Clear the hold of an entry, which then waits for its approver."""
    approval.clear_hold(get_services(), current_officer(), id_, _parse_reason(ClearanceReason))
    return redirect_to("console.show_entry", id_=id_, done="entry-cleared")


@views.get("/cases")
def list_cases() -> Response:
    """List the cases of the officer's district, with their contacts."""
    with get_services().sessions() as session:
        found = cases.list_with_contacts(session, current_officer(), 200)
    return page("cases.html", cases=found, recorder=Role.RECORDER in current_officer().roles)


def _done_for(entry: Entry) -> Sequence[str]:
    """Return what the page of an entry may say was done, by its state: slugs of [done]."""
    return (f"entry-{entry.state}", *(["entry-cleared"] if entry.state == "waiting" else []))


# --- forms


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


def _parse_reason(kind: type[ReasonKind]) -> ReasonKind:
    words = parse_form(ReasonForm).reason
    if words not in set(kind):
        raise bad_field("/reason", "not-a-choice")
    return kind(words)
