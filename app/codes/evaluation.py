"""Evaluation of a code: its evidence leads to nothing, to another due time, or to a decision with a notice.

Pure: takes the rows of a code and of its last decision, all its evidence, the policy and the moment, and returns the
changes to write. `batch_change` locks and writes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.codes.evidence import latest_moment
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


def evaluate(code: Any, last: Any | None, evidence: Sequence[Evidence], policy: Policy, now: datetime) -> Evaluation:
    """Evaluate a code (a row of `codes`) whose last decision is `last` (a row of `decisions`)."""
    now = latest_moment(evidence, now)  # another machine, or another change while this one waited, may be ahead
    decision = decide(evidence, policy, now)
    state = State.NOT_DECLARED if decision.rule == "NOT-DECLARED" else State.of(decision.color)
    needs_platform = "verification" in decision.missing
    if last is not None and keeps_green(last, State(code.state), evidence, decision):
        return Evaluation(now, code.due_at, needs_platform, State(code.state), None, None)
    if (last is None and state == State.NOT_DECLARED) or (last is not None and _is_unchanged(last, state, decision)):
        return Evaluation(now, decision.due_at, needs_platform, State(code.state), None, None)
    delivery = None
    if state != code.state and (code.state, state) != _FIRST_DECLARATION:
        delivery = "withheld" if _is_withheld(code) else "waiting"
    return Evaluation(now, decision.due_at, needs_platform, state, decision, delivery)


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
        and [rule["rule"] for rule in last.rules] == [rule.rule for rule in decision.rules]
    )
