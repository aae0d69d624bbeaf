"""What officers record, and how it is settled: an entry is looked at before it is saved, and by a second person after.

Document numbers travel in forms only, never in an address, and stand on pages masked.
"""

from datetime import date
from typing import Any, TypeVar

from flask import Response, request
from pydantic import Field
from sqlalchemy.orm import Session

from app.appeals import appeals
from app.citizens.accounts import Document, find_or_add_many
from app.citizens.documents import DocumentType, normalize, parse_document_type
from app.console.pages import page, parse_form, parse_int, redirect_to, views
from app.core.clock import BEIJING
from app.core.errors import FieldError, Problem, bad_field
from app.entries import alarms, cases, preview, validation, workflow
from app.entries.content import EntryKind
from app.entries.lists import find_serials
from app.entries.models import Case, Entry
from app.entries.preview import ContactDates
from app.entries.validation import ClearanceReason, NewEntry, RejectionReason
from app.staff.models import Officer, Role
from app.web import RequestBody, current_officer, get_services

ReasonKind = TypeVar("ReasonKind", RejectionReason, ClearanceReason)

MAX_PEOPLE = 1000  # in one form; longer lists are imported


class EntryForm(RequestBody):
    """The form of an entry: what it states, and of whom, one document number a line."""

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
    previewed: str = Field(default="", max_length=3)


class ReasonForm(RequestBody):
    reason: str = Field(max_length=40)


@views.get("/entries")
def list_entries() -> Response:
    """What waits for this officer, and what they have recorded."""
    services, me = get_services(), current_officer()
    with services.sessions() as session:
        waiting = workflow.list_pending(session, me)
        mine = workflow.list_recorded_by(session, me, 50)
    return page("entries.html", waiting=waiting, mine=mine, recorder=Role.RECORDER in me.roles)


@views.get("/entries/new")
def new_entry_page() -> Response:
    """The form; for an appeal, with what its record says already."""
    return _entry_page(_for_appeal())


@views.post("/entries/new")
def record_entry() -> Response:
    """Show what is known about the people of an entry; save it when the officer has looked."""
    filled = None
    try:
        filled = parse_form(EntryForm)
        return preview_or_save(filled, _parse_entry(filled), dict.fromkeys(_parse_documents(filled)))
    except Problem as problem:
        return _entry_page(filled, problem)


@views.get("/entries/<int:id_>")
def show_entry(id_: int) -> Response:
    return _show_entry(id_)


@views.post("/entries/<int:id_>/approve")
def approve_entry(id_: int) -> Response:
    """Let an entry count."""
    services = get_services()
    with services.begin() as session:
        state = workflow.approve(
            session, services.policy, alarms.load_thresholds(), _reload_officer(session), id_, services.clock.now()
        ).state
    return redirect_to("console.show_entry", id_=id_, done=f"entry-{state}")


@views.post("/entries/<int:id_>/reject")
def reject_entry(id_: int) -> Response:
    """Refuse an entry, or take an own one back."""
    services = get_services()
    with services.begin() as session:
        reason = _parse_reason(RejectionReason)
        state = workflow.reject(
            session, services.policy, _reload_officer(session), id_, reason, services.clock.now()
        ).state
    return redirect_to("console.show_entry", id_=id_, done=f"entry-{state}")


@views.post("/entries/<int:id_>/clear-hold")
def clear_hold(id_: int) -> Response:
    """Let what an alarm holds go on to its approver."""
    services = get_services()
    with services.begin() as session:
        workflow.clear_hold(
            session, _reload_officer(session), id_, _parse_reason(ClearanceReason), services.clock.now()
        )
    return redirect_to("console.show_entry", id_=id_, done="entry-cleared")


@views.get("/cases")
def list_cases() -> Response:
    """The cases of the officer's district, with their contacts."""
    with get_services().sessions() as session:
        found = cases.list_with_contacts(session, current_officer(), 200)
    return page("cases.html", cases=found, recorder=Role.RECORDER in current_officer().roles)


# --- looking, then saving


def preview_or_save(filled: Any, new_entry: NewEntry, days: ContactDates) -> Response:
    """Show what is known about these people, with the form to send again; save it once the officer has looked.

    Raises Problem with every bad field.
    """
    with preview.record_access_on_error(get_services(), current_officer(), days):
        return _save(new_entry, days) if filled.previewed else _preview(filled, new_entry, days)


def _preview(filled: Any, new_entry: NewEntry, days: ContactDates) -> Response:
    services, me = get_services(), current_officer()
    now = services.clock.now()
    with services.begin() as session:
        known = find_serials(session, services.encryption, days)
        validation.validate(session, me, new_entry, len(days), known.values(), now)
    with services.sessions() as trial:  # never committed: nothing of it stays
        changes = preview.preview_changes(trial, services.policy, services.encryption, me, new_entry, days, now)
    with services.begin() as session:
        look = preview.preview_people(session, me, new_entry, days, known, now)
    again = {**filled.model_dump(exclude={"previewed"}), "previewed": "yes"}
    return page("entry-preview.html", draft=new_entry, look=look, changes=sorted(changes.items()), again=again)


