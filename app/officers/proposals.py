"""What officers propose, and how it comes to count: the evidence that a person enters by hand goes through here.

What makes codes worse waits for an approver who is not the recorder. What lowers a risk counts at once. An urgent entry
counts at once too, and falls after a day without approval. What raises an alarm is held until an auditor lets it go,
urgent or not. A proposal is about one person or about many, and becomes evidence of all of them or of none.

Proposals are written and settled one after the other (`in_turn`): each sees the sums and cases that others left.

    held -> waiting -> applied          an auditor, then an approver
            waiting -> refused, taken-back
    urgent  -> applied, refused, lapsed (its evidence falls with the latter two)
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.clock import BEIJING
from app.codes import explaining, ledger
from app.codes.evidence import Entry
from app.codes.models import EvidenceRow
from app.codes.states import State
from app.db import among
from app.errors import FieldError, Problem, bad_field
from app.officers import alarms, cases
from app.officers.alarms import Thresholds
from app.officers.evidence import (
    EntryKind,
    Stated,
    diagnosed,
    fact_of,
    restrictions_of,
    without_diagnosis,
    wrong_fields,
)
from app.officers.models import Case, Concerned, Officer, Proposal, Role
from app.rules import Policy

URGENT_FOR = timedelta(hours=24)
NOT_AGAIN_FOR = timedelta(days=7)  # what fell without approval is not urgent a second time
AGAIN_WITHIN = timedelta(minutes=1)  # the same from the same officer is a second click
OPEN = ("waiting", "held", "urgent")  # not settled yet
NOT_APPROVED, CASE_RULED_OUT = "not-approved", "case-ruled-out"

MILDER = frozenset({EntryKind.RELEASE, EntryKind.RULED_OUT, EntryKind.RECOVERED})
_INFECTED = (EntryKind.SUSPECTED, EntryKind.CONFIRMED)
_END_INFECTION = (EntryKind.RULED_OUT, EntryKind.RECOVERED)
_SAME = ("kind", "authority", "reference", "exposed_on", "first_day", "last_day", "place", "urgent")  # of a draft
_IN_TURN = text("select pg_advisory_xact_lock(20200317)")


class Release(StrEnum):
    """Why an auditor lets what was held go on: grounds of public health, and no others."""

    OUTBREAK = "outbreak"  # a cluster that the centre for disease control has confirmed
    TRACING = "tracing"  # the contacts of one case, traced by its centre
    ARRIVALS = "arrivals"  # travellers from a place with an outbreak, under an order
    SCREENING = "screening"  # results of a screening by a named laboratory


class Refusal(StrEnum):
    """Why a proposal is refused or taken back."""

    WRONG_PERSON = "wrong-person"
    WRONG_FACTS = "wrong-facts"
    NO_DOCUMENT = "no-document"
    NOT_HEALTH = "not-health"  # it has nothing to do with public health
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Stated):
    """What is proposed of one or many people: what is stated, where it happened, and for a contact of whose case."""

    place: str | None = None
    case: str | None = None
    urgent: bool = False


def propose(
    session: Session,
    policy: Policy,
    thresholds: Sequence[Thresholds],
    officer: Officer,
    draft: Draft,
    serials: Collection[int],
    now: datetime,
    days: Mapping[int, date] | None = None,
) -> Proposal:
    """Write a proposal down; it counts at once where one officer suffices. Raises Problem with every bad field.

    `days` are the last days of contact of those who have one of their own. What the officer has proposed a moment
    before is not written again: the answer is that proposal.
    """
    _must_be(officer, Role.RECORDER)
    in_turn(session)
    people = {serial: (days or {}).get(serial) for serial in serials}
    before = _just_now(session, officer, draft, people, now)
    if before is not None:
        return before
    case = check(session, officer, draft, len(serials), serials, now)
    proposal = Proposal(
        kind=draft.kind, authority=draft.authority, reference=draft.reference, exposed_on=draft.exposed_on,
        first_day=draft.first_day, last_day=draft.last_day, place=draft.place,
        case_id=None if case is None else case.id, people=len(serials), district=officer.district,
        recorder_id=officer.id, recorded_at=now, urgent=draft.urgent, state="waiting",
    )  # fmt: skip
    milder = draft.kind in MILDER and not _worsens(session, policy, draft, people, now)
    proposal.alarm = None if milder else alarms.raised(session, alarms.at(thresholds, now), proposal, officer.id, now)
    if proposal.alarm is not None:
        proposal.state = "held"
    session.add(proposal)
    session.flush()
    session.add_all(
        Concerned(proposal_id=proposal.id, serial=serial, exposed_on=day) for serial, day in sorted(people.items())
    )
    _note(session, officer, Role.RECORDER, "proposed", proposal, now)
    if proposal.alarm is None and (milder or draft.urgent):
        if draft.urgent and not milder:
            proposal.approve_until = now + URGENT_FOR
        _apply(session, policy, proposal, officer, Role.RECORDER, "applied" if milder else "urgent", now)
    return proposal


def approve(
    session: Session, policy: Policy, thresholds: Sequence[Thresholds], officer: Officer, id_: int, now: datetime
) -> Proposal:
    """Let a proposal count; the approver has neither recorded it nor let it go.

    One that raises an alarm now is held instead; a contact whose case has ended is refused.
    """
    _must_be(officer, Role.APPROVER)
    in_turn(session)
    proposal = _locked(session, officer, id_, ("waiting", "urgent"))
    _must_be_another(officer, proposal)
    if _case_has_ended(session, proposal):
        _end_with_case(session, policy, proposal, officer, Role.APPROVER, now)
        return proposal
    if proposal.released_by is None:
        proposal.alarm = alarms.raised(session, alarms.at(thresholds, now), proposal, officer.id, now)
        if proposal.alarm is not None:
            return _hold(session, policy, officer, proposal, now)
    urgent = proposal.state == "urgent"
    _settle(session, proposal, officer, Role.APPROVER, "applied", now)
    if not urgent:
        _apply(session, policy, proposal, officer, Role.APPROVER, "applied", now)
    return proposal


def refuse(session: Session, policy: Policy, officer: Officer, id_: int, reason: Refusal, now: datetime) -> Proposal:
    """Refuse a proposal, or take an own one back before it counts; what counted as urgent falls."""
    in_turn(session)
    proposal = _locked(session, officer, id_, OPEN)
    own = officer.id == proposal.recorder_id
    role = Role.RECORDER if own else Role.AUDITOR if proposal.state == "held" else Role.APPROVER
    if not own:
        _must_be(officer, role)
    _fall(session, policy, proposal, officer, role, reason, now)
    _settle(session, proposal, officer, role, "taken-back" if own else "refused", now, reason)
    return proposal


def release(session: Session, officer: Officer, id_: int, reason: Release, now: datetime) -> Proposal:
    """Let what an alarm holds go on to its approver. Whoever recorded it does not release it."""
    _must_be(officer, Role.AUDITOR)
    proposal = _locked(session, officer, id_, ("held",))
    _must_be_another(officer, proposal)
    proposal.state, proposal.released_by, proposal.released_for = "waiting", officer.id, reason
    _note(session, officer, Role.AUDITOR, "hold-released", proposal, now, reason)
    return proposal


def lapse(session: Session, policy: Policy, now: datetime) -> int:
    """Let urgent proposals fall that nobody has approved in time; returns how many."""
    in_turn(session)
    late = select(Proposal).where(Proposal.state == "urgent", Proposal.approve_until <= now).order_by(Proposal.id)
    proposals = list(session.scalars(late.with_for_update(skip_locked=True).limit(20)))
    for proposal in proposals:
        if proposal.state == "urgent":  # it has not fallen with another's case a moment ago
            _fall(session, policy, proposal, None, None, NOT_APPROVED, now)
            proposal.state, proposal.settled_at, proposal.settled_for = "lapsed", now, NOT_APPROVED
            audit.enter(session, audit.CLOCK, "proposal-lapsed", now, proposal=proposal.id)
    return len(proposals)


def in_turn(session: Session) -> None:
    """Let nobody else propose or settle until the transaction ends; taken before any row is locked."""
    session.execute(_IN_TURN)


def outlook(
    session: Session, policy: Policy, officer: Officer, draft: Draft, people: Mapping[int, date | None], now: datetime
) -> Counter[tuple[State, State]]:
    """How many of these people's codes would change, from which state to which; `people` are by serial, with own days.

    It writes all that would be written, because nothing else can be trusted to tell the same: the caller takes the
    transaction back. Raises Problem.
    """
    actor = Actor("officer", str(officer.id))
    changed = ledger.record_many(session, policy, _entries(session, draft, people, now), actor=actor, now=now)
    return Counter(change for change in changed.states.values() if change[0] != change[1])


def waiting_for(session: Session, officer: Officer) -> dict[str, list[Proposal]]:
    """What an officer can settle, by state, oldest first: an approver what waits or is urgent, an auditor holds."""
    states = [
        *(("waiting", "urgent") if Role.APPROVER in officer.roles else ()),
        *(("held",) if Role.AUDITOR in officer.roles else ()),
    ]
    rows = select(Proposal).where(
        Proposal.state.in_(states),
        Proposal.recorder_id != officer.id,
        Proposal.released_by.is_distinct_from(officer.id),
    )
    found: Iterable[Proposal] = (
        session.scalars(_within(rows, officer).order_by(Proposal.recorded_at, Proposal.id)) if states else []
    )
    sorted_: dict[str, list[Proposal]] = {state: [] for state in states}
    for proposal in found:
        sorted_[proposal.state].append(proposal)
    return sorted_


def recorded_by(session: Session, officer: Officer, most: int) -> list[Proposal]:
    """What an officer has recorded, the newest first."""
    mine = select(Proposal).where(Proposal.recorder_id == officer.id).order_by(Proposal.id.desc()).limit(most)
    return list(session.scalars(mine))


def find(session: Session, officer: Officer, id_: int) -> Proposal:
    """A proposal of the officer's district. Raises Problem `proposal-not-found`."""
    proposal = session.get(Proposal, id_)
    if proposal is None or officer.district not in (None, proposal.district):
        raise Problem("proposal-not-found")
    return proposal


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


