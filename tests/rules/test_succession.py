"""Succession: which policy may follow the one in force."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from app.rules import Policy, RuleText, load_policy
from app.rules.evidence import midnight
from app.rules.succession import find_conflicts

POLICY = load_policy()
TODAY = date(2020, 3, 20)
NOON = midnight(TODAY) + timedelta(hours=12)
IN_FORCE = replace(POLICY, parameters=(*POLICY.parameters, (midnight(TODAY), POLICY.parameters[0][1])))


def with_days(*entries: tuple[date, int], of: Policy = IN_FORCE) -> Policy:
    """A policy of its own version with further entries for the quarantine."""
    numbers = dict(of.parameters)
    for day, value in entries:
        numbers[midnight(day)] = replace(of.at(midnight(day)), quarantine_days=value)
    return replace(of, version="new", parameters=tuple(sorted(numbers.items(), key=lambda entry: entry[0])))


def with_text(rule: str, day: date, title: str, of: Policy = IN_FORCE) -> Policy:
    words: Mapping[str, RuleText] = {
        tongue: replace(text, title=title) for tongue, text in of.texts[rule][-1][1].items()
    }
    texts: dict[str, Any] = {**of.texts, rule: (*of.texts[rule], (midnight(day), words))}
    return replace(of, version="new", texts=texts)


def test_the_same_policy_and_one_with_entries_to_come_may_follow() -> None:
    tomorrow = TODAY + timedelta(days=1)
    for proposed in (IN_FORCE, with_days((tomorrow, 7)), with_text("YELLOW-FEVER", tomorrow, "示例")):
        assert find_conflicts(IN_FORCE, proposed, NOON) == []


def test_an_entry_for_today_may_be_added_and_one_that_counts_since_the_morning_is_not_edited() -> None:
    assert find_conflicts(POLICY, with_days((TODAY, 7), of=POLICY), NOON) == []
    assert len(find_conflicts(IN_FORCE, with_days((TODAY, 7)), NOON)) == 1


@pytest.mark.parametrize("day", [date(2019, 12, 1), date(2020, 1, 1), date(2020, 3, 19)])
def test_an_entry_for_a_past_day_may_not(day: date) -> None:
    (fault,) = find_conflicts(IN_FORCE, with_days((day, 7)), NOON)
    assert fault.startswith(f"quarantine_days was changed as of {day}: ")
    (fault,) = find_conflicts(IN_FORCE, with_text("YELLOW-FEVER", max(day, date(2020, 1, 2)), "示例"), NOON)
    assert fault.startswith("the text of YELLOW-FEVER was changed as of ")


def test_an_entry_that_was_in_force_may_not_be_left_out() -> None:
    changed = with_days((date(2020, 3, 1), 7))
    assert len(find_conflicts(changed, IN_FORCE, NOON)) == 1, "and the version is another: that is not what is wrong"


def test_a_rule_may_be_appended_and_neither_moved_nor_left_out() -> None:
    rules = IN_FORCE.rules
    for proposed, fault in (
        ((*rules, "GREEN-NEW"), None),
        ((rules[1], rules[0], *rules[2:]), rules[0]),
        (rules[:-1], rules[-1]),
    ):
        found = find_conflicts(IN_FORCE, replace(IN_FORCE, version="new", rules=proposed), NOON)
        assert [one.split()[0] for one in found] == ([fault] if fault else [])


def test_other_content_takes_another_version() -> None:
    tomorrow = TODAY + timedelta(days=1)
    same = replace(with_days((tomorrow, 7)), version=IN_FORCE.version)
    assert ["version" in fault for fault in find_conflicts(IN_FORCE, same, NOON)] == [True]
