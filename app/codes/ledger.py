"""The color ledger: the only place where a code changes color.

Evidence, decision, current color, audit entry, notice and job are written in the caller's one transaction; the row of
the code is locked first, so that changes of one code happen one after the other. Verbs here never commit, and never
touch the cache: the edge does that after the commit (`services.begin`), and the job repairs it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes.evidence import Entry, to_fact, to_row
from app.codes.models import Code, DecisionRow, EvidenceRow, Notice
from app.codes.states import State
from app.errors import Problem
from app.queue import REFRESH_CACHE, defer, defer_notices
from app.rules import Decision, Declaration, Evidence, Policy, Temperature, decide

CHANGED = "codes that this transaction changed"  # key of session.info, read by the edge after the commit


def open_code(session: Session, now: datetime) -> Code:
    """A new code without declaration or color."""
    code = Code(opened_at=now, state=State.NOT_DECLARED, version=1, epoch=1)
    session.add(code)
    session.flush()
    return code


def code_of(session: Session, serial: int) -> Code:
    """The code's row as it stands. Raises Problem when there is no such code."""
    code = session.get(Code, serial)
    if code is None:
        raise Problem("code-not-found")
    return code


def lock_code(session: Session, serial: int) -> Code:
    """The code's row, locked until the transaction ends. Raises Problem when there is no such code."""
    code = session.get(Code, serial, with_for_update=True, populate_existing=True)
    if code is None:
        raise Problem("code-not-found")
    return code


def record(
    session: Session,
    policy: Policy,
    serial: int,
    entries: Sequence[Entry],
    *,
    actor: Actor,
    now: datetime,
    seen: bool = False,
) -> DecisionRow | None:
    """Write evidence down and decide anew; the new decision, or None when it stays as it was.

    `seen` says that the holder is looking at the screen: the inbox has the change, WeChat is not troubled.
    """
    code = lock_code(session, serial)
    for entry in entries:
        if _write_evidence(session, to_row(entry, serial, actor, now)):
            audit.enter(session, actor, "evidence-recorded", now, serial=serial, evidence=entry.fact.id)
    return _decide(session, policy, code, actor, now, seen)


def withdraw(
    session: Session, policy: Policy, serial: int, evidence_id: str, *, reason: str, actor: Actor, now: datetime
) -> DecisionRow | None:
    """Take a wrong piece of evidence back and decide anew; `reason` is a slug of 30 letters at most.

    Raises Problem when the code has no such evidence.
    """
    code = lock_code(session, serial)
    row = session.get(EvidenceRow, evidence_id)
    if row is None or row.serial != serial or row.withdrawn_at is not None:
        raise Problem("evidence-not-found")
    row.withdrawn_at, row.withdrawn_for = now, reason
    audit.enter(session, actor, "evidence-withdrawn", now, serial=serial, evidence=evidence_id, reason=reason)
    return _decide(session, policy, code, actor, now, seen=False)


def decide_again(session: Session, policy: Policy, serial: int, *, actor: Actor, now: datetime) -> DecisionRow | None:
    """Decide anew on the same evidence, because time has passed or the policy has changed; the look is over."""
    code = lock_code(session, serial)
    code.retry_at = None
    return _decide(session, policy, code, actor, now, seen=False)


def end_sessions(session: Session, serial: int, *, actor: Actor, now: datetime) -> int:
    """End every session of the code's holder; returns the epoch of the sessions to come."""
    code = lock_code(session, serial)
    code.epoch = code.epoch % 65_535 + 1
    audit.enter(session, actor, "sessions-ended", now, serial=serial)
    _mark_changed(session, code)
    return code.epoch


def look_again_at(session: Session, serial: int, moment: datetime | None) -> None:
    """Let the clock look at this code at the moment, for the platform has not answered yet; None: when it is due."""
    lock_code(session, serial).retry_at = moment


def claim_due(session: Session, now: datetime, until: datetime, most: int) -> list[int]:
    """The serials of codes that are due for a look, earliest first; nobody else gets them before `until`."""
    next_look = func.coalesce(Code.retry_at, Code.due_at)
    due = select(Code).where(next_look <= now).order_by(next_look).limit(most)
    codes = list(session.scalars(due.with_for_update(skip_locked=True)))
    for code in codes:
        code.retry_at = until
    return [code.serial for code in codes]


def evidence_of(session: Session, serial: int) -> list[Evidence]:
    """All evidence of a code as facts for the rules, withdrawn ones included, as the database has it now."""
    rows = select(EvidenceRow).filter_by(serial=serial).execution_options(populate_existing=True)
    return [to_fact(row) for row in session.scalars(rows)]


def _write_evidence(session: Session, row: EvidenceRow) -> bool:
    """Add a row; a finding that is known already is left as it is. Returns whether there is a new row."""
    if row.finding is None:
        session.add(row)
        session.flush()
        return True
    values = {column.name: getattr(row, column.name) for column in EvidenceRow.__table__.columns}
    statement = insert(EvidenceRow).values(values).on_conflict_do_nothing(index_elements=["serial", "finding"])
    return session.execute(statement.returning(EvidenceRow.id)).first() is not None


