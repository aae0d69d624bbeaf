"""What follows for a code from its evidence: nothing, another due time, or a decision with a notice.

Pure but for the words of rows: a code as it stands, its last decision, all its evidence, the policy and the moment go
in; what is to be written comes out. Who holds the lock, and who writes, is `changing.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.codes.states import State
from app.rules import Decision, Declaration, Evidence, Policy, Temperature, decide


class Evaluation(NamedTuple):
    """What follows, as seen at `at`.

    `decision` is None where it tells nothing new; `delivery` is how the holder hears of it, None where they need not.
    """

    at: datetime
    due_at: datetime | None
    needs_platform: bool
    state: State
    decision: Decision | None
    delivery: str | None


def evaluate(
    code: Any, last: Any | None, evidence: Sequence[Evidence], policy: Policy, now: datetime, *, on_screen: bool
) -> Evaluation:
    """What follows for a code (a row of `codes`) whose last decision is `last` (a row of `decisions`).

    `seen` says that the holder is looking at the screen.
    """
    now = _not_before(evidence, now)
    decision = decide(evidence, policy, now)
    state = State.NOT_DECLARED if decision.rule == "NOT-DECLARED" else State.of(decision.color)
    asks = "verification" in decision.missing
    if last is not None and keeps_green(last, State(code.state), evidence, decision):
        return Evaluation(now, code.due_at, asks, State(code.state), None, None)
    if (last is None and state == State.NOT_DECLARED) or (last is not None and _is_unchanged(last, state, decision)):
        return Evaluation(now, decision.due_at, asks, State(code.state), None, None)
    delivery = None
    if state != code.state and (code.state, state) != _FIRST_DECLARATION:
        delivery = "withheld" if _rests_on_others(code, decision, evidence) else "seen" if on_screen else "waiting"
    return Evaluation(now, decision.due_at, asks, state, decision, delivery)


_FIRST_DECLARATION = (State.NOT_DECLARED, State.UNVERIFIED)  # says nothing new


def _rests_on_others(code: Any, decision: Decision, evidence: Sequence[Evidence]) -> bool:
    """Whether a change rests on what others know about a person whom its holder may not be (holding.py)."""
    if code.claimed_at is None or code.confirmed_at is not None:
        return False
    since = code.claimed_at
    own = {fact.id for fact in evidence if isinstance(fact, Declaration | Temperature) and fact.at >= since}
    return code.state >= State.ORANGE or not decision.evidence or not own.issuperset(decision.evidence)


def _not_before(evidence: Sequence[Evidence], now: datetime) -> datetime:
    """The moment to decide at: who had to wait for the lock must not overlook what was written down meanwhile.

    The same holds for a machine whose clock runs behind that of another. No evidence is dated ahead of its writer.
    """
    for fact in evidence:
        now = max(now, fact.at, fact.withdrawn_at or fact.at)
    return now


def keeps_green(last: Any, state: State, evidence: Sequence[Evidence], decision: Decision) -> bool:
    """Whether a green code stays green because only the platform's word is missing: failure lowers no color."""
    if state != State.GREEN or decision.color is not None or decision.missing != ("verification",):
        return False
    withdrawn = {fact.id for fact in evidence if fact.withdrawn_at is not None}
    return withdrawn.isdisjoint(last.evidence)


def _is_unchanged(last: Any, state: State, decision: Decision) -> bool:
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
