"""The policy: entries in force by date, in two languages."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.rules import Color, Contact, Declaration, Policy, PolicyError, Temperature, Verification, decide, load_policy
from app.rules.policy import KNOWN_RULES
from tests.rules.situations import POLICY_TEXT, SUSPECTED, moment, policy_of, policy_with, text_from

STATES = ("UNVERIFIED", "GREEN", "YELLOW", "ORANGE", "RED")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


def test_rule_ids_keep_their_place_because_caches_know_them_by_it(policy: Policy) -> None:
    assert policy.rules == (
        "RED-CONFIRMED",
        "RED-SUSPECTED",
        "ORANGE-QUARANTINE",
        "ORANGE-CONTACT",
        "ORANGE-DECLARED-CONTACT",
        "ORANGE-RECOVERED",
        "ORANGE-REVERIFY",
        "YELLOW-FEVER",
        "YELLOW-SYMPTOMS",
        "GREEN-VERIFIED",
        "UNVERIFIED-WAITING",
        "UNVERIFIED-EXPIRED",
        "NOT-DECLARED",
    )


def test_the_fever_threshold_is_that_of_the_announcement(policy: Policy) -> None:
    assert policy.at(moment("2020-03-15 00:00")).fever_celsius == Decimal("37.3")


def test_a_new_number_is_in_force_from_midnight_in_beijing(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, ("fever_celsius", "2020-06-01", "37.5"), ("fever_celsius", "2020-07-01", "37.4"))
    assert policy.at(moment("2020-05-31 23:59")).fever_celsius == Decimal("37.3")
    assert policy.at(moment("2020-06-01 00:00")).fever_celsius == Decimal("37.5")
    assert policy.at(moment("2020-07-01 00:00")).fever_celsius == Decimal("37.4")
    assert policy.at(moment("2020-07-01 00:00")).quarantine_days == 14


def test_what_is_older_than_the_policy_is_judged_by_its_first_numbers(policy: Policy) -> None:
    assert policy.at(moment("2019-12-01 00:00")) == policy.at(moment("2020-01-01 00:00"))


def test_a_temperature_is_judged_by_the_threshold_of_its_day(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, ("fever_celsius", "2020-06-01", "37.0"))
    may, june = (
        Temperature(id=name, at=moment(at), celsius=Decimal("37.1"))
        for name, at in (("may", "2020-05-31 12:00"), ("june", "2020-06-01 12:00"))
    )
    assert decide([may], policy, moment("2020-06-01 11:00")).color is None
    decision = decide([may, june], policy, moment("2020-06-01 12:00"))
    assert (decision.color, decision.since, decision.evidence) == (Color.YELLOW, june.at, ("june",))


def contact_of_march() -> Contact:
    return Contact(id="c", at=moment("2020-03-02 10:00"), exposed_on=moment("2020-03-01 00:00").date())


def end_of(contact: Contact, policy: Policy) -> str:
    until = decide([contact], policy, contact.at).until
    assert until is not None
    return f"{until:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ([("2020-03-06", 7)], "2020-03-09 00:00"),  # not served yet: by the new number
        ([("2020-03-12", 7)], "2020-03-12 00:00"),  # served already: on the day of the change, not before
        ([("2020-03-20", 7)], "2020-03-16 00:00"),  # over already
        ([("2020-03-10", 21)], "2020-03-23 00:00"),  # longer for those whom it still holds
        ([("2020-03-16", 21)], "2020-03-23 00:00"),  # without a gap between the old end and the change
        ([("2020-03-17", 21)], "2020-03-16 00:00"),  # what has ended is not brought back
        ([("2020-03-06", 7), ("2020-03-10", 21)], "2020-03-09 00:00"),
        ([("2020-03-06", 21), ("2020-03-18", 10)], "2020-03-18 00:00"),
    ],
)
def test_a_change_of_quarantine_days_holds_from_its_day_on(
    tmp_path: Path, changes: list[tuple[str, int]], end: str
) -> None:
    policy = policy_with(tmp_path, *(("quarantine_days", day, str(days)) for day, days in changes))
    assert end_of(contact_of_march(), policy) == end


def test_a_contact_recorded_after_a_longer_quarantine_came_is_held_by_it(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, ("quarantine_days", "2020-02-20", "5"), ("quarantine_days", "2020-03-10", "14"))
    late = Contact(id="c", at=moment("2020-03-11 10:00"), exposed_on=moment("2020-03-01 00:00").date())
    assert end_of(late, policy) == "2020-03-16 00:00"


def test_a_verified_person_is_not_due_on_a_day_on_which_only_numbers_change(tmp_path: Path) -> None:
    policy = policy_with(tmp_path, ("quarantine_days", "2020-03-21", "7"))
    declaration = Declaration(id="d", at=moment("2020-03-20 08:00"), symptoms=(), contact_on=None)
    answer = Verification(id="v", at=moment("2020-03-20 08:01"), declaration="d")
    assert decide([declaration, answer], policy, answer.at).due_at == answer.at + timedelta(days=7)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("rule", KNOWN_RULES)
def test_every_rule_is_told_in_full(policy: Policy, rule: str, language: str) -> None:
    words = policy.text(rule, language)
    assert 1 < len(words.title) <= 20
    full_stop = "。" if language == "zh" else "."
    assert words.explanation.endswith(full_stop)
    assert words.advice.endswith(full_stop)
    has_chinese = [bool(re.search("[\u4e00-\u9fff]", part)) for part in (words.title, words.explanation, words.advice)]
    assert has_chinese == [language == "zh"] * 3
    assert words.reference


@pytest.mark.parametrize("rule", KNOWN_RULES)
def test_no_text_repeats_a_number_that_the_policy_may_change(policy: Policy, rule: str) -> None:
    for language in ("zh", "en"):
        words = policy.text(rule, language)
        numbers = re.findall(r"\d+", words.explanation + words.advice)
        assert set(numbers) <= {"12345", "12320", "19"}  # two hotlines, and COVID-19


@pytest.mark.parametrize("rule", [rule for rule in KNOWN_RULES if rule.startswith(("RED", "ORANGE"))])
def test_whoever_is_stopped_is_told_where_to_turn(policy: Policy, rule: str) -> None:
    assert all("12345" in policy.text(rule, language).advice for language in ("zh", "en"))


def test_a_text_is_told_as_of_its_day(tmp_path: Path) -> None:
    newer = text_from("2030-06-01").replace('zh = "题"', 'zh = "新题"')
    policy = policy_of(tmp_path, POLICY_TEXT.replace('\n[[rules]]\nid = "RED-SUSPECTED"', newer + SUSPECTED))
    old = load_policy().text("RED-CONFIRMED", "zh").title
    assert policy.text("RED-CONFIRMED", "zh").title == "新题"
    assert policy.text("RED-CONFIRMED", "zh", moment("2030-06-01 00:00")).title == "新题"
    assert policy.text("RED-CONFIRMED", "zh", moment("2030-05-31 23:59")).title == old
    assert policy.text("RED-CONFIRMED", "zh", moment("2019-12-31 00:00")).title == old


def test_unknown_rules_and_states_are_told_to_nobody(policy: Policy) -> None:
    with pytest.raises(KeyError):
        policy.text("PURPLE-RUMOR", "zh")
    with pytest.raises(KeyError):
        policy.station("PURPLE")


def test_stations_let_green_pass_measure_who_may_be_well_and_stop_the_others(policy: Policy) -> None:
    actions = {state: policy.station(state).action for state in STATES}
    assert actions == {"UNVERIFIED": "measure", "GREEN": "pass", "YELLOW": "measure", "ORANGE": "stop", "RED": "stop"}
    for state in ("ORANGE", "RED"):
        assert all(number in text for number in ("12345", "12320") for text in policy_words(policy, state))


def policy_words(policy: Policy, state: str) -> tuple[str, str]:
    station = policy.station(state)
    return station.zh, station.en


def test_a_language_of_its_own_file_tells_every_rule_and_station(policy: Policy) -> None:
    for rule in KNOWN_RULES:
        zh, ko = policy.text(rule, "zh"), policy.text(rule, "ko")
        assert len(ko.title) <= 20
        assert ko.reference == zh.reference
        for part in ("title", "explanation", "advice"):
            assert re.search("[\uac00-\ud7a3]", getattr(ko, part))
            assert not re.search("[\u4e00-\u9fff]", getattr(ko, part))
            assert re.findall(r"123\d\d", getattr(ko, part)) == re.findall(r"123\d\d", getattr(zh, part)), rule
        assert all(policy.text(rule, "ko", begins) is not texts["zh"] for begins, texts in policy.texts[rule])
    assert all(policy.station(state).words("ko") != policy.station(state).zh for state in STATES)


def test_what_a_language_does_not_say_is_said_in_chinese_and_makes_no_other_policy(tmp_path: Path) -> None:
    newer = text_from("2030-06-01").replace('zh = "题"', 'zh = "新题"')
    plain = policy_of(tmp_path, POLICY_TEXT.replace('\n[[rules]]\nid = "RED-SUSPECTED"', newer + SUSPECTED))
    translated = load_policy().translations["ko"]["RED-CONFIRMED", moment("2026-11-30 00:00")]
    (tmp_path / "policy.ko.toml").write_text(
        f"""[[rules]]
