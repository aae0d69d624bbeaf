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
from app.codes import explanation, ledger
from app.codes.states import State
from app.core.errors import Problem
from app.entries import alarms, effects, validation
from app.entries.alarms import Thresholds
from app.entries.models import Case, Entry, EntrySubject
from app.entries.validation import (
    NOT_APPROVED,
    OPEN_STATES,
    RISK_LOWERING_KINDS,
    ClearanceReason,
    NewEntry,
    RejectionReason,
)
from app.rules import Policy
from app.staff.models import Officer, Role

APPROVAL_DEADLINE = timedelta(hours=24)
DUPLICATE_WINDOW = timedelta(minutes=1)  # the same from the same officer is a second click

_COMPARED_FIELDS = (
    "kind",
    "authority",
    "reference",
    "exposed_on",
    "first_day",
    "last_day",
    "place",
    "urgent",
)  # of a draft
_WORKFLOW_LOCK = text("select pg_advisory_xact_lock(20200317)")


def save(
    session: Session,
    policy: Policy,
    thresholds: Sequence[Thresholds],
    officer: Officer,
    new_entry: NewEntry,
    serials: Collection[int],
    now: datetime,
    days: Mapping[int, date] | None = None,
) -> Entry:
    """Write a proposal down; it counts at once where one officer suffices. Raises Problem with every bad field.

    `days` are the last days of contact of those who have one of their own. What the officer has proposed a moment
    before is not written again: the answer is that proposal.
    """
    _require_role(officer, Role.RECORDER)
    lock_workflow(session)
    people = {serial: (days or {}).get(serial) for serial in serials}
    before = _find_duplicate(session, officer, new_entry, people, now)
    if before is not None:
        return before
    case = validation.validate(session, officer, new_entry, len(serials), serials, now)
    entry = Entry(
        kind=new_entry.kind, authority=new_entry.authority, reference=new_entry.reference, exposed_on=new_entry.exposed_on,
        first_day=new_entry.first_day, last_day=new_entry.last_day, place=new_entry.place,
        case_id=None if case is None else case.id, people=len(serials), district=officer.district,
        recorder_id=officer.id, recorded_at=now, urgent=new_entry.urgent, state="waiting",
    )  # fmt: skip
    milder = new_entry.kind in RISK_LOWERING_KINDS and not _raises_risk(session, policy, new_entry, people, now)
    entry.alarm = (
        None if milder else alarms.find_alarm(session, alarms.thresholds_at(thresholds, now), entry, officer.id, now)
    )
    if entry.alarm is not None:
        entry.state = "held"
    session.add(entry)
    session.flush()
    session.add_all(
        EntrySubject(entry_id=entry.id, serial=serial, exposed_on=day) for serial, day in sorted(people.items())
    )
    effects.append_audit(session, officer, Role.RECORDER, "proposed", entry, now)
    if entry.alarm is None and (milder or new_entry.urgent):
        if new_entry.urgent and not milder:
            entry.approve_until = now + APPROVAL_DEADLINE
        effects.apply(session, policy, entry, officer, Role.RECORDER, "applied" if milder else "urgent", now)
    return entry


def approve(
    session: Session, policy: Policy, thresholds: Sequence[Thresholds], officer: Officer, id_: int, now: datetime
) -> Entry:
    """Let a proposal count; the approver has neither recorded it nor let it go.

    One that raises an alarm now is held instead; a contact whose case has ended is refused.
    """
    _require_role(officer, Role.APPROVER)
    lock_workflow(session)
    entry = _lock_entry(session, officer, id_, ("waiting", "urgent"))
    _require_other_officer(officer, entry)
    if _case_has_ended(session, entry):
        effects.revoke_with_case(session, policy, entry, officer, Role.APPROVER, now)
        return entry
    if entry.cleared_by is None:
        entry.alarm = alarms.find_alarm(session, alarms.thresholds_at(thresholds, now), entry, officer.id, now)
        if entry.alarm is not None:
            return effects.hold(session, policy, officer, entry, now)
    urgent = entry.state == "urgent"
    effects.resolve(session, entry, officer, Role.APPROVER, "applied", now)
    if not urgent:
        effects.apply(session, policy, entry, officer, Role.APPROVER, "applied", now)
    return entry


def reject(
    session: Session, policy: Policy, officer: Officer, id_: int, reason: RejectionReason, now: datetime
) -> Entry:
    """Refuse a proposal, or take an own one back before it counts; what counted as urgent falls."""
    lock_workflow(session)
    entry = _lock_entry(session, officer, id_, OPEN_STATES)
    own = officer.id == entry.recorder_id
    role = Role.RECORDER if own else Role.AUDITOR if entry.state == "held" else Role.APPROVER
    if not own:
        _require_role(officer, role)
    effects.revoke_urgent(session, policy, entry, officer, role, reason, now)
    effects.resolve(session, entry, officer, role, "withdrawn" if own else "rejected", now, reason)
    return entry


def clear_hold(session: Session, officer: Officer, id_: int, reason: ClearanceReason, now: datetime) -> Entry:
    """Let what an alarm holds go on to its approver. Whoever recorded it does not release it."""
    _require_role(officer, Role.AUDITOR)
    entry = _lock_entry(session, officer, id_, ("held",))
    _require_other_officer(officer, entry)
    entry.state, entry.cleared_by, entry.clearance_reason = "waiting", officer.id, reason
    effects.append_audit(session, officer, Role.AUDITOR, "hold-released", entry, now, reason)
    return entry