# --- what must hold -----------------------------------------------------------------------------------------------


def check(
    session: Session, officer: Officer, draft: Draft, people: int, known: Collection[int], now: datetime
) -> Case | None:
    """The case of a contact. Raises Problem with every bad field; `known` are those of the people who have a serial."""
    wrong = wrong_fields(draft, now.astimezone(BEIJING).date())
    if not people:
        wrong.append(FieldError("/people", "required"))
    needs_place = draft.kind in (EntryKind.CONTACT, EntryKind.QUARANTINE)
    if needs_place and (draft.place is None or len(draft.place.strip()) < 2):
        wrong.append(FieldError("/place", "required"))
    elif draft.place is not None and (len(draft.place) > 80 or not draft.place.isprintable()):
        wrong.append(FieldError("/place", "invalid"))
    case = None
    if draft.kind is EntryKind.CONTACT:
        case = cases.find(session, draft.case or "", officer)
        if case is None or case.ended_at is not None:
            wrong.append(FieldError("/case", "no-such-case"))
        elif case.serial in known:
            wrong.append(FieldError("/people", "own-contact"))
    elif draft.case is not None:
        wrong.append(FieldError("/case", "unknown"))
    if draft.kind in _INFECTED and people != 1:
        wrong.append(FieldError("/people", "one-person"))
    if draft.kind in _END_INFECTION and len(diagnosed(session, known, now)) != people:
        wrong.append(FieldError("/people", "no-diagnosis"))
    if draft.urgent and _fell_before(session, draft.kind, known, now):
        wrong.append(FieldError("/urgent", "urgent-before"))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return case


