"""The rules by named situations, which are in `cases/*.toml`."""

from collections import Counter

import pytest

from app.rules import Policy, decide, load_policy
from app.rules.policy import KNOWN_RULES
from tests.rules.situations import Case, all_cases, moment

CASES = all_cases()


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_this_situation(case: Case, policy: Policy) -> None:
    decision = decide(case.evidence, policy, case.now)
    expected = case.expected
    assert decision.rule == expected["rule"]
    assert decision.color == expected.get("color")
    assert list(decision.missing) == expected.get("missing", [])
    assert decision.until == (moment(expected["until"]) if "until" in expected else None)
    if "since" in expected:
        assert decision.since == moment(expected["since"])
    if "due" in expected:
        assert decision.due_at == moment(expected["due"])
    if "rules" in expected:
        assert [applied.rule for applied in decision.rules] == expected["rules"]
    if "rests_on" in expected:
        assert list(decision.rules[0].evidence) == expected["rests_on"]


def test_every_case_has_a_name_of_its_own() -> None:
    assert [name for name, times in Counter(case.name for case in CASES).items() if times > 1] == []


def test_every_rule_is_the_outcome_of_some_case() -> None:
    assert {case.expected["rule"] for case in CASES} == set(KNOWN_RULES)
