"""Evaluation of a code: its evidence leads to nothing, to another due time, or to a decision with a notice.

Pure: takes the rows of a code and of its last decision, all its evidence, the policy and the moment, and returns the
changes to write. `batch_change` locks and writes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.codes.evidence import latest_moment, rule_name
from app.codes.states import State
from app.rules import Decision, Evidence, Policy, decide


class Evaluation(NamedTuple):
    """The result of an evaluation at the moment `at`.

    `decision` is None when nothing is new; `delivery` is that of the notice, None when none is needed.
    """

    at: datetime
    due_at: datetime | None
    needs_platform: bool
    state: State
    decision: Decision | None
    delivery: str | None


class Decided(NamedTuple):
    """What the rules say of evidence at the moment `at`, and the state that a code would get."""

    at: datetime
    decision: Decision
    state: State


def evaluate(code: Any, last: Any | None, evidence: Sequence[Evidence], policy: Policy, now: datetime) -> Evaluation:
    """Evaluate a code (a row of `codes`) whose last decision is `last` (a row of `decisions`)."""
    return compare(code, last, evidence, decide_latest(evidence, policy, now))


def decide_latest(evidence: Sequence[Evidence], policy: Policy, now: datetime) -> Decided:
    """Decide at a moment, or at that of the latest evidence, when it is later."""
    now = latest_moment(evidence, now)  # another machine, or another change while this one waited, may be ahead
    decision = decide(evidence, policy, now)
    return Decided(now, decision, State.NOT_DECLARED if decision.rule == "NOT-DECLARED" else State.of(decision.color))


def needs_last(code: Any, decided: Decided) -> bool:
    """Return whether the last decision of a code can be the same, or keep it green: if not, `compare` goes without."""
    same = decided.state == code.state and decided.decision.rule == code.rule
    return code.decision_id is not None and (same or (code.state == State.GREEN and decided.decision.color is None))


def compare(code: Any, last: Any | None, evidence: Sequence[Evidence], decided: Decided) -> Evaluation:
    """Compare what the rules say now with a code and its last decision."""
    at, decision, state = decided
    needs_platform = "verification" in decision.missing
    if last is not None and keeps_green(last, State(code.state), evidence, decision):
        return Evaluation(at, code.due_at, needs_platform, State(code.state), None, None)
    is_first = code.decision_id is None
    if (is_first and state == State.NOT_DECLARED) or (last is not None and _is_unchanged(last, state, decision)):
        return Evaluation(at, decision.due_at, needs_platform, State(code.state), None, None)
    delivery = None
    if state != code.state and (code.state, state) != _FIRST_DECLARATION:
        delivery = "withheld" if _is_withheld(code) else "waiting"
    return Evaluation(at, decision.due_at, needs_platform, state, decision, delivery)


_FIRST_DECLARATION = (State.NOT_DECLARED, State.UNVERIFIED)  # a change without news for the holder


def _is_withheld(code: Any) -> bool:
    """Return whether the holder is not confirmed: a message, or none, would show what others have recorded."""
    return code.claimed_at is not None and code.confirmed_at is None


def keeps_green(last: Any, state: State, evidence: Sequence[Evidence], decision: Decision) -> bool:
    """Return whether a code stays green because only the platform's answer is missing: an outage changes no color."""
    if state != State.GREEN or decision.color is not None or decision.missing != ("verification",):
        return False
    withdrawn = {fact.id for fact in evidence if fact.withdrawn_at is not None}
    return withdrawn.isdisjoint(last.evidence)


def _is_unchanged(last: Any, state: State, decision: Decision) -> bool:
    """Return whether a decision is the same as the last one in everything that the holder sees."""
    return (
        last.state == state
        and last.rule == decision.rule
        and last.evidence == list(decision.evidence)
        and last.missing == list(decision.missing)
        and last.until == decision.until
        and last.policy_version == decision.policy_version
        and [rule_name(rule) for rule in last.rules] == [rule.rule for rule in decision.rules]
    )
