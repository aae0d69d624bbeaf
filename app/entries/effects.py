"""The effects of entries: they become evidence, are revoked, and end with the case that they rest on.

`workflow.py` decides who may act, and holds its lock while anything here runs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens.lookup import Document, find_or_add_many
from app.codes import ledger
from app.codes.evidence import NewEvidence
from app.codes.models import EvidenceRow
from app.core.db import among
from app.core.errors import bad_field
from app.entries import cases
from app.entries.cases import CaseEnding
from app.entries.content import (
    BASIS_ENDED,
    CASE_ENDED,
    CASE_ENDING_KINDS,
    CASE_OPENING_KINDS,
    CASE_RULED_OUT,
    OPEN_STATES,
    EntryContent,
    EntryKind,
    fact_of,
)
from app.entries.models import MADE_EVIDENCE, Case, Entry, EntrySubject
from app.entries.unapproved import find_baseless
from app.entries.validation import find_infected, find_undiagnosed
from app.staff.context import OfficerContext

_Value = TypeVar("_Value")


def resolve_people(context: OfficerContext, people: Mapping[int | Document, _Value]) -> dict[int, _Value]:
    """Return what is given of each of these people, by serial. Adds unknown people, each with a new code."""
    documents = [person for person in people if not isinstance(person, int)]
    serials, _ = find_or_add_many(context.session, context.encryption, documents, context.now)
    return {person if isinstance(person, int) else serials[person]: value for person, value in people.items()}


def list_subjects(session: Session, entry: Entry) -> Sequence[EntrySubject]:
    """List the people of an entry, by serial."""
    rows = select(EntrySubject).where(EntrySubject.entry_id == entry.id).order_by(EntrySubject.serial)
    return session.scalars(rows).all()


def find_ending(context: OfficerContext, entry: Entry) -> CaseEnding | None:
    """Return the end of cases that an open entry would bring, or None."""
    if entry.state not in OPEN_STATES:
        return None
    return cases.find_ending(context, entry.kind, [one.serial for one in list_subjects(context.session, entry)])


def move(context: OfficerContext, entry: Entry, state: str, action: str, reason: str | None = None) -> None:
    """Move an entry to a state, which resolves it unless the state is open, and append that to the audit."""
    entry.state = state
    if state not in OPEN_STATES:
        entry.resolved_by = None if context.officer is None else context.officer.id
        entry.resolved_at, entry.resolution_reason = context.now, reason
    append_audit(context, entry, action, reason)


def append_audit(context: OfficerContext, entry: Entry, action: str, reason: str | None = None) -> None:
    """Append an event about an entry to the audit."""
    alarm = {} if entry.alarm is None else {"alarm": entry.alarm}
    detail: dict[str, Any] = {"entry": entry.id, "people": entry.people, **alarm}
    context.append_audit(f"entry-{action}", reason=reason, **detail)


# --- taking effect ------------------------------------------------------------------------------------------------


def take_effect(context: OfficerContext, entry: Entry, _reason: str | None = None) -> None:
    """Make an entry evidence of all its people, and open or end their cases.

    The evidence names the recorder, not the approver: an appeal checks both, one here and one in the entry.
    """
    people = list_subjects(context.session, entry)
    content = EntryContent(
        kind=EntryKind(entry.kind), authority=entry.authority, reference=entry.reference,
        exposed_on=entry.exposed_on, first_day=entry.first_day, last_day=entry.last_day,
    )  # fmt: skip
    evidence = make_evidence(context, content, {one.serial: one.exposed_on for one in people})
    for one in people:
        one.evidence_id = evidence[one.serial][0].fact.id
    recorder = Actor("officer", str(entry.recorder_id))
    ledger.record_many(ledger.ChangeContext(context.session, context.policy, recorder, context.now), evidence)
    if content.kind in CASE_OPENING_KINDS:
        cases.open_case(context.session, entry, people[0].serial, context.now)
    if content.kind is EntryKind.RULED_OUT:
        for one in people:
            end_cases(context, one.serial, entry)


def make_evidence(
    context: OfficerContext, content: EntryContent, people: Mapping[int, date | None]
) -> dict[int, Sequence[NewEvidence]]:
    """Return the evidence that content makes for each of these people, some with their own day. Raises Problem."""
    releases = content.kind is EntryKind.RELEASE
    restrictions = find_restrictions(context.session, people) if releases else {}
    if releases and any((serial, content.reference) not in restrictions for serial in people):
        raise bad_field("/reference", "nothing-to-release")
    evidence: dict[int, Sequence[NewEvidence]] = {}
    for serial, day in people.items():
        of_person = content if day is None else replace(content, exposed_on=day)
        fact = fact_of(of_person, restrictions.get((serial, content.reference)), context.now)
        evidence[serial] = [NewEvidence(fact, content.authority, content.reference)]
    return evidence


def find_restrictions(session: Session, serials: Collection[int]) -> dict[tuple[int, str], str]:
    """Return what a release can end, by person and reference: the newest contact or quarantine of each."""
    rows = (
        select(EvidenceRow.serial, EvidenceRow.reference, EvidenceRow.id)
        .where(
            among(EvidenceRow.serial, serials),
            EvidenceRow.kind.in_(("contact", "quarantine")),
            EvidenceRow.withdrawn_at.is_(None),
        )
        .order_by(EvidenceRow.recorded_at, EvidenceRow.id)
    )
    return {(row.serial, row.reference): row.id for row in session.execute(rows)}  # the newest is set last


# --- ending -------------------------------------------------------------------------------------------------------


def revoke(context: OfficerContext, entry: Entry, reason: str | None) -> None:
    """Withdraw the evidence of an urgent entry, and what rests on it; where no diagnosis is left, end the case too."""
    withdraw_evidence(context, entry, reason)
    serials = [one.serial for one in list_subjects(context.session, entry)]
    if entry.kind in CASE_OPENING_KINDS:
        end_undiagnosed_cases(context, serials)
    else:
        end_baseless(context, serials)


def end_undiagnosed_cases(context: OfficerContext, serials: Collection[int]) -> None:
    """End the cases of those people of whom no diagnosis is left, with everything that rests on these cases."""
    for serial in sorted(find_undiagnosed(context.session, serials, context.now)):
        end_cases(context, serial)
    end_baseless(context, serials)


def end_baseless(context: OfficerContext, serials: Collection[int]) -> None:
    """Withdraw what ends an infection or a restriction that these people do not have any more.

    Entries that wait to end such an infection are rejected.
    """
    change = ledger.ChangeContext(context.session, context.policy, context.actor, context.now)
    for serial, evidence in sorted(ledger.load_evidence_many(context.session, serials).items()):
        baseless = find_baseless(evidence, context.now)
        if baseless:
            ledger.withdraw_some(change, serial, dict.fromkeys(sorted(baseless), BASIS_ENDED))
    well = set(serials) - find_infected(context.session, serials, context.now)
    waiting = (
        select(Entry)
        .where(Entry.state.in_(OPEN_STATES), Entry.kind.in_(CASE_ENDING_KINDS))
        .where(Entry.id.in_(select(EntrySubject.entry_id).where(among(EntrySubject.serial, well))))
    )
    for entry in context.session.scalars(waiting.order_by(Entry.id).with_for_update()):
        withdraw_evidence(context, entry, BASIS_ENDED)
        move(context, entry, "rejected", "rejected", BASIS_ENDED)


def end_cases(context: OfficerContext, serial: int, ended_by: Entry | None = None) -> None:
    """End a person's open cases: evidence that rests on one is withdrawn, and entries that do are rejected."""
    for case in cases.lock_open_cases(context.session, serial):
        _append_end(context, case, ended_by)
        resting = select(Entry).where(Entry.case_id == case.id).order_by(Entry.id).with_for_update()
        for entry in context.session.scalars(resting):
            withdraw_evidence(context, entry, CASE_RULED_OUT)
            if entry.state in OPEN_STATES:
                move(context, entry, "rejected", "rejected", CASE_RULED_OUT)
            end_baseless(context, [one.serial for one in list_subjects(context.session, entry)])


