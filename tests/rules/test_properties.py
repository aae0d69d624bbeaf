"""Properties that hold for every citizen, for any amount and order of evidence."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.rules import (
    Admission,
    AppliedRule,
    Color,
    Contact,
    Decision,
    Declaration,
    Diagnosis,
    Evidence,
    Policy,
    Quarantine,
    Temperature,
    Transfer,
    Verification,
    decide,
    load_policy,
)
from tests.rules.anybody import FIRST, grave_facts, moments, people, presents
from tests.rules.situations import policy_with
from tests.support.examples import examples

INSTANT = timedelta(microseconds=1)
calmly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
briefly, thoroughly = settings(calmly, max_examples=examples(40)), settings(calmly, max_examples=examples(300))


@pytest.fixture(scope="module", params=["as it is", "changing"])
def policy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The policy as it is, and one whose numbers change in the middle of the six weeks."""
    if request.param == "as it is":
        return load_policy()
    return policy_with(
        tmp_path_factory.mktemp("changing"),
        ("fever_celsius", "2020-03-12", "37.0"),
        ("quarantine_days", "2020-03-18", "7"),
        ("quarantine_days", "2020-03-29", "21"),
        ("declaration_days", "2020-03-20", "3"),
        ("verification_days", "2020-03-10", "2"),
        ("verification_days", "2020-03-25", "10"),
        ("release_declaration_days", "2020-03-22", "1"),
        ("recovery_days", "2020-03-15", "28"),
    )


def severity(decision: Decision) -> float:
    """No color lies between green and yellow: it opens no station without a measurement, and accuses nobody."""
    return 0.5 if decision.color is None else decision.color.severity


def same(one: Decision, other: Decision) -> bool:
    """Whether two decisions say the same; nobody can say since when a person has not declared anything."""
    if one.rule == other.rule == "NOT-DECLARED":
        since = one.since
        other = other._replace(since=since, rules=tuple(rule._replace(since=since) for rule in other.rules))
    return one == other


@given(people(), presents, st.randoms())
@calmly
def test_the_order_of_evidence_never_changes_the_decision(
    policy: Policy, evidence: list[Evidence], now: datetime, random: Any
) -> None:
    shuffled = list(evidence)
    random.shuffle(shuffled)
    assert decide(shuffled, policy, now) == decide(evidence, policy, now)


@given(people(), presents, st.lists(st.tuples(moments, st.booleans()), min_size=1, max_size=3))
@calmly
def test_an_admission_or_a_transfer_never_changes_the_decision(
    policy: Policy, evidence: list[Evidence], now: datetime, stays: list[tuple[datetime, bool]]
) -> None:
    facts: list[Evidence] = [
        (Admission if admitted else Transfer)(id=f"stay{place}", at=at) for place, (at, admitted) in enumerate(stays)
    ]
    with_stays, without = decide([*evidence, *facts], policy, now), decide(evidence, policy, now)
    assert with_stays._replace(due_at=None) == without._replace(due_at=None)


def test_two_answers_of_the_same_moment_are_told_apart_by_their_ids(policy: Policy) -> None:
    stated = Declaration(id="d", at=FIRST, symptoms=(), contact_on=None)
    twins = [Verification(id=name, at=FIRST, declaration="d") for name in ("a", "b")]
    assert decide([stated, *twins], policy, FIRST) == decide([*reversed(twins), stated], policy, FIRST)


@given(people(), presents, st.data())
@thoroughly
def test_evidence_against_a_person_never_makes_the_color_milder(
    policy: Policy, evidence: list[Evidence], now: datetime, data: st.DataObject
) -> None:
    grave = data.draw(grave_facts(now))
    assert severity(decide([*evidence, grave], policy, now)) >= severity(decide(evidence, policy, now))


@pytest.mark.parametrize(
    ("grave", "color"),
    [
        (lambda now: Diagnosis(id="grave", at=now, status="suspected"), Color.RED),
        (lambda now: Diagnosis(id="grave", at=now, status="confirmed"), Color.RED),
        (lambda now: Contact(id="grave", at=now, exposed_on=now.date()), Color.ORANGE),
        (lambda now: Quarantine(id="grave", at=now, first_day=now.date(), last_day=now.date()), Color.ORANGE),
        (lambda now: Declaration(id="grave", at=now, symptoms=(), contact_on=now.date()), Color.ORANGE),
        (lambda now: Declaration(id="grave", at=now, symptoms=("cough",), contact_on=None), Color.YELLOW),
        (lambda now: Temperature(id="grave", at=now, celsius=Decimal("37.3")), Color.YELLOW),
    ],
    ids=["suspected", "confirmed", "contact", "quarantine", "declared contact", "symptoms", "fever"],
)
@given(evidence=people(), now=presents)
@briefly
def test_whoever_was_just_found_ill_or_exposed_is_at_least_of_that_color(
    policy: Policy, grave: Any, color: Color, evidence: list[Evidence], now: datetime
) -> None:
    assert severity(decide([*evidence, grave(now)], policy, now)) >= color.severity