def _must_be(officer: Officer, role: str) -> None:
    if role not in officer.roles:
        raise Problem("not-your-role")


def _must_be_another(officer: Officer, proposal: Proposal) -> None:
    if officer.id in (proposal.recorder_id, proposal.released_by):
        raise Problem("two-persons")


def _fell_before(session: Session, kind: EntryKind, serials: Collection[int], now: datetime) -> bool:
    """Whether an urgent entry of the kind about one of these people has counted lately, and fell without approval.

    However it fell: otherwise one officer alone could hold somebody's color by taking back and entering again.
    """
    fallen = (
        select(Proposal.id)
        .join(Concerned, Concerned.proposal_id == Proposal.id)
        .where(
            among(Concerned.serial, serials),
            Proposal.kind == kind,
            Proposal.approve_until.is_not(None),
            Proposal.state.in_(("lapsed", "refused", "taken-back")),
            Proposal.settled_at > now - NOT_AGAIN_FOR,
        )
    )
    return session.scalar(fallen.limit(1)) is not None


def _just_now(
    session: Session, officer: Officer, draft: Draft, people: Mapping[int, date | None], now: datetime
) -> Proposal | None:
    """What the officer has proposed a moment before, when it was the same about the same people and still stands."""
    same = (
        select(Proposal)
        .outerjoin(Case, Case.id == Proposal.case_id)
        .where(
            Proposal.recorder_id == officer.id,
            Proposal.recorded_at > now - AGAIN_WITHIN,
            Proposal.state.in_((*OPEN, "applied")),
            Case.number.is_not_distinct_from(draft.case),
            *(getattr(Proposal, name).is_not_distinct_from(getattr(draft, name)) for name in _SAME),
        )
    )
    return next(
        (
            one
            for one in session.scalars(same)
            if people == {of.serial: of.exposed_on for of in concerned(session, one)}
        ),
        None,
    )


