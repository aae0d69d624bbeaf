"""What officers record, and how it is settled: an entry is looked at before it is saved, and by a second person after.

Document numbers travel in forms only, never in an address, and stand on pages masked.
"""

from datetime import date
from typing import Any, TypeVar

from flask import Response, request
from pydantic import Field
from sqlalchemy.orm import Session

from app.citizens.accounts import Document, find_or_add_many
from app.citizens.documents import DocumentType, document_type, normalize
from app.clock import BEIJING
from app.errors import FieldError, Problem, bad_field
from app.officers import alarms, appeals, cases, drafts, looking, proposals
from app.officers.console.frame import counted, form, page, to, views
from app.officers.drafts import Draft, Refusal, Release
from app.officers.evidence import EntryKind
from app.officers.lists import serials_of
from app.officers.looking import Days
from app.officers.models import Case, Officer, Proposal, Role
from app.web import Body, officer, services

Slug = TypeVar("Slug", Refusal, Release)

MOST_PEOPLE = 1000  # in one form; longer lists are imported


class Entry(Body):
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
    looked: str = Field(default="", max_length=3)


class Reason(Body):
    reason: str = Field(max_length=40)


@views.get("/entries")
def entries() -> Response:
    """What waits for this officer, and what they have recorded."""
    bag, me = services(), officer()
    with bag.sessions() as session:
        waiting = proposals.waiting_for(session, me)
        mine = proposals.recorded_by(session, me, 50)
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
        filled = form(Entry)
        return look_or_save(filled, _draft(filled), dict.fromkeys(_documents(filled)))
    except Problem as problem:
        return _entry_page(filled, problem)


@views.get("/entries/<int:id_>")
def one_entry(id_: int) -> Response:
    return _one(id_)


@views.post("/entries/<int:id_>/approve")
def approve_entry(id_: int) -> Response:
    """Let an entry count."""
    bag = services()
    with bag.begin() as session:
        state = proposals.approve(session, bag.policy, alarms.load(), _me(session), id_, bag.clock.now()).state
    return to("console.one_entry", id_=id_, done=f"entry-{state}")


@views.post("/entries/<int:id_>/refuse")
def refuse_entry(id_: int) -> Response:
    """Refuse an entry, or take an own one back."""
    bag = services()
    with bag.begin() as session:
        reason = _reason(Refusal)
        state = proposals.refuse(session, bag.policy, _me(session), id_, reason, bag.clock.now()).state
    return to("console.one_entry", id_=id_, done=f"entry-{state}")


@views.post("/entries/<int:id_>/release")
def release_entry(id_: int) -> Response:
    """Let what an alarm holds go on to its approver."""
    bag = services()
    with bag.begin() as session:
        proposals.release(session, _me(session), id_, _reason(Release), bag.clock.now())
    return to("console.one_entry", id_=id_, done="entry-released")


@views.get("/cases")
def list_cases() -> Response:
    """The cases of the officer's district, with their contacts."""
    with services().sessions() as session:
        found = cases.listed(session, officer(), 200)
    return page("cases.html", cases=found, recorder=Role.RECORDER in officer().roles)


# --- looking, then saving


def look_or_save(filled: Any, draft: Draft, days: Days) -> Response:
    """Show what is known about these people, with the form to send again; save it once the officer has looked.

    Raises Problem with every bad field.
    """
    with looking.what_a_refusal_tells(services(), officer(), days):
        return _save(draft, days) if filled.looked else _look(filled, draft, days)


def _look(filled: Any, draft: Draft, days: Days) -> Response:
    bag, me = services(), officer()
    now = bag.clock.now()
    with bag.begin() as session:
        known = serials_of(session, bag.vault, days)
        drafts.check(session, me, draft, len(days), known.values(), now)
    with bag.sessions() as trial:  # never committed: nothing of it stays
        changes = looking.after(trial, bag.policy, bag.vault, me, draft, days, now)
    with bag.begin() as session:
        look = looking.before(session, me, draft, days, known, now)
    again = {**filled.model_dump(exclude={"looked"}), "looked": "yes"}
    return page("entry-look.html", draft=draft, look=look, changes=sorted(changes.items()), again=again)