@given(people(), presents)
@calmly
def test_every_decision_rests_on_evidence_that_counts(policy: Policy, evidence: list[Evidence], now: datetime) -> None:
    decision = decide(evidence, policy, now)
    counting = {fact.id for fact in evidence if fact.in_effect(now)}
    assert set(decision.evidence) <= counting
    assert set(decision.evidence) == {name for rule in decision.rules for name in rule.evidence}
    assert all(rule.evidence for rule in decision.rules if rule.color is not None)


@given(people(), presents)
@calmly
def test_the_rules_stand_in_order_of_severity_and_the_first_one_decides(
    policy: Policy, evidence: list[Evidence], now: datetime
) -> None:
    decision = decide(evidence, policy, now)
    first, names = decision.rules[0], [rule.rule for rule in decision.rules]
    graveness = [-1 if rule.color is None else rule.color.severity for rule in decision.rules]
    assert graveness == sorted(graveness, reverse=True)
    assert len(set(names)) == len(names)
    assert first == AppliedRule(decision.rule, decision.color, first.evidence, decision.since, decision.until)
    assert decision.since <= now
    assert decision.until is None or decision.until > now
    assert None not in graveness or len(names) == 1


@given(people(), presents)
@calmly
def test_what_was_withdrawn_or_lies_in_the_future_decides_nothing(
    policy: Policy, evidence: list[Evidence], now: datetime
) -> None:
    counting = [fact for fact in evidence if fact.in_effect(now)]
    decision = decide(evidence, policy, now)
    assert decision._replace(due_at=None) == decide(counting, policy, now)._replace(due_at=None)


@given(people(), presents, st.floats(0, 1))
@thoroughly
def test_nothing_changes_before_the_decision_is_due(
    policy: Policy, evidence: list[Evidence], now: datetime, part: float
) -> None:
    decision = decide(evidence, policy, now)
    end = decision.due_at or now + timedelta(days=400)
    assert end > now
    for later in (now + (end - INSTANT - now) * part, end - INSTANT):
        assert same(decision, decide(evidence, policy, later))
    assert decision.until is None or decision.due_at is not None


@given(people())
@calmly
def test_looking_whenever_it_is_due_comes_to_an_end(policy: Policy, evidence: list[Evidence]) -> None:
    now: datetime | None = FIRST - timedelta(days=1)
    for _ in range(len(evidence) * 5 + 1):
        assert now is not None
        now = decide(evidence, policy, now).due_at
        if now is None:
            return
    pytest.fail("the decision is due again and again")


@given(people(), presents)
@calmly
def test_what_is_missing_fits_the_color(policy: Policy, evidence: list[Evidence], now: datetime) -> None:
    decision = decide(evidence, policy, now)
    order = ["declaration", "symptom-free-declaration", "verification", "temperature"]
    assert list(decision.missing) == [name for name in order if name in decision.missing]
    waits = decision.rule == "ORANGE-REVERIFY" or decision.color in (None, Color.YELLOW)
    assert bool(decision.missing) == waits
    assert ("temperature" in decision.missing) == (decision.rule == "YELLOW-FEVER")
    only_the_platform = decision.color is None and decision.missing == ("verification",)
    assert only_the_platform == (decision.rule == "UNVERIFIED-WAITING")


@given(people(), presents)
@calmly
def test_whoever_brings_what_is_missing_becomes_green(policy: Policy, evidence: list[Evidence], now: datetime) -> None:
    evidence = [fact for fact in evidence if fact.at <= now and fact.withdrawn_at is None]
    decision = decide(evidence, policy, now)
    for step in range(5):
        if not decision.missing:
            break
        now += timedelta(minutes=1)
        evidence.append(bring(decision.missing[0], f"brought{step}", evidence, now))
        decision = decide(evidence, policy, now)
    assert decision.color == Color.GREEN or decision.color == Color.RED or decision.until is not None
    assert not decision.missing


def bring(missing: str, name: str, evidence: Sequence[Evidence], now: datetime) -> Evidence:
    """What a citizen, a station or the platform does about what is missing."""
    if missing == "temperature":
        return Temperature(id=name, at=now, celsius=Decimal("36.5"))
    if missing == "verification":
        stated = [fact for fact in evidence if isinstance(fact, Declaration)]
        latest = max(stated, key=lambda fact: (fact.at, bool(fact.symptoms), fact.id))
        return Verification(id=name, at=now, declaration=latest.id)
    return Declaration(id=name, at=now, symptoms=(), contact_on=None)