def _append_end(context: OfficerContext, case: Case, ended_by: Entry | None) -> None:
    """Note the end of a case, and whom it frees, for auditors of its district and of who recorded that."""
    resting = cases.count_resting(context.session, [case.id])
    case.ended_at, case.freed = context.now, resting.people
    detail: dict[str, Any] = {}
    if ended_by is not None:
        case.ended_by = ended_by.id
        detail = {"entry": ended_by.id, "recorder_district": ended_by.district}
    detail |= {"case": case.id, "district": case.district, "freed": resting.people, "rejected": resting.entries}
    context.append_audit(CASE_ENDED, **detail)


def withdraw_evidence(context: OfficerContext, entry: Entry, reason: str | None) -> None:
    """Withdraw the evidence that an entry made, as far as it was not withdrawn before."""
    assert reason is not None
    rows = (
        select(EntrySubject.serial, EvidenceRow.id)
        .join(EvidenceRow, MADE_EVIDENCE)
        .where(EntrySubject.entry_id == entry.id, EvidenceRow.withdrawn_at.is_(None))
    )
    evidence = {row.serial: row.id for row in context.session.execute(rows)}
    if evidence:
        ledger.withdraw_many(
            ledger.ChangeContext(context.session, context.policy, context.actor, context.now), evidence, reason
        )
