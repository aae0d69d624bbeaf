"""The workflow of entries: save, approve, reject, withdraw, clear a hold. `transitions.py` has the rules.

What raises a risk waits for an approver who is not the recorder. What lowers a risk takes effect at once, unless it
ends a case of another district: that district approves it. An urgent entry takes effect at once too, and lapses after
a day without approval. An alarm holds an entry, urgent or not, until an auditor clears the hold. An entry has one
person or many, and becomes evidence of all of them or of none.

Entries are saved and resolved one after the other (`lock_workflow`), so that each sees the totals and cases of others.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.core.metrics import ENTRY_ALARMS, begin_at_zero
from app.core.texts import slugs
from app.entries import cases, effects, queries, validation
from app.entries.alarms import totals
from app.entries.alarms.folding import fold_name
from app.entries.cases import CaseEnding
from app.entries.content import (
    CASE_RULED_OUT,
    IN_EFFECT_STATES,
    NOT_APPROVED,
    OPEN_STATES,
    RISK_LOWERING_KINDS,
    ClearanceReason,
    NewEntry,
    RejectionReason,
)
from app.entries.models import Case, Entry, EntrySubject
from app.entries.transitions import TRANSITIONS, Act
from app.entries.unapproved import raises_risk
from app.staff.context import OfficerContext
from app.staff.models import Role

APPROVAL_DEADLINE = timedelta(hours=24)
begin_at_zero(ENTRY_ALARMS, slugs("alarms"))
DUPLICATE_WINDOW = timedelta(minutes=1)  # the same from the same officer is a repeated click
MAX_LAPSED = 20  # entries in one transaction, for which their codes are locked

_COMPARED_FIELDS = ("kind", "authority", "reference", "exposed_on", "first_day", "last_day", "place", "urgent")
_WORKFLOW_LOCK = text("select pg_advisory_xact_lock(20200317)")


def save(context: OfficerContext, new_entry: NewEntry) -> Entry:
    """Save an entry; it takes effect at once where one officer suffices. Raises Problem with every bad field.

    A repeated click is answered with the entry of the first.
    """
    context = context.acting_as(Role.RECORDER)
    lock_workflow(context.session)
    given = {person: (day, new_entry.lines.get(person)) for person, day in new_entry.people.items()}
    resolved = effects.resolve_people(context, given)
    people = {serial: day for serial, (day, _) in resolved.items()}
    lines = {serial: line for serial, (_, line) in resolved.items()}
    duplicate = _find_duplicate(context, new_entry, people)
    if duplicate is not None:
        return duplicate
    case = validation.validate(context, new_entry, people)
    entry = _add_entry(context, new_entry, people, lines, case)
    ending = cases.find_ending(context, entry.kind, people)
    elsewhere = ending is not None and ending.elsewhere
    lowers_risk = new_entry.kind in RISK_LOWERING_KINDS and not (elsewhere or _raises_risk(context, new_entry, people))
    entry.alarm = _find_alarm(context, entry, ending, lowers_risk=lowers_risk)
    entry.state = "applied" if lowers_risk else _first_state(entry, may_be_urgent=not elsewhere)
    if entry.state == "urgent":
        entry.approve_until = context.now + APPROVAL_DEADLINE
    effects.append_audit(context, entry, "recorded")
    if entry.state in IN_EFFECT_STATES:
        effects.take_effect(context, entry)
    return entry


def approve(context: OfficerContext, entry_id: int) -> Entry:
    """Approve an entry. One that raises an alarm now is held instead; one whose case has ended is rejected."""
    context = context.acting_as(Role.APPROVER)
    entry = _lock_entry(context, entry_id, Act.APPROVE)
    TRANSITIONS[entry.state, Act.APPROVE].guard(context, entry)  # before an alarm of theirs reveals anything
    if _case_has_ended(context.session, entry):
        return _perform(context, entry, Act.END_WITH_CASE, CASE_RULED_OUT)
    alarm = totals.find_alarm(context, entry) if entry.cleared_by is None else None
    if alarm is not None:
        ENTRY_ALARMS.labels(alarm).inc()
        entry.alarm = alarm
        return _perform(context, entry, Act.HOLD)
    return _perform(context, entry, Act.APPROVE)


def reject(context: OfficerContext, entry_id: int, reason: RejectionReason) -> Entry:
    """Reject an entry of another officer; one that is in effect is revoked."""
    return _perform(context, _lock_entry(context, entry_id, Act.REJECT), Act.REJECT, reason)


def withdraw(context: OfficerContext, entry_id: int, reason: RejectionReason) -> Entry:
    """Withdraw an entry of one's own, whatever one's roles are by now; one that is in effect is revoked."""
    context = replace(context, role=Role.RECORDER)
    return _perform(context, _lock_entry(context, entry_id, Act.WITHDRAW), Act.WITHDRAW, reason)


def clear_hold(context: OfficerContext, entry_id: int, reason: ClearanceReason) -> Entry:
    """Clear the hold of an entry, which then waits for its approver."""
    context = context.acting_as(Role.AUDITOR)
    entry = _perform(context, _lock_entry(context, entry_id, Act.CLEAR_HOLD), Act.CLEAR_HOLD, reason)
    entry.cleared_by, entry.clearance_reason = context.me.id, reason
    return entry


def lapse_overdue(context: OfficerContext) -> int:
    """Lapse urgent entries that nobody has approved in time, the oldest first; returns how many were found."""
    lock_workflow(context.session)
    late = select(Entry).where(Entry.state == "urgent", Entry.approve_until <= context.now).order_by(Entry.id)
    entries = context.session.scalars(late.with_for_update(skip_locked=True).limit(MAX_LAPSED)).all()
    for entry in entries:
        if entry.state == "urgent":  # it did not end with the case of another a moment ago
            _perform(context, entry, Act.LAPSE, NOT_APPROVED)
    return len(entries)


def lock_workflow(session: Session) -> None:
    """Let nobody else save or resolve an entry until the transaction ends. Call it before any code is locked."""
    session.execute(_WORKFLOW_LOCK)


# --- one transition -----------------------------------------------------------------------------------------------


def _perform(context: OfficerContext, entry: Entry, act: Act, reason: str | None = None) -> Entry:
    """Check role and guard of a transition, move the entry, append that to the audit, and bring about what follows."""
    row = TRANSITIONS[entry.state, act]
    if row.role is not None:
        context = context.acting_as(row.role)
    row.guard(context, entry)
    effects.move(context, entry, row.state, row.audit, reason)
    row.effect(context, entry, reason)
    return entry


def _lock_entry(context: OfficerContext, entry_id: int, act: Act) -> Entry:
    """Return an entry that the officer sees, to which the act can be done, locked. Raises Problem."""
    lock_workflow(context.session)
    entry = context.session.get(Entry, entry_id, with_for_update=True, populate_existing=True)
    if entry is None or not queries.may_see(context.session, context.me, entry):
        raise Problem("entry-not-found")
    if (entry.state, act) not in TRANSITIONS:
        raise Problem("entry-resolved")
    return entry


def _case_has_ended(session: Session, entry: Entry) -> bool:
    if entry.case_id is None:
        return False
    return session.get_one(Case, entry.case_id, populate_existing=True).ended_at is not None


# --- a new entry --------------------------------------------------------------------------------------------------


def _find_duplicate(context: OfficerContext, new_entry: NewEntry, people: Mapping[int, date | None]) -> Entry | None:
    """Return the same entry about the same people that the officer saved a moment ago, unless it was ended since."""
    same = (
        select(Entry)
        .outerjoin(Case, Case.id == Entry.case_id)
        .where(
            Entry.recorder_id == context.me.id,
            Entry.recorded_at > context.now - DUPLICATE_WINDOW,
            Entry.state.in_((*OPEN_STATES, "applied")),
            Case.number.is_not_distinct_from(new_entry.case),
            *(getattr(Entry, name).is_not_distinct_from(getattr(new_entry, name)) for name in _COMPARED_FIELDS),
        )
    )
    for entry in context.session.scalars(same).all():
        if people == {one.serial: one.exposed_on for one in effects.list_subjects(context.session, entry)}:
            return entry
    return None


def _add_entry(
    context: OfficerContext,
    new_entry: NewEntry,
    people: Mapping[int, date | None],
    lines: Mapping[int, int | None],
    case: Case | None,
) -> Entry:
    entry = Entry(
        kind=new_entry.kind, authority=new_entry.authority, reference=new_entry.reference,
        exposed_on=new_entry.exposed_on, first_day=new_entry.first_day, last_day=new_entry.last_day,
        place=new_entry.place, case_id=None if case is None else case.id, people=len(people),
        authority_folded=fold_name(new_entry.authority),
        place_folded=None if new_entry.place is None else fold_name(new_entry.place),
        district=context.me.district, recorder_id=context.me.id, recorded_at=context.now,
        urgent=new_entry.urgent, state="waiting",
    )  # fmt: skip
    context.session.add(entry)
    context.session.flush()
    subjects = [
        EntrySubject(entry_id=entry.id, serial=serial, exposed_on=day, line=lines.get(serial))
        for serial, day in sorted(people.items())
    ]
    context.session.add_all(subjects)
    return entry


def _find_alarm(context: OfficerContext, entry: Entry, ending: CaseEnding | None, *, lowers_risk: bool) -> str | None:
    """Return the alarm that a new entry raises, or None. One that lowers a risk is not held for it."""
    if lowers_risk:
        alarm = totals.find_lowering_alarm(context, entry, 0 if ending is None else ending.resting.people)
    else:
        alarm = totals.find_alarm(context, entry) or (
            totals.find_urgent_alarm(context, entry) if entry.urgent else None
        )
    if alarm is not None:
        ENTRY_ALARMS.labels(alarm).inc()
    return alarm


def _first_state(entry: Entry, *, may_be_urgent: bool) -> str:
    if entry.alarm is not None:
        return "held"
    return "urgent" if entry.urgent and may_be_urgent else "waiting"


def _raises_risk(context: OfficerContext, new_entry: NewEntry, people: Mapping[int, date | None]) -> bool:
    """Return whether an entry that ought to lower a risk would turn anybody orange or red who was better before.

    Also if that is so only without what nobody has approved: then it rests on it, and waits.
    """
    evidence = effects.make_evidence(context, new_entry, people)
    return raises_risk(context, {serial: [one.fact for one in some] for serial, some in evidence.items()})
