"""The named situations of `cases/*.toml`, how they are written down and read; and policies made for a test.

A case has a `name`, its `evidence`, the moment `now`, and what is expected then. A piece of evidence names its kind
and id first: `{ contact = "c", at = "2020-03-02 10:00", exposed_on = "2020-03-01" }`. All times are Beijing time.
What is left out of a case is expected not to be there: no `color`, nothing `missing`, no `until`. Only where a case
names them are `since`, the `rules` that apply, what the first of them `rests_on`, and when it is `due` looked at.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import app.rules
from app.rules import (
    Contact,
    Declaration,
    Diagnosis,
    Evidence,
    Policy,
    Quarantine,
    Release,
    Temperature,
    Verification,
    load_policy,
)

BEIJING = timezone(timedelta(hours=8))
SUSPECTED = '\n[[rules]]\nid = "RED-SUSPECTED"'  # where the second rule begins
POLICY_TEXT = Path(app.rules.__file__).with_name("policy.toml").read_text(encoding="utf-8")

KINDS: dict[str, type[Evidence]] = {
    "declaration": Declaration,
    "verification": Verification,
    "temperature": Temperature,
    "contact": Contact,
    "quarantine": Quarantine,
    "diagnosis": Diagnosis,
    "release": Release,
}
READ: dict[str, Callable[[Any], Any]] = {
    "at": lambda text: moment(text),
    "withdrawn_at": lambda text: moment(text),
    "contact_on": date.fromisoformat,
    "exposed_on": date.fromisoformat,
    "first_day": date.fromisoformat,
    "last_day": date.fromisoformat,
    "celsius": Decimal,
    "symptoms": tuple,
}
EXPECTED = ("color", "rule", "rules", "missing", "until", "since", "due", "rests_on")


def moment(text: str) -> datetime:
    """A moment in Beijing time, such as 2020-03-15 23:59."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def policy_with(directory: Path, *entries: tuple[str, str, str]) -> Policy:
    """The policy with more entries after the first of a parameter: (name, day from which it is in force, value)."""
    text = POLICY_TEXT
    for name, day, value in reversed(entries):
        end_of_first = text.index("\n\n", text.index(f"[[parameters.{name}]]"))
        entry = f'\n\n[[parameters.{name}]]\nfrom = {day}\nvalue = {value}\nsource = "a test"'
        text = text[:end_of_first] + entry + text[end_of_first:]
    return policy_of(directory, text)


def policy_of(directory: Path, text: str) -> Policy:
    """The policy in a text."""
    file = directory / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return load_policy(file)


def text_from(day: str) -> str:
    """A text of a rule, in force from a day."""
    return f"""
[[rules.texts]]
from = {day}
reference = "a test"
title = {{ zh = "题", en = "Title" }}
explanation = {{ zh = "说明。", en = "Explanation." }}
advice = {{ zh = "建议。", en = "Advice." }}
"""


@dataclass(frozen=True)
class Case:
    """One situation; `expected` has the keys that the file gives it."""

    name: str
    evidence: tuple[Evidence, ...]
    now: datetime
    expected: dict[str, Any]


def all_cases() -> list[Case]:
    """Every case of every file."""
    files = sorted(Path(__file__).with_name("cases").glob("*.toml"))
    return [_case(table) for file in files for table in tomllib.loads(file.read_text(encoding="utf-8"))["case"]]


def _case(table: dict[str, Any]) -> Case:
    evidence = tuple(_fact(entry) for entry in table.pop("evidence"))
    case = Case(table.pop("name"), evidence, moment(table.pop("now")), table)
    assert set(table) <= set(EXPECTED), f"{case.name}: unknown keys {set(table) - set(EXPECTED)}"
    assert "rule" in table, f"{case.name}: expects no rule"
    return case


def _fact(entry: dict[str, Any]) -> Evidence:
    kind = next(iter(entry))
    facts = {name: READ.get(name, str)(value) for name, value in entry.items() if name != kind}
    if kind == "verification":
        facts["declaration"] = facts.pop("of")
    if kind == "declaration":
        facts = {"symptoms": (), "contact_on": None, **facts}
    return KINDS[kind](id=entry[kind], **facts)
