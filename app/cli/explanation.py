"""The explanation of a color, line by line, for the terminal. Names nobody."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from app.codes.explanation import Explanation
from app.codes.models import DecisionRow, EvidenceRow
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.texts import text
from app.rules import Decision, Policy


def explanation_lines(explanation: Explanation, policy: Policy, at: datetime, language: str) -> Iterator[str]:
    """Yield the lines of an explanation as of a moment, in "zh" or "en"."""
    say = _Words(policy, language)
    yield say.line("state", at=rfc3339(at), **say.state(explanation.state))
    if explanation.decision is None:
        yield say.line("undecided")
    else:
        yield from _decided(say, explanation.decision, explanation)
    yield from _today(say, explanation, at)
    if explanation.next is None:
        yield say.line("nothing")
    else:
        moment, decision = explanation.next
        yield say.line("next", at=rfc3339(moment), rule=decision.rule, **say.state(_state(decision)))


def _decided(say: "_Words", decision: DecisionRow, explanation: Explanation) -> Iterator[str]:
    """Yield the decision behind the code, in the texts that were in force on its day."""
    at = decision.decided_at
    yield say.line("decided", at=rfc3339(at), policy=decision.policy_version, actor=decision.actor)
    yield from say.span(decision.since, decision.until)
    for applied in decision.applied_rules or [{"rule": decision.rule, "evidence": decision.evidence}]:
        yield from say.rule(applied["rule"], applied["evidence"], explanation, at)
    yield from say.missing(decision.missing)


def _today(say: "_Words", explanation: Explanation, at: datetime) -> Iterator[str]:
    """Yield the decision by the policy in force, in full only where it differs."""
    today, decision = explanation.today, explanation.decision
    yield say.line("today", policy=today.policy_version, rule=today.rule, **say.state(_state(today)))
    if explanation.keeps_green:
        yield say.line("stands")
    for name, (old, new) in explanation.changed_parameters.items():
        yield say.line("number", name=name, old=old, new=new)
    if decision is None or (decision.rule, decision.until) != (today.rule, today.until):
        yield from say.span(today.since, today.until)
        for applied in today.rules:
            yield from say.rule(applied.rule, applied.evidence, explanation, at)
        yield from say.missing(today.missing)


def _state(decision: Decision) -> State:
    return State.NOT_DECLARED if decision.rule == "NOT-DECLARED" else State.of(decision.color)


class _Words:
    """The sentences of one language."""

    def __init__(self, policy: Policy, language: str) -> None:
        self._policy = policy
        self._language = language

    def line(self, slug: str, **values: Any) -> str:
        return text("explain", slug, self._language).format(**values)

    def state(self, state: State) -> dict[str, str]:
        return {"state": state.name, "word": text("states", state.name, self._language)}

    def span(self, since: datetime, until: datetime | None) -> Iterator[str]:
        yield "  " + self.line("span", since=rfc3339(since))
        if until is not None:
            yield "  " + self.line("until", until=rfc3339(until))

    def rule(self, rule: str, evidence: Iterable[str], explanation: Explanation, at: datetime) -> Iterator[str]:
        """Yield a rule in its texts of a moment, and below it its evidence, oldest first."""
        words = self._policy.text(rule, self._language, at)
        yield "  " + self.line("rule", rule=rule, title=words.title, explanation=words.explanation)
        rows = [explanation.evidence[id_] for id_ in evidence if id_ in explanation.evidence]
        yield from ("    " + self._evidence(row) for row in sorted(rows, key=lambda row: (row.at, row.kind)))

    def missing(self, missing: Iterable[str]) -> Iterator[str]:
        yield from ("  " + self.line("missing", text=text("missing", id_, self._language)) for id_ in missing)

    def _evidence(self, row: EvidenceRow) -> str:
        kind = text("evidence-kinds", row.kind, self._language)
        said = self.line("evidence", kind=kind, at=rfc3339(row.at), authority=row.authority, reference=row.reference)
        if row.withdrawn_at is None:
            return said
        return said + " " + self.line("withdrawn", at=rfc3339(row.withdrawn_at), reason=row.withdrawn_for)
