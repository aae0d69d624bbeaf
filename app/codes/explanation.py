"""Why one code has its color: the decision on which it stands, what today's policy says, and what comes by the clock.

Only reads. Whoever asks is written in the audit first, by the edge (`audit.read`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes import ledger
from app.codes.evaluation import evaluate, keeps_green
from app.codes.evidence import to_fact
from app.codes.models import DecisionRow, EvidenceRow
from app.codes.states import State
from app.rules import Decision, Evidence, Policy, decide


class Explanation(NamedTuple):
    """A code as of a moment, on what had been recorded by then.

    `decision` is the one on which it stood, None before the first. `today` is what the policy in force says; `stands`
    that the code is green all the same, because only the platform's word is missing. `next` is what time alone brings,
    with its moment. `numbers` of the policy that have changed since the decision: then, and at the moment.
    """

    state: State
    decision: DecisionRow | None
    evidence: Mapping[str, EvidenceRow]
    today: Decision
    keeps_green: bool
    next: tuple[datetime, Decision] | None
    changed_parameters: Mapping[str, tuple[Any, Any]]


def explain(session: Session, policy: Policy, serial: int, at: datetime) -> Explanation:
    """Why a code has, or had, or will have its state at a moment. Raises Problem when there is no such code."""
    ledger.get_code(session, serial)
    known = select(EvidenceRow).where(EvidenceRow.serial == serial, EvidenceRow.recorded_at <= at)
    rows = {row.id: row for row in session.scalars(known)}
    made = select(DecisionRow).where(DecisionRow.serial == serial, DecisionRow.decided_at <= at)
    decision = session.scalars(made.order_by(DecisionRow.version.desc()).limit(1)).first()
    facts = [_as_known(row, at) for row in rows.values()]
    today = decide(facts, policy, at)
    state = State.NOT_DECLARED if decision is None else State(decision.state)
    return Explanation(
        state=state,
        decision=decision,
        evidence=rows,
        today=today,
        keeps_green=decision is not None and keeps_green(decision, state, facts, today),
        next=None if today.due_at is None else (today.due_at, decide(facts, policy, today.due_at)),
        changed_parameters={} if decision is None else _changed_parameters(policy, decision.decided_at, at),
    )


class EvidencePreview(NamedTuple):
    """The state of a code now, and what it would be, with the rule of the decision on which it would stand."""

    now: State
    then: State
    rule: str


def preview_withdrawal(
    session: Session, policy: Policy, serial: int, evidence: Collection[str], now: datetime
) -> EvidencePreview:
    """What a code would be if some of its evidence were withdrawn now. Raises Problem when there is no such code.

    The same weighing as when it is written; what the platform says when it is asked afterwards nobody knows yet.
    """
    code = ledger.get_code(session, serial)
    last = None if code.decision_id is None else session.get_one(DecisionRow, code.decision_id)
    facts = [
        replace(fact, withdrawn_at=now) if fact.id in evidence else fact
        for fact in ledger.load_evidence(session, serial)
    ]
    evaluation = evaluate(code, last, facts, policy, now, on_screen=False)
    rule = code.rule or "NOT-DECLARED" if evaluation.decision is None else evaluation.decision.rule
    return EvidencePreview(State(code.state), evaluation.state, rule)


def preview_additions(
    session: Session, policy: Policy, facts: Mapping[int, Sequence[Evidence]], now: datetime
) -> list[tuple[State, State]]:
    """The state of each of these codes now, and what it would be with some facts more. Writes nothing.

    Raises Problem when one of the codes does not exist.
    """
    known, states = ledger.load_evidence_many(session, facts), []
    for serial, some in facts.items():
        code = ledger.get_code(session, serial)
        last = None if code.decision_id is None else session.get_one(DecisionRow, code.decision_id)
        evidence = [*known.get(serial, ()), *some]
        states.append((State(code.state), evaluate(code, last, evidence, policy, now, on_screen=False).state))
    return states


def _as_known(row: EvidenceRow, at: datetime) -> Evidence:
    """The fact of a row, without a withdrawal that came later."""
    fact = to_fact(row)
    later = fact.withdrawn_at is not None and fact.withdrawn_at > at
    return replace(fact, withdrawn_at=None) if later else fact


def _changed_parameters(policy: Policy, before: datetime, after: datetime) -> dict[str, tuple[Any, Any]]:
    """The numbers of the policy that differ between two moments."""
    old, new = asdict(policy.at(before)), asdict(policy.at(after))
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}
