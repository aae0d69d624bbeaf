"""Entries that are saved: listed, shown, and approved, rejected, withdrawn or cleared by who may."""

from collections.abc import Sequence
from typing import TypeVar

from flask import Response, request
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import page, redirect_to, views
from app.core.errors import bad_field
from app.entries import effects, queries, workflow
from app.entries.content import ClearanceReason, RejectionReason
from app.entries.models import Case, Entry
from app.entries.preview import list_people
from app.entries.signing import approval
from app.entries.signing.view import view_before_signing
from app.entries.transitions import allowed_acts
from app.staff.context import begin_officer
from app.staff.models import Role
from app.web import RequestBody, current_officer, get_services

ReasonKind = TypeVar("ReasonKind", RejectionReason, ClearanceReason)


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


@views.get("/entries/<int:id_>")
def show_entry(id_: int) -> Response:
    """Show an entry, with what the officer can do with it, and its people: whole to who may sign it, else masked."""
    me = current_officer()
    with begin_officer(get_services(), me) as context:
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
        ending=ending, recorder=Role.RECORDER in me.roles,
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


def _done_for(entry: Entry) -> Sequence[str]:
    """Return what the page of an entry may say was done, by its state: slugs of [done]."""
    return (f"entry-{entry.state}", *(["entry-cleared"] if entry.state == "waiting" else []))


def _parse_reason(kind: type[ReasonKind]) -> ReasonKind:
    words = parse_form(ReasonForm).reason
    if words not in set(kind):
        raise bad_field("/reason", "not-a-choice")
    return kind(words)