def _decide(
    session: Session, policy: Policy, code: Code, actor: Actor, now: datetime, seen: bool
) -> DecisionRow | None:
    evidence = evidence_of(session, code.serial)
    now = _not_before(evidence, now)
    decision = decide(evidence, policy, now)
    last = session.get(DecisionRow, code.decision_id) if code.decision_id else None
    if "verification" in decision.missing:
        code.retry_at = now  # the clock asks the platform at once
    if _lacks_only_the_platform(decision) and last is not None and _stands(last, code, evidence):
        return None
    if code.due_at != decision.due_at:
        code.due_at = decision.due_at
        _mark_changed(session, code)
    state = _state(decision)
    if (last is None and state == State.NOT_DECLARED) or (last is not None and _same(last, state, decision)):
        return None
    row = _write_decision(session, code, state, decision, actor, now)
    if row.state != row.previous_state and (row.previous_state, row.state) != _FIRST_STEP:
        _write_notice(session, row, seen, withheld=_is_others_business(code, row, evidence))
    return row


_FIRST_STEP = (State.NOT_DECLARED, State.UNVERIFIED)  # says nothing new


def _is_others_business(code: Code, decision: DecisionRow, evidence: Sequence[Evidence]) -> bool:
    """Whether a change rests on what others know about a person whom its holder may not be (holding.py)."""
    if code.held_since is None or code.confirmed_at is not None:
        return False
    since = code.held_since
    own = {fact.id for fact in evidence if isinstance(fact, Declaration | Temperature) and fact.at >= since}
    return decision.previous_state >= State.ORANGE or not decision.evidence or not own.issuperset(decision.evidence)


def _not_before(evidence: Sequence[Evidence], now: datetime) -> datetime:
    """The moment to decide at: who had to wait for the lock must not overlook what was written down meanwhile.

    The same holds for a machine whose clock runs behind that of another. No evidence is dated ahead of its writer.
    """
    return max([now, *(moment for fact in evidence for moment in (fact.at, fact.withdrawn_at) if moment is not None)])


def _lacks_only_the_platform(decision: Decision) -> bool:
    return decision.color is None and decision.missing == ("verification",)


def _stands(last: DecisionRow, code: Code, evidence: Sequence[Evidence]) -> bool:
    """Whether a green code stays green while the platform cannot be asked: failure lowers no color."""
    withdrawn = {fact.id for fact in evidence if fact.withdrawn_at is not None}
    return code.state == State.GREEN and withdrawn.isdisjoint(last.evidence)


def _state(decision: Decision) -> State:
    return State.NOT_DECLARED if decision.rule == "NOT-DECLARED" else State.of(decision.color)


def _same(last: DecisionRow, state: State, decision: Decision) -> bool:
    """Whether a decision tells a person nothing new."""
    return (
        last.state == state
        and last.rule == decision.rule
        and last.evidence == list(decision.evidence)
        and last.missing == list(decision.missing)
        and last.until == decision.until
        and last.policy_version == decision.policy_version
        and [rule["rule"] for rule in last.rules] == [rule.rule for rule in decision.rules]
    )


def _write_decision(
    session: Session,
    code: Code,
    state: State,
    decision: Decision,
    actor: Actor,
    now: datetime,
) -> DecisionRow:
    previous = State(code.state)
    code.state, code.rule, code.since = state, decision.rule, decision.since
    _mark_changed(session, code)
    row = DecisionRow(
        serial=code.serial,
        version=code.version,
        previous_state=previous,
        state=state,
        rule=decision.rule,
        rules=[{"rule": rule.rule, "color": rule.color, "evidence": list(rule.evidence)} for rule in decision.rules],
        evidence=list(decision.evidence),
        missing=list(decision.missing),
        policy_version=decision.policy_version,
        since=decision.since,
        until=decision.until,
        decided_at=now,
        actor=str(actor),
    )
    session.add(row)
    session.flush()
    code.decision_id = row.id
    audit.enter(session, actor, "decided", now, serial=code.serial, decision=row.id, rule=row.rule, state=state.name)
    return row


def _write_notice(session: Session, decision: DecisionRow, seen: bool, withheld: bool) -> None:
    """Tell the holder: in the inbox at once, through WeChat by a job unless they look at it or may not know it."""
    delivery = "withheld" if withheld else "seen" if seen else "waiting"
    session.add(
        Notice(serial=decision.serial, decision_id=decision.id, created_at=decision.decided_at, delivery=delivery)
    )
    if delivery == "waiting":
        defer_notices(session, [decision.serial], bulk=False)


def _mark_changed(session: Session, code: Code) -> None:
    """Give the code a new version, and see to it that the cache and the holder hear of it after the commit."""
    code.version += 1
    session.flush()
    changed = session.info.setdefault(CHANGED, {})
    if code.serial not in changed:
        changed[code.serial] = code
        defer(session, REFRESH_CACHE, serial=code.serial)
