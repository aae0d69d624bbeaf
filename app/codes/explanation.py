"""Explanation of a color: the decision behind it, the result by today's policy, and the next change by the clock.

Only reads. The caller records the access in the audit first (`audit.record_access`).
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
    """A code at a moment, by the evidence recorded until then.

    `decision` is the one in effect, None before the first. `today` is the result by the policy in force; `keeps_green`
    says that the code is green all the same, because only the platform's answer is missing. `next` is the next change
    by the clock, with its moment. `changed_parameters` have the values at the decision and at the moment.
    """

    state: State
    decision: DecisionRow | None
    evidence: Mapping[str, EvidenceRow]
    today: Decision
    keeps_green: bool
    next: tuple[datetime, Decision] | None
    changed_parameters: Mapping[str, tuple[Any, Any]]


def explain(session: Session, policy: Policy, serial: int, at: datetime) -> Explanation:
    """Explain the state of a code at a past, present or future moment. Raises Problem when there is no such code."""
    ledger.get_code(session, serial)
    recorded = select(EvidenceRow).where(EvidenceRow.serial == serial, EvidenceRow.recorded_at <= at)
    rows = {row.id: row for row in session.scalars(recorded)}
    decisions = select(DecisionRow).where(DecisionRow.serial == serial, DecisionRow.decided_at <= at)
    decision = session.scalars(decisions.order_by(DecisionRow.version.desc()).limit(1)).first()
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
    """The state of a code now and after a change of evidence, with the rule that would then decide it."""

    now: State
    then: State
    rule: str


def preview_withdrawal(
    session: Session, policy: Policy, serial: int, evidence: Collection[str], now: datetime
) -> EvidencePreview:
    """Preview a code without some of its evidence. Raises Problem when there is no such code.

    The same evaluation as for the real change, but without the answer of the platform that may be asked afterwards.
    """
    code = ledger.get_code(session, serial)
    last = None if code.decision_id is None else session.get_one(DecisionRow, code.decision_id)
    facts = [
        replace(fact, withdrawn_at=now) if fact.id in evidence else fact
        for fact in ledger.load_evidence(session, serial)
    ]
    evaluation = evaluate(code, last, facts, policy, now)
    rule = code.rule or "NOT-DECLARED" if evaluation.decision is None else evaluation.decision.rule
    return EvidencePreview(State(code.state), evaluation.state, rule)


def preview_additions(
    session: Session,
    policy: Policy,
    facts: Mapping[int, Sequence[Evidence]],
    now: datetime,
    without: Collection[str] = (),
) -> list[tuple[State, State]]:
    """Preview codes with additional facts: return the state of each now and then. Writes nothing.

    `without`: as if evidence with these ids were not there, before and after. Raises Problem when one of the codes does
    not exist.
    """
    known, states = ledger.load_evidence_many(session, facts), []
    for serial, additional in facts.items():
        code = ledger.get_code(session, serial)
        last = None if code.decision_id is None else session.get_one(DecisionRow, code.decision_id)
        evidence = [fact for fact in known.get(serial, ()) if fact.id not in without]
        before = evaluate(code, last, evidence, policy, now).state if without else State(code.state)
        states.append((before, evaluate(code, last, [*evidence, *additional], policy, now).state))
    return states


def _as_known(row: EvidenceRow, at: datetime) -> Evidence:
    """Return the fact in a row, without a withdrawal after the moment."""
    fact = to_fact(row)
    later = fact.withdrawn_at is not None and fact.withdrawn_at > at
    return replace(fact, withdrawn_at=None) if later else fact


def _changed_parameters(policy: Policy, before: datetime, after: datetime) -> dict[str, tuple[Any, Any]]:
    """Return the parameters of the policy that differ between two moments."""
    old, new = asdict(policy.at(before)), asdict(policy.at(after))
    return {name: (old[name], new[name]) for name in old if old[name] != new[name]}