def _worsens(session: Session, policy: Policy, draft: Draft, people: Mapping[int, date | None], now: datetime) -> bool:
    """Whether anybody would be orange or red by what ought to lower a risk, and was better before."""
    facts = {serial: [entry.fact for entry in some] for serial, some in _entries(session, draft, people, now).items()}
    return any(
        then >= State.ORANGE and then > before for before, then in explaining.adding(session, policy, facts, now)
    )


def _case_has_ended(session: Session, proposal: Proposal) -> bool:
    if proposal.case_id is None:
        return False
    return session.get_one(Case, proposal.case_id, populate_existing=True).ended_at is not None


def _within(rows: Select[Any], officer: Officer) -> Select[Any]:
    return rows if officer.district is None else rows.where(Proposal.district == officer.district)


def _locked(session: Session, officer: Officer, id_: int, states: Sequence[str]) -> Proposal:
    """A proposal of the officer's district in one of these states, locked. Raises Problem."""
    proposal = session.get(Proposal, id_, with_for_update=True, populate_existing=True)
    if proposal is None or officer.district not in (None, proposal.district):
        raise Problem("proposal-not-found")
    if proposal.state not in states:
        raise Problem("proposal-settled")
    return proposal


# --- what follows -------------------------------------------------------------------------------------------------


def _apply(
    session: Session, policy: Policy, proposal: Proposal, officer: Officer, role: Role, state: str, now: datetime
) -> None:
    """Make a proposal evidence of everybody whom it concerns."""
    proposal.state = state
    people = concerned(session, proposal)
    stated = Stated(
        kind=EntryKind(proposal.kind), authority=proposal.authority, reference=proposal.reference,
        exposed_on=proposal.exposed_on, first_day=proposal.first_day, last_day=proposal.last_day,
    )  # fmt: skip
    entries = _entries(session, stated, {one.serial: one.exposed_on for one in people}, now)
    for one in people:
        one.evidence_id = entries[one.serial][0].fact.id
    recorder = Actor("officer", str(proposal.recorder_id))
    ledger.record_many(session, policy, entries, actor=recorder, now=now)
    if stated.kind in _INFECTED:
        cases.open_(session, proposal, people[0].serial, now)
    if stated.kind is EntryKind.RULED_OUT:
        for one in people:
            _end_cases(session, policy, one.serial, officer, role, now)


def _entries(
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
            _end_with_case(session, policy, proposal, officer, role, now)


def _end_with_case(
    session: Session, policy: Policy, proposal: Proposal, officer: Officer | None, role: Role | None, now: datetime
) -> None:
    _withdraw(session, policy, proposal, CASE_RULED_OUT, officer, now)
    if proposal.state in OPEN:
        _settle(session, proposal, officer, role, "refused", now, CASE_RULED_OUT)


def _fall(
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
    if proposal.kind in _INFECTED:
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


def _hold(session: Session, policy: Policy, officer: Officer, proposal: Proposal, now: datetime) -> Proposal:
    """Many small proposals are approved as one large one would be: not without an auditor."""
    if proposal.state == "urgent":  # it counts already, and falls by itself if nobody lets it go
        proposal.alarm = None
        raise Problem("too-many-at-once")
    proposal.state = "held"
    _note(session, officer, Role.APPROVER, "held", proposal, now)
    return proposal


def _settle(
    session: Session,
    proposal: Proposal,
    officer: Officer | None,
    role: Role | None,
    state: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    proposal.settled_by = None if officer is None else officer.id
    proposal.state, proposal.settled_at, proposal.settled_for = state, now, reason
    _note(session, officer, role, state, proposal, now, reason)


def _note(
    session: Session,
    officer: Officer | None,
    role: Role | None,
    deed: str,
    proposal: Proposal,
    now: datetime,
    reason: str | None = None,
) -> None:
    alarm = {} if proposal.alarm is None else {"alarm": proposal.alarm}
    detail: dict[str, Any] = {"proposal": proposal.id, "people": proposal.people, **alarm}
    audit.enter(session, _actor_of(officer), f"proposal-{deed}", now, role=role, reason=reason, **detail)


def _actor_of(officer: Officer | None) -> Actor:
    """Who does it: without an officer, the clock."""
    return audit.CLOCK if officer is None else Actor("officer", str(officer.id))
