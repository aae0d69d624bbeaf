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
from app.codes.evidence import Entry
from app.codes.models import EvidenceRow
from app.errors import Problem, bad_field
from app.officers import cases
from app.officers.drafts import CASE_RULED_OUT, INFECTED, OPEN
from app.officers.evidence import EntryKind, Stated, fact_of, restrictions_of, without_diagnosis
from app.officers.models import Concerned, Officer, Proposal, Role
from app.rules import Policy


def concerned(session: Session, proposal: Proposal) -> Sequence[Concerned]:
    """Whom a proposal concerns."""
    rows = select(Concerned).where(Concerned.proposal_id == proposal.id).order_by(Concerned.serial)
    return session.scalars(rows).all()


def end_cases_without_diagnosis(
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
    for serial in sorted(without_diagnosis(session, serials, now)):
        _end_cases(session, policy, serial, officer, role, now)


def apply(
    session: Session, policy: Policy, proposal: Proposal, officer: Officer, role: Role, state: str, now: datetime
) -> None:
    """Make a proposal evidence of everybody whom it concerns."""
    proposal.state = state
    people = concerned(session, proposal)
    stated = Stated(
        kind=EntryKind(proposal.kind), authority=proposal.authority, reference=proposal.reference,
        exposed_on=proposal.exposed_on, first_day=proposal.first_day, last_day=proposal.last_day,
    )  # fmt: skip
    entries = entries_of(session, stated, {one.serial: one.exposed_on for one in people}, now)
    for one in people:
        one.evidence_id = entries[one.serial][0].fact.id
    recorder = Actor("officer", str(proposal.recorder_id))
    ledger.record_many(session, policy, entries, actor=recorder, now=now)
    if stated.kind in INFECTED:
        cases.open_(session, proposal, people[0].serial, now)
    if stated.kind is EntryKind.RULED_OUT:
        for one in people:
            _end_cases(session, policy, one.serial, officer, role, now)


def entries_of(
    session: Session, stated: Stated, people: Mapping[int, date | None], now: datetime
) -> dict[int, Sequence[Entry]]:
    """What is stated of each of these people, some of whom have a last day of contact of their own. Raises Problem."""
    restrictions = restrictions_of(session, people) if stated.kind is EntryKind.RELEASE else {}
    if stated.kind is EntryKind.RELEASE and any((serial, stated.reference) not in restrictions for serial in people):
        raise bad_field("/reference", "nothing-to-release")
    entries: dict[int, Sequence[Entry]] = {}
    for serial, day in people.items():
        of_person = stated if day is None else replace(stated, exposed_on=day)
        fact = fact_of(of_person, restrictions.get((serial, stated.reference)), now)
        entries[serial] = [Entry(fact, stated.authority, stated.reference)]
    return entries


def _end_cases(
    session: Session, policy: Policy, serial: int, officer: Officer | None, role: Role | None, now: datetime
) -> None:
    """A case that is ruled out ends, and all that rests on it falls: evidence is taken back, proposals are refused."""
    for case in cases.of_person(session, serial):
        case.ended_at = now
        resting = select(Proposal).where(Proposal.case_id == case.id).order_by(Proposal.id).with_for_update()
        for proposal in session.scalars(resting):
            end_with_case(session, policy, proposal, officer, role, now)


def end_with_case(
    session: Session, policy: Policy, proposal: Proposal, officer: Officer | None, role: Role | None, now: datetime
) -> None:
    """Take back what a proposal has made evidence of, and refuse it where it is not settled yet."""
    _withdraw(session, policy, proposal, CASE_RULED_OUT, officer, now)
    if proposal.state in OPEN:
        settle(session, proposal, officer, role, "refused", now, CASE_RULED_OUT)


def fall(
    session: Session,
    policy: Policy,
    proposal: Proposal,
    officer: Officer | None,
    role: Role | None,
    reason: str,
    now: datetime,
) -> None:
    """Take the evidence of an urgent proposal back; where no diagnosis is left, the case ends with what rests on it."""
    if proposal.state != "urgent":
        return
    _withdraw(session, policy, proposal, reason, officer, now)
    if proposal.kind in INFECTED:
        serials = [one.serial for one in concerned(session, proposal)]
        end_cases_without_diagnosis(session, policy, serials, officer, role, now)


def _withdraw(
    session: Session, policy: Policy, proposal: Proposal, reason: str, officer: Officer | None, now: datetime
) -> None:
    rows = (
        select(Concerned.serial, EvidenceRow.id)
        .join(EvidenceRow, EvidenceRow.id == Concerned.evidence_id)
        .where(Concerned.proposal_id == proposal.id, EvidenceRow.withdrawn_at.is_(None))
    )
    evidence = {row.serial: row.id for row in session.execute(rows)}
    if evidence:
        ledger.withdraw_many(session, policy, evidence, reason=reason, actor=_actor_of(officer), now=now)


def hold(session: Session, policy: Policy, officer: Officer, proposal: Proposal, now: datetime) -> Proposal:
    """Many small proposals are approved as one large one would be: not without an auditor."""
    if proposal.state == "urgent":  # it counts already, and falls by itself if nobody lets it go
        proposal.alarm = None
        raise Problem("too-many-at-once")
    proposal.state = "held"
    note(session, officer, Role.APPROVER, "held", proposal, now)
    return proposal


def settle(
    session: Session,
    proposal: Proposal,
    officer: Officer | None,
    role: Role | None,
    state: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Settle a proposal for good, which the audit notes."""
    proposal.settled_by = None if officer is None else officer.id
    proposal.state, proposal.settled_at, proposal.settled_for = state, now, reason
    note(session, officer, role, state, proposal, now, reason)


def note(
    session: Session,
    officer: Officer | None,
    role: Role | None,
    deed: str,
    proposal: Proposal,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Write into the audit what was done with a proposal."""
    alarm = {} if proposal.alarm is None else {"alarm": proposal.alarm}
    detail: dict[str, Any] = {"proposal": proposal.id, "people": proposal.people, **alarm}
    audit.enter(session, _actor_of(officer), f"proposal-{deed}", now, role=role, reason=reason, **detail)


def _actor_of(officer: Officer | None) -> Actor:
    """Who does it: without an officer, the clock."""
    return audit.CLOCK if officer is None else Actor("officer", str(officer.id))
