"""Every fault that a policy file can have, and the line that reports it."""

from pathlib import Path

import pytest

from app.rules import PolicyError, load_policy
from tests.rules.situations import POLICY_TEXT, SUSPECTED, policy_of, text_from

VERSION = next(line for line in POLICY_TEXT.splitlines() if line.startswith("version"))
FEVER = "[[parameters.fever_celsius]]\nfrom = 2020-01-01\nvalue = 37.3"
ALL_FEVERS = POLICY_TEXT[POLICY_TEXT.index(FEVER) : POLICY_TEXT.index("[[parameters.quarantine_days]]")]
GREEN_STATION = '[stations.GREEN]\naction = "pass"'


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (VERSION, "", "policy: version is missing"),
        (VERSION, 'version = " "', "policy: version is empty"),
        (VERSION, "version = 3", "policy: version must be a text"),
        (VERSION, f'version = "{"9" * 41}"', "policy: version has 41 characters, at most 40 fit"),
        (VERSION, 'version = "1"\nverson = "2"', "policy: unknown key verson"),
        (VERSION, "version = ", "is not a TOML file; correct it: Invalid value"),
        ("value = 37.3", "value = 37", "fever_celsius 1: value must be a number with a decimal point"),
        ("value = 37.3", 'value = "37.3"', "fever_celsius 1: value must be a number with a decimal point"),
        ("value = 37.3", "value = 3.73", "fever_celsius 1: value must be at least 36"),
        ("value = 37.3", "value = 42.1", "fever_celsius 1: value must be at most 42"),
        ("value = 37.3", "value = nan", "fever_celsius 1: value must be a finite number"),
        ("value = 37.3", "valeu = 37.3", "fever_celsius 1: value is missing"),
        ("value = 37.3", "value = 37.3\nunit = 1", "fever_celsius 1: unknown key unit"),
        ("value = 7", "value = 7.0", "verification_days 1: value must be a whole number"),
        ("value = 7", "value = true", "verification_days 1: value must be a whole number"),
        ("value = 7", "value = 0", "verification_days 1: value must be at least 1"),
        ("value = 7", "value = 700", "verification_days 1: value must be at most 60"),
        (FEVER, FEVER.replace("2020-01-01", '"2020-01-01"'), "fever_celsius 1: from must be a date"),
        (FEVER, FEVER.replace("2020-01-01", "2020-01-01T00:00:00"), "fever_celsius 1: from must be a date"),
        (FEVER, f'{FEVER}\nsource = "x"\n{FEVER}', "fever_celsius 2: from must be later than in the entry before it"),
        pytest.param(
            ALL_FEVERS,
            "[parameters]\nfever_celsius = []\n",
            "policy: parameters: fever_celsius has no entry",
            id="no-entry",
        ),
        pytest.param(
            ALL_FEVERS, "[parameters]\nfever_celsius = [1]\n", "fever_celsius 1 must be a table", id="no-table"
        ),
        ("[[parameters.quarantine_days]]", "[[parameters.quarantin_days]]", "quarantine_days is missing"),
        (FEVER, f"[[parameters.fevre]]\n{FEVER}", "policy: parameters: unknown key fevre"),
        ('id = "ORANGE-REVERIFY"', 'id = "ORANGE-RENAMED"', "policy: the rule ORANGE-REVERIFY is missing"),
        ('id = "ORANGE-REVERIFY"', 'id = "ORANGE-CONTACT"', "policy: rules 7: the rule ORANGE-CONTACT occurs twice"),
        (
            'id = "RED-CONFIRMED"\ncolor = "RED"',
            'id = "RED-CONFIRMED"\ncolor = "GREEN"',
            "color of RED-CONFIRMED must be RED",
        ),
        (
            'id = "RED-CONFIRMED"\ncolor = "RED"',
            'id = "RED-CONFIRMED"',
            "policy: rules 1: color of RED-CONFIRMED must be RED",
        ),
        ('id = "NOT-DECLARED"', 'id = "NOT-DECLARED"\ncolor = "RED"', "NOT-DECLARED says nothing about health"),
        ('title.en = "Confirmed case"', "", "rules 1: texts 1: title: en is missing"),
        ('title.en = "Confirmed case"', 'title.en = ""', "rules 1: texts 1: title: en is empty"),
        ('title.en = "Confirmed case"', f'title.en = "{"x" * 21}"', "title: en has 21 characters, at most 20 fit"),
        ('title.en = "Confirmed case"', 'title.en = "x"\ntitle.fr = "x"', "title: unknown key fr"),
        ('reference = "S9"', 'reference = "S9"\nsource = "S9"', "rules 1: texts 1: unknown key source"),
        (SUSPECTED, text_from("2020-01-01") + SUSPECTED, "rules 1: texts 3: from must be later"),
        ("[stations.GREEN]", "[stations.BLUE]", "policy: stations: GREEN is missing"),
        ("[stations.GREEN]", "[stations.BLUE]\n[stations.GREEN]", "policy: stations: unknown key BLUE"),
        (GREEN_STATION, GREEN_STATION.replace("pass", "wave"), "action must be 'pass', 'measure' or 'stop'"),
        ('zh = "可以通行。"', "", "policy: stations: GREEN: zh is missing"),
    ],
)
def test_a_broken_policy_is_refused_with_one_line_that_names_the_mistake(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in POLICY_TEXT
    with pytest.raises(PolicyError) as refusal:
        policy_of(tmp_path, POLICY_TEXT.replace(old, new, 1))
    lines = str(refusal.value).split("\n")
    assert all(line.startswith(f"{tmp_path / 'policy.toml'}") for line in lines)
    assert sum(complaint in line for line in lines) == 1


def test_all_mistakes_are_reported_at_once_each_with_its_place(tmp_path: Path) -> None:
    text = POLICY_TEXT
    for old, new in (
        (VERSION, "version = 3"),
        ("value = 37.3", "value = 37"),
        (SUSPECTED, SUSPECTED + '\ncolour = "RED"'),
        ("value = 7", "value = 0"),
        ('id = "RED-CONFIRMED"\ncolor = "RED"', 'id = "RED-CONFIRMED"\ncolor = "GREEN"'),
        ('title.en = "Confirmed case"', 'title.en = " "\ntitle.fr = "x"'),
        ('id = "ORANGE-REVERIFY"', 'id = "ORANGE-CONTACT"'),
        (GREEN_STATION, GREEN_STATION.replace("pass", "wave")),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(PolicyError) as refusal:
        policy_of(tmp_path, text)
    assert str(refusal.value).replace(f"{tmp_path / 'policy.toml'}: policy: ", "").splitlines() == [
        "version must be a text",
        "parameters: fever_celsius 1: value must be a number with a decimal point",
        "parameters: verification_days 1: value must be at least 1",
        "rules 1: color of RED-CONFIRMED must be RED",
        "rules 1: texts 1: title: en is empty",
        "rules 1: texts 1: title: unknown key fr",
        "rules 2: unknown key colour",
        "rules 7: the rule ORANGE-CONTACT occurs twice",
        "stations: GREEN: action must be 'pass', 'measure' or 'stop'",
        "the rule ORANGE-REVERIFY is missing",
    ]


def test_every_entry_out_of_order_is_named(tmp_path: Path) -> None:
    later = text_from("2020-01-01") + text_from("2030-06-01") + text_from("2030-05-01")
    with pytest.raises(PolicyError, match="rules 1: texts 3, 5: from must be later than in the entry before it"):
        policy_of(tmp_path, POLICY_TEXT.replace(SUSPECTED, later + SUSPECTED, 1))


def test_a_policy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.toml cannot be read; check its name and mode: No such file"):
        load_policy(tmp_path / "nowhere.toml")


def test_a_policy_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match="is not a TOML file"):
        load_policy(file)