id = "RED-CONFIRMED"
from = [2026-11-30]
title = "{translated.title}"
explanation = "{translated.explanation}"
advice = "{translated.advice}"
""",
        encoding="utf-8",
    )
    policy = load_policy(tmp_path / "policy.toml")
    assert policy.text("RED-CONFIRMED", "ko", moment("2030-05-31 23:59")) == translated
    assert policy.text("RED-CONFIRMED", "ko").title == "新题", "an old translation never explains a new text"
    assert policy.text("RED-SUSPECTED", "ko") == policy.text("RED-SUSPECTED", "zh")
    assert policy.text("RED-CONFIRMED", "xx").title == "新题"
    assert policy.station("RED").words("ko") == policy.station("RED").zh
    assert policy == plain


def test_a_translation_of_what_is_not_there_is_refused_with_every_mistake(tmp_path: Path) -> None:
    policy_of(tmp_path, POLICY_TEXT)
    rule = 'from = [2020-01-01, 2021-01-01]\ntitle = "t"\nexplanation = "e"\nadvice = "a"\n'
    file = tmp_path / "policy.ko.toml"
    file.write_text(f'[[rules]]\nid = "RED-CONFIRMED"\n{rule}[stations]\nPURPLE = "x"\n', encoding="utf-8")
    with pytest.raises(PolicyError) as refusal:
        load_policy(tmp_path / "policy.toml")
    assert sorted(str(refusal.value).splitlines()) == [
        f"{file}: policy: there is no PURPLE to translate; correct the name or the day",
        f"{file}: policy: there is no RED-CONFIRMED of 2021-01-01 to translate; correct the name or the day",
    ]
    file.write_text(f'[[rules]]\nid = "RED-CONFIRMED"\n{rule.replace("advice", "advise")}', encoding="utf-8")
    with pytest.raises(PolicyError, match="rules 1: advice is missing") as refusal:
        load_policy(tmp_path / "policy.toml")
    assert "unknown key advise" in str(refusal.value)


def test_a_retired_rule_may_stay_so_that_old_decisions_can_be_told(tmp_path: Path) -> None:
    retired = '\n[[rules]]\nid = "YELLOW-RETIRED"\ncolor = "YELLOW"\n' + text_from("2020-01-01")
    policy = policy_of(tmp_path, POLICY_TEXT.replace("\n[stations.UNVERIFIED]", retired + "\n[stations.UNVERIFIED]"))
    assert policy.rules[-1] == "YELLOW-RETIRED"
    assert policy.text("YELLOW-RETIRED", "en").title == "Title"
