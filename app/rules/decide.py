"""The decision: every rule is evaluated, and the most severe one that applies gives the color.

Pure: the same evidence, policy and moment give the same decision, in whatever order the evidence comes. Nothing here
reads a clock, a file or a setting.
"""

from collections.abc import Sequence
from datetime import datetime

from app.rules import health
from app.rules.decision import AppliedRule, Color, Decision
from app.rules.evidence import Evidence, Facts
from app.rules.policy import Policy
from app.rules.restrictions import Restriction, current_restrictions, fresh_from, red, restrictions, reverify


def decide(evidence: Sequence[Evidence], policy: Policy, now: datetime) -> Decision:
    """Return the decision at `now` (aware), with every rule that applies and the evidence that is missing for green."""
    facts = Facts(evidence, now)
    every = restrictions(facts, policy)
    valid_until = health.verified_until(facts, policy)
    rules = _applied(facts, every, valid_until, policy, now)
    if len(rules) > 1:
        rules.sort(key=lambda rule: _rank(rule, policy))
    first = rules[0]
    moments = _change_moments(evidence, facts, every, policy)
    if valid_until is not None:
        moments.append(valid_until)
    return Decision(
        color=first.color,
        rule=first.rule,
        rules=tuple(rules),
        evidence=tuple(sorted({fact_id for rule in rules for fact_id in rule.evidence})),
        missing=_missing(rules, facts, policy, now),
        policy_version=policy.version,
        since=first.since,
        until=first.until,
        due_at=min([moment for moment in moments if moment > now], default=None),
    )


def _applied(
    facts: Facts, every: Sequence[Restriction], valid_until: datetime | None, policy: Policy, now: datetime
) -> list[AppliedRule]:
    """Return every rule that applies; ORANGE-REVERIFY only once no stricter rule does."""
    strict = [rule for rule in (red(facts, policy),) if rule] + current_restrictions(every, policy, now)
    rules = [
        None if strict else reverify(facts, every, policy, now),
        health.fever(facts, policy),
        health.symptoms(facts, policy),
        health.green(facts, valid_until, policy, now),
    ]
    return [*strict, *filter(None, rules)] or [health.without_color(facts, policy, now)]


def _rank(rule: AppliedRule, policy: Policy) -> tuple[int, float, int]:
    """Return a key that sorts the most severe first; of restrictions the one that ends last, for it decides the end."""
    severity = 0 if rule.color is None else rule.color.severity
    until = 0.0 if rule.until is None else rule.until.timestamp()
    return -severity, -until, policy.rules.index(rule.rule)


def _missing(rules: Sequence[AppliedRule], facts: Facts, policy: Policy, now: datetime) -> tuple[str, ...]:
    """Return what a citizen can provide now; nothing in RED or ORANGE, which only time or an authority ends."""
    names, first = {rule.rule for rule in rules}, rules[0]
    if first.rule == "ORANGE-REVERIFY":
        return (health.next_missing(facts, policy, now, fresh_from(first.since, policy)),)
    if first.color in (Color.RED, Color.ORANGE):
        return ()
    lacking = () if "GREEN-VERIFIED" in names else (health.next_missing(facts, policy, now),)
    return (*lacking, "temperature") if "YELLOW-FEVER" in names else lacking


def _change_moments(
    evidence: Sequence[Evidence], facts: Facts, every: Sequence[Restriction], policy: Policy
) -> list[datetime]:
    """Return the moments at which time alone may change the decision, but for the end of a verified declaration."""
    moments = [fact.at for fact in evidence]
    moments += [fact.withdrawn_at for fact in evidence if fact.withdrawn_at is not None]
    for restriction in every:
        moments += restriction.start, restriction.end
    if facts.declarations:
        moments.append(health.declared_until(facts.declarations[-1], policy))
    return moments