def _save(draft: Draft, days: Days) -> Response:
    bag, now = services(), services().clock.now()
    with bag.begin() as session:
        serials, _ = find_or_add_many(session, bag.vault, list(days), now)
        own = {serials[document]: day for document, day in days.items() if day is not None}
        people = list(serials.values())
        saved = proposals.propose(session, bag.policy, alarms.load(), officer(), draft, people, now, own)
        id_, state = saved.id, saved.state
    return to("console.one_entry", id_=id_, done=f"entry-{state}")


# --- forms


def _entry_page(filled: Entry | None, problem: Problem | None = None) -> Response:
    with services().sessions() as session:
        numbers = [case.number for case, _ in cases.listed(session, officer(), 200) if case.ended_at is None]
    choices: dict[str, Any] = {"kinds": list(EntryKind), "types": list(DocumentType), "cases": numbers}
    return page("entry-new.html", filled=filled, problem=problem, **choices)


def _for_appeal() -> Entry | None:
    """The entry that would end a piece of evidence of an appeal, as far as the record tells: whose it is, it does not.

    Raises Problem where the officer may not look at the appeal.
    """
    bag, id_ = services(), request.args.get("appeal", type=counted)
    if id_ is None:
        return None
    with bag.begin() as session:
        record = appeals.read(session, bag.vault, officer(), id_, bag.clock.now()).record
    line = next((line for line in record.evidence if line.id == request.args.get("evidence")), None)
    if line is None:
        return None
    if line.kind == "diagnosis":  # it is ruled out by a document of its own
        return Entry(kind=EntryKind.RULED_OUT.value, numbers="", authority="", reference="")
    return Entry(kind=EntryKind.RELEASE.value, numbers="", authority=line.authority, reference=line.reference)


def _draft(filled: Entry) -> Draft:
    wrong: list[FieldError] = []
    days = {name: _day(name, getattr(filled, name), wrong) for name in ("exposed_on", "first_day", "last_day")}
    if filled.kind not in set(EntryKind):
        wrong.append(FieldError("/kind", "not-a-choice"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return Draft(
        kind=EntryKind(filled.kind),
        authority=filled.authority.strip(),
        reference=filled.reference.strip(),
        place=filled.place.strip() or None,
        case=filled.case.strip() or None,
        urgent=bool(filled.urgent),
        **days,
    )


def _day(name: str, words: str, wrong: list[FieldError]) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        wrong.append(FieldError(f"/{name}", "date-form"))
        return None


def _documents(filled: Entry) -> list[Document]:
    """The documents of a form, each once. Raises Problem; what is wrong is told without the number."""
    kind = document_type(filled.document_type)
    today = services().clock.now().astimezone(BEIJING).date()
    lines = [line.strip() for line in filled.numbers.splitlines() if line.strip()]
    if not lines:
        raise bad_field("/numbers", "required")
    if len(lines) > MOST_PEOPLE:
        raise bad_field("/numbers", "too-long")
    try:
        return list(dict.fromkeys((kind, normalize(kind, line, today)) for line in lines))
    except Problem as problem:
        slugs = {field.slug for field in problem.fields}
        raise Problem("invalid-request", fields=tuple(FieldError("/numbers", slug) for slug in slugs)) from None


def _reason(kind: type[Slug]) -> Slug:
    words = form(Reason).reason
    if words not in set(kind):
        raise bad_field("/reason", "not-a-choice")
    return kind(words)


def _me(session: Session) -> Officer:
    """The officer as the database has them now."""
    return session.get_one(Officer, officer().id)


# --- pages


def _one(id_: int) -> Response:
    bag, me = services(), officer()
    with bag.begin() as session:
        proposal = proposals.find(session, me, id_)
        people = looking.people_of(session, bag.vault, me, proposal, bag.clock.now())
        case = session.get(Case, proposal.case_id) if proposal.case_id else None
        settle = _may_settle(me, proposal)
        return page(
            "entry.html",
            proposal=proposal, people=people, more=proposal.people - len(people), case=case, settle=settle,
            refusals=list(Refusal), releases=list(Release),
        )  # fmt: skip


def _may_settle(me: Officer, proposal: Proposal) -> dict[str, bool]:
    """What this officer can do with an entry: for the buttons; the verbs decide."""
    own = proposal.recorder_id == me.id
    settles = Role.APPROVER in me.roles and not own and proposal.state in ("waiting", "urgent")
    auditor = Role.AUDITOR in me.roles and not own and proposal.state == "held"
    return {
        "approve": settles and proposal.released_by != me.id,
        "release": auditor,
        "refuse": settles or auditor,
        "take_back": own and proposal.state in drafts.OPEN,
    }