def _save(new_entry: NewEntry, days: ContactDates) -> Response:
    services, now = get_services(), get_services().clock.now()
    with services.begin() as session:
        serials, _ = find_or_add_many(session, services.encryption, list(days), now)
        own = {serials[document]: day for document, day in days.items() if day is not None}
        people = list(serials.values())
        saved = workflow.save(
            session, services.policy, alarms.load_thresholds(), current_officer(), new_entry, people, now, own
        )
        id_, state = saved.id, saved.state
    return redirect_to("console.show_entry", id_=id_, done=f"entry-{state}")


# --- forms


def _entry_page(filled: EntryForm | None, problem: Problem | None = None) -> Response:
    with get_services().sessions() as session:
        numbers = [
            case.number
            for case, _ in cases.list_with_contacts(session, current_officer(), 200)
            if case.ended_at is None
        ]
    choices: dict[str, Any] = {"kinds": list(EntryKind), "types": list(DocumentType), "cases": numbers}
    return page("entry-new.html", filled=filled, problem=problem, **choices)


def _for_appeal() -> EntryForm | None:
    """The entry that would end a piece of evidence of an appeal, as far as the record tells: whose it is, it does not.

    Raises Problem where the officer may not look at the appeal.
    """
    services, id_ = get_services(), request.args.get("appeal", type=parse_int)
    if id_ is None:
        return None
    with services.begin() as session:
        record = appeals.view_appeal(session, services.encryption, current_officer(), id_, services.clock.now()).record
    line = next((line for line in record.evidence if line.id == request.args.get("evidence")), None)
    if line is None:
        return None
    if line.kind == "diagnosis":  # it is ruled out by a document of its own
        return EntryForm(kind=EntryKind.RULED_OUT.value, numbers="", authority="", reference="")
    return EntryForm(kind=EntryKind.RELEASE.value, numbers="", authority=line.authority, reference=line.reference)


def _parse_entry(filled: EntryForm) -> NewEntry:
    wrong: list[FieldError] = []
    days = {name: _parse_date(name, getattr(filled, name), wrong) for name in ("exposed_on", "first_day", "last_day")}
    if filled.kind not in set(EntryKind):
        wrong.append(FieldError("/kind", "not-a-choice"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return NewEntry(
        kind=EntryKind(filled.kind),
        authority=filled.authority.strip(),
        reference=filled.reference.strip(),
        place=filled.place.strip() or None,
        case=filled.case.strip() or None,
        urgent=bool(filled.urgent),
        **days,
    )


def _parse_date(name: str, words: str, wrong: list[FieldError]) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        wrong.append(FieldError(f"/{name}", "date-form"))
        return None


def _parse_documents(filled: EntryForm) -> list[Document]:
    """The documents of a form, each once. Raises Problem; what is wrong is told without the number."""
    kind = parse_document_type(filled.document_type)
    today = get_services().clock.now().astimezone(BEIJING).date()
    lines = [line.strip() for line in filled.numbers.splitlines() if line.strip()]
    if not lines:
        raise bad_field("/numbers", "required")
    if len(lines) > MAX_PEOPLE:
        raise bad_field("/numbers", "too-long")
    try:
        return list(dict.fromkeys((kind, normalize(kind, line, today)) for line in lines))
    except Problem as problem:
        slugs = {field.slug for field in problem.fields}
        raise Problem("invalid-request", fields=tuple(FieldError("/numbers", slug) for slug in slugs)) from None


def _parse_reason(kind: type[ReasonKind]) -> ReasonKind:
    words = parse_form(ReasonForm).reason
    if words not in set(kind):
        raise bad_field("/reason", "not-a-choice")
    return kind(words)


def _reload_officer(session: Session) -> Officer:
    """The officer as the database has them now."""
    return session.get_one(Officer, current_officer().id)


# --- pages


def _show_entry(id_: int) -> Response:
    services, me = get_services(), current_officer()
    with services.begin() as session:
        entry = workflow.find_entry(session, me, id_)
        people = preview.list_people(session, services.encryption, me, entry, services.clock.now())
        case = session.get(Case, entry.case_id) if entry.case_id else None
        settle = _allowed_acts(me, entry)
        return page(
            "entry.html",
            entry=entry, people=people, more=entry.people - len(people), case=case, settle=settle,
            refusals=list(RejectionReason), releases=list(ClearanceReason),
        )  # fmt: skip


def _allowed_acts(me: Officer, entry: Entry) -> dict[str, bool]:
    """What this officer can do with an entry: for the buttons; the verbs decide."""
    own = entry.recorder_id == me.id
    settles = Role.APPROVER in me.roles and not own and entry.state in ("waiting", "urgent")
    auditor = Role.AUDITOR in me.roles and not own and entry.state == "held"
    return {
        "approve": settles and entry.cleared_by != me.id,
        "release": auditor,
        "refuse": settles or auditor,
        "take_back": own and entry.state in validation.OPEN_STATES,
    }