def lapse_overdue(session: Session, policy: Policy, now: datetime) -> int:
    """Let urgent proposals fall that nobody has approved in time; returns how many."""
    lock_workflow(session)
    late = select(Entry).where(Entry.state == "urgent", Entry.approve_until <= now).order_by(Entry.id)
    entries = list(session.scalars(late.with_for_update(skip_locked=True).limit(20)))
    for entry in entries:
        if entry.state == "urgent":  # it has not fallen with another's case a moment ago
            effects.revoke_urgent(session, policy, entry, None, None, NOT_APPROVED, now)
            entry.state, entry.resolved_at, entry.resolution_reason = "lapsed", now, NOT_APPROVED
            audit.append(session, audit.CLOCK, "proposal-lapsed", now, entry=entry.id)
    return len(entries)


def lock_workflow(session: Session) -> None:
    """Let nobody else propose or settle until the transaction ends; taken before any code is locked."""
    session.execute(_WORKFLOW_LOCK)


def preview_changes(
    session: Session,
    policy: Policy,
    officer: Officer,
    new_entry: NewEntry,
    people: Mapping[int, date | None],
    now: datetime,
) -> Counter[tuple[State, State]]:
    """How many of these people's codes would change, from which state to which; `people` are by serial, with own days.

    It writes all that would be written, because nothing else can be trusted to tell the same: the caller takes the
    transaction back. Raises Problem.
    """
    actor = Actor("officer", str(officer.id))
    changed = ledger.record_many(
        session, policy, effects.make_evidence(session, new_entry, people, now), actor=actor, now=now
    )
    return Counter(change for change in changed.states.values() if change[0] != change[1])


def list_pending(session: Session, officer: Officer) -> dict[str, list[Entry]]:
    """What an officer can settle, by state, oldest first: an approver what waits or is urgent, an auditor holds."""
    states = [
        *(("waiting", "urgent") if Role.APPROVER in officer.roles else ()),
        *(("held",) if Role.AUDITOR in officer.roles else ()),
    ]
    rows = select(Entry).where(
        Entry.state.in_(states),
        Entry.recorder_id != officer.id,
        Entry.cleared_by.is_distinct_from(officer.id),
    )
    found: Iterable[Entry] = (
        session.scalars(_restrict_to_district(rows, officer).order_by(Entry.recorded_at, Entry.id)) if states else []
    )
    sorted_: dict[str, list[Entry]] = {state: [] for state in states}
    for entry in found:
        sorted_[entry.state].append(entry)
    return sorted_


def list_recorded_by(session: Session, officer: Officer, most: int) -> list[Entry]:
    """What an officer has recorded, the newest first."""
    mine = select(Entry).where(Entry.recorder_id == officer.id).order_by(Entry.id.desc()).limit(most)
    return list(session.scalars(mine))


def find_entry(session: Session, officer: Officer, id_: int) -> Entry:
    """A proposal of the officer's district. Raises Problem `entry-not-found`."""
    entry = session.get(Entry, id_)
    if entry is None or officer.district not in (None, entry.district):
        raise Problem("entry-not-found")
    return entry


# --- what must hold -----------------------------------------------------------------------------------------------


def _require_role(officer: Officer, role: str) -> None:
    if role not in officer.roles:
        raise Problem("not-your-role")


def _require_other_officer(officer: Officer, entry: Entry) -> None:
    if officer.id in (entry.recorder_id, entry.cleared_by):
        raise Problem("two-persons")


def _find_duplicate(
    session: Session, officer: Officer, new_entry: NewEntry, people: Mapping[int, date | None], now: datetime
) -> Entry | None:
    """What the officer has proposed a moment before, when it was the same about the same people and still stands."""
    same = (
        select(Entry)
        .outerjoin(Case, Case.id == Entry.case_id)
        .where(
            Entry.recorder_id == officer.id,
            Entry.recorded_at > now - DUPLICATE_WINDOW,
            Entry.state.in_((*OPEN_STATES, "applied")),
            Case.number.is_not_distinct_from(new_entry.case),
            *(getattr(Entry, name).is_not_distinct_from(getattr(new_entry, name)) for name in _COMPARED_FIELDS),
        )
    )
    return next(
        (
            one
            for one in session.scalars(same)
            if people == {of.serial: of.exposed_on for of in effects.list_subjects(session, one)}
        ),
        None,
    )


def _raises_risk(
    session: Session, policy: Policy, new_entry: NewEntry, people: Mapping[int, date | None], now: datetime
) -> bool:
    """Whether anybody would be orange or red by what ought to lower a risk, and was better before."""
    facts = {
        serial: [entry.fact for entry in some]
        for serial, some in effects.make_evidence(session, new_entry, people, now).items()
    }
    return any(
        then >= State.ORANGE and then > before
        for before, then in explanation.preview_additions(session, policy, facts, now)
    )


def _case_has_ended(session: Session, entry: Entry) -> bool:
    if entry.case_id is None:
        return False
    return session.get_one(Case, entry.case_id, populate_existing=True).ended_at is not None


def _restrict_to_district(rows: Select[Any], officer: Officer) -> Select[Any]:
    return rows if officer.district is None else rows.where(Entry.district == officer.district)


def _lock_entry(session: Session, officer: Officer, id_: int, states: Sequence[str]) -> Entry:
    """A proposal of the officer's district in one of these states, locked. Raises Problem."""
    entry = session.get(Entry, id_, with_for_update=True, populate_existing=True)
    if entry is None or officer.district not in (None, entry.district):
        raise Problem("entry-not-found")
    if entry.state not in states:
        raise Problem("entry-resolved")
    return entry
