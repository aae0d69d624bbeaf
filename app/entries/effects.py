"""What follows from a proposal: it becomes evidence, it falls, and what rests on a case falls with the case.

Who may do what is asked before (`proposals.py`), which holds the turn (`in_turn`) while anything here runs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes import ledger
from app.codes.evidence import NewEvidence
from app.codes.models import EvidenceRow
from app.core.errors import Problem, bad_field
from app.entries import cases
from app.entries.content import EntryContent, EntryKind, fact_of, find_restrictions, find_undiagnosed
from app.entries.models import Entry, EntrySubject
from app.entries.validation import CASE_OPENING_KINDS, CASE_RULED_OUT, OPEN_STATES
from app.rules import Policy
from app.staff.models import Officer, Role


def list_subjects(session: Session, entry: Entry) -> Sequence[EntrySubject]:
    """Whom a proposal concerns."""
    rows = select(EntrySubject).where(EntrySubject.entry_id == entry.id).order_by(EntrySubject.serial)
    return session.scalars(rows).all()


def end_undiagnosed_cases(
    session: Session,
    policy: Policy,
    serials: Collection[int],
    officer: Officer | None,
    role: Role | None,
    now: datetime,
) -> None:
    """Where no diagnosis of a person is left, their cases end, and all that rests on these falls.

    Without an officer it is the clock that does it.
    """
    for serial in sorted(find_undiagnosed(session, serials, now)):
        _end_cases(session, policy, serial, officer, role, now)


def apply(
    session: Session, policy: Policy, entry: Entry, officer: Officer, role: Role, state: str, now: datetime
) -> None:
    """Make a proposal evidence of everybody whom it concerns."""
    entry.state = state
    people = list_subjects(session, entry)
    stated = EntryContent(
        kind=EntryKind(entry.kind), authority=entry.authority, reference=entry.reference,
        exposed_on=entry.exposed_on, first_day=entry.first_day, last_day=entry.last_day,
    )  # fmt: skip
    entries = make_evidence(session, stated, {one.serial: one.exposed_on for one in people}, now)
    for one in people:
        one.evidence_id = entries[one.serial][0].fact.id
    recorder = Actor("officer", str(entry.recorder_id))
    ledger.record_many(session, policy, entries, actor=recorder, now=now)
    if stated.kind in CASE_OPENING_KINDS:
        cases.open_case(session, entry, people[0].serial, now)
    if stated.kind is EntryKind.RULED_OUT:
        for one in people:
            _end_cases(session, policy, one.serial, officer, role, now)


def make_evidence(
    session: Session, content: EntryContent, people: Mapping[int, date | None], now: datetime
) -> dict[int, Sequence[NewEvidence]]:
    """What is stated of each of these people, some of whom have a last day of contact of their own. Raises Problem."""
    restrictions = find_restrictions(session, people) if content.kind is EntryKind.RELEASE else {}
    if content.kind is EntryKind.RELEASE and any((serial, content.reference) not in restrictions for serial in people):
        raise bad_field("/reference", "nothing-to-release")
    entries: dict[int, Sequence[NewEvidence]] = {}
    for serial, day in people.items():
        of_person = content if day is None else replace(content, exposed_on=day)
        fact = fact_of(of_person, restrictions.get((serial, content.reference)), now)
        entries[serial] = [NewEvidence(fact, content.authority, content.reference)]
    return entries


def _end_cases(
    session: Session, policy: Policy, serial: int, officer: Officer | None, role: Role | None, now: datetime
) -> None:
    """A case that is ruled out ends, and all that rests on it falls: evidence is taken back, proposals are refused."""
    for case in cases.lock_open_cases(session, serial):
        case.ended_at = now
        resting = select(Entry).where(Entry.case_id == case.id).order_by(Entry.id).with_for_update()
        for entry in session.scalars(resting):
            revoke_with_case(session, policy, entry, officer, role, now)


def revoke_with_case(
    session: Session, policy: Policy, entry: Entry, officer: Officer | None, role: Role | None, now: datetime
) -> None:
    """Take back what a proposal has made evidence of, and refuse it where it is not settled yet."""
    _withdraw_evidence(session, policy, entry, CASE_RULED_OUT, officer, now)
    if entry.state in OPEN_STATES:
        resolve(session, entry, officer, role, "rejected", now, CASE_RULED_OUT)


def revoke_urgent(
    session: Session,
    policy: Policy,
    entry: Entry,
    officer: Officer | None,
    role: Role | None,
    reason: str,
    now: datetime,
) -> None:
    """Take the evidence of an urgent proposal back; where no diagnosis is left, the case ends with what rests on it."""
    if entry.state != "urgent":
        return
    _withdraw_evidence(session, policy, entry, reason, officer, now)
    if entry.kind in CASE_OPENING_KINDS:
        serials = [one.serial for one in list_subjects(session, entry)]
        end_undiagnosed_cases(session, policy, serials, officer, role, now)


def _withdraw_evidence(
    session: Session, policy: Policy, entry: Entry, reason: str, officer: Officer | None, now: datetime
) -> None:
    rows = (
        select(EntrySubject.serial, EvidenceRow.id)
        .join(EvidenceRow, EvidenceRow.id == EntrySubject.evidence_id)
        .where(EntrySubject.entry_id == entry.id, EvidenceRow.withdrawn_at.is_(None))
    )
    evidence = {row.serial: row.id for row in session.execute(rows)}
    if evidence:
        ledger.withdraw_many(session, policy, evidence, reason=reason, actor=_actor_of(officer), now=now)


def hold(session: Session, policy: Policy, officer: Officer, entry: Entry, now: datetime) -> Entry:
    """Many small proposals are approved as one large one would be: not without an auditor."""
    if entry.state == "urgent":  # it counts already, and falls by itself if nobody lets it go
        entry.alarm = None
        raise Problem("too-many-at-once")
    entry.state = "held"
    append_audit(session, officer, Role.APPROVER, "held", entry, now)
    return entry


def resolve(
    session: Session,
    entry: Entry,
    officer: Officer | None,
    role: Role | None,
    state: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Settle a proposal for good, which the audit notes."""
    entry.resolved_by = None if officer is None else officer.id
    entry.state, entry.resolved_at, entry.resolution_reason = state, now, reason
    append_audit(session, officer, role, state, entry, now, reason)


def append_audit(
    session: Session,
    officer: Officer | None,
    role: Role | None,
    action: str,
    entry: Entry,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Write into the audit what was done with a proposal."""
    alarm = {} if entry.alarm is None else {"alarm": entry.alarm}
    detail: dict[str, Any] = {"entry": entry.id, "people": entry.people, **alarm}
    audit.append(session, _actor_of(officer), f"proposal-{action}", now, role=role, reason=reason, **detail)


def _actor_of(officer: Officer | None) -> Actor:
    """Who does it: without an officer, the clock."""
    return audit.CLOCK if officer is None else Actor("officer", str(officer.id))
