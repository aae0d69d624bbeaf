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
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes import explaining, ledger
from app.codes.states import State
from app.errors import Problem
from app.officers import alarms, applying, drafts
from app.officers.alarms import Thresholds
from app.officers.drafts import MILDER, NOT_APPROVED, OPEN, Draft, Refusal, Release
from app.officers.models import Case, Concerned, Officer, Proposal, Role
from app.rules import Policy

URGENT_FOR = timedelta(hours=24)
AGAIN_WITHIN = timedelta(minutes=1)  # the same from the same officer is a second click

_SAME = ("kind", "authority", "reference", "exposed_on", "first_day", "last_day", "place", "urgent")  # of a draft
_IN_TURN = text("select pg_advisory_xact_lock(20200317)")


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
    case = drafts.check(session, officer, draft, len(serials), serials, now)
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
    applying.note(session, officer, Role.RECORDER, "proposed", proposal, now)
    if proposal.alarm is None and (milder or draft.urgent):
        if draft.urgent and not milder:
            proposal.approve_until = now + URGENT_FOR
        applying.apply(session, policy, proposal, officer, Role.RECORDER, "applied" if milder else "urgent", now)
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
        applying.end_with_case(session, policy, proposal, officer, Role.APPROVER, now)
        return proposal
    if proposal.released_by is None:
        proposal.alarm = alarms.raised(session, alarms.at(thresholds, now), proposal, officer.id, now)
        if proposal.alarm is not None:
            return applying.hold(session, policy, officer, proposal, now)
    urgent = proposal.state == "urgent"
    applying.settle(session, proposal, officer, Role.APPROVER, "applied", now)
    if not urgent:
        applying.apply(session, policy, proposal, officer, Role.APPROVER, "applied", now)
    return proposal


def refuse(session: Session, policy: Policy, officer: Officer, id_: int, reason: Refusal, now: datetime) -> Proposal:
    """Refuse a proposal, or take an own one back before it counts; what counted as urgent falls."""
    in_turn(session)
    proposal = _locked(session, officer, id_, OPEN)
    own = officer.id == proposal.recorder_id
    role = Role.RECORDER if own else Role.AUDITOR if proposal.state == "held" else Role.APPROVER
    if not own:
        _must_be(officer, role)
    applying.fall(session, policy, proposal, officer, role, reason, now)
    applying.settle(session, proposal, officer, role, "taken-back" if own else "refused", now, reason)
    return proposal


def release(session: Session, officer: Officer, id_: int, reason: Release, now: datetime) -> Proposal:
    """Let what an alarm holds go on to its approver. Whoever recorded it does not release it."""
    _must_be(officer, Role.AUDITOR)
    proposal = _locked(session, officer, id_, ("held",))
    _must_be_another(officer, proposal)
    proposal.state, proposal.released_by, proposal.released_for = "waiting", officer.id, reason
    applying.note(session, officer, Role.AUDITOR, "hold-released", proposal, now, reason)
    return proposal


def lapse(session: Session, policy: Policy, now: datetime) -> int:
    """Let urgent proposals fall that nobody has approved in time; returns how many."""
    in_turn(session)
    late = select(Proposal).where(Proposal.state == "urgent", Proposal.approve_until <= now).order_by(Proposal.id)
    proposals = list(session.scalars(late.with_for_update(skip_locked=True).limit(20)))
    for proposal in proposals:
        if proposal.state == "urgent":  # it has not fallen with another's case a moment ago
            applying.fall(session, policy, proposal, None, None, NOT_APPROVED, now)
            proposal.state, proposal.settled_at, proposal.settled_for = "lapsed", now, NOT_APPROVED
            audit.enter(session, audit.CLOCK, "proposal-lapsed", now, proposal=proposal.id)
    return len(proposals)


def in_turn(session: Session) -> None:
    """Let nobody else propose or settle until the transaction ends; taken before any code is locked."""
    session.execute(_IN_TURN)


def outlook(
    session: Session, policy: Policy, officer: Officer, draft: Draft, people: Mapping[int, date | None], now: datetime
) -> Counter[tuple[State, State]]:
    """How many of these people's codes would change, from which state to which; `people` are by serial, with own days.

    It writes all that would be written, because nothing else can be trusted to tell the same: the caller takes the
    transaction back. Raises Problem.
    """
    actor = Actor("officer", str(officer.id))
    changed = ledger.record_many(
        session, policy, applying.entries_of(session, draft, people, now), actor=actor, now=now
    )
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


# --- what must hold -----------------------------------------------------------------------------------------------


def _must_be(officer: Officer, role: str) -> None:
    if role not in officer.roles:
        raise Problem("not-your-role")


def _must_be_another(officer: Officer, proposal: Proposal) -> None:
    if officer.id in (proposal.recorder_id, proposal.released_by):
        raise Problem("two-persons")


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
            if people == {of.serial: of.exposed_on for of in applying.concerned(session, one)}
        ),
        None,
    )


def _worsens(session: Session, policy: Policy, draft: Draft, people: Mapping[int, date | None], now: datetime) -> bool:
    """Whether anybody would be orange or red by what ought to lower a risk, and was better before."""
    facts = {
        serial: [entry.fact for entry in some]
        for serial, some in applying.entries_of(session, draft, people, now).items()
    }
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
