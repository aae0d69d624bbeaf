"""Reading a policy from its TOML file, with every mistake told in one line.

Owns the form of the file and what may stand in it. A policy that is not whole is refused as a whole: better the old
rules than half of the new ones.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

from app.rules.decision import Color
from app.rules.evidence import midnight
from app.rules.policy import KNOWN_RULES, Action, Parameters, Policy, PolicyError, RuleText, StationInstruction

_T = TypeVar("_T")
_LANGUAGES = ("zh", "en")
_TITLE = 20  # characters that WeChat gives to the reason of a notice
_NAME = 40  # characters that the tables of decisions give to a version or a rule
_STATES = ("UNVERIFIED", "GREEN", "YELLOW", "ORANGE", "RED")
_ACTIONS = ("pass", "measure", "stop")
_FEVER = (Decimal(36), Decimal(42))
_DAYS = (1, 60)
_KINDS: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    Decimal: "a number with a decimal point",
    date: "a date such as 2020-03-15",
    list: "a list of tables",
    dict: "a table",
}


class _Table:
    """One table of the file, from which each key is taken once. Raises PolicyError with the table's place."""

    def __init__(self, table: object, place: str) -> None:
        if type(table) is not dict:
            raise PolicyError(f"{place} must be a table")
        self.place = place
        self._rest: dict[str, Any] = dict(table)

    def take(self, key: str, kind: type[_T]) -> _T:
        """The value of a key, of exactly this type."""
        if key not in self._rest:
            raise PolicyError(f"{self.place}: {key} is missing")
        value = self._rest.pop(key)
        if type(value) is not kind:  # exactly: a bool is no number here, and a time no date
            raise PolicyError(f"{self.place}: {key} must be {_KINDS[kind]}")
        return value

    def text(self, key: str, most: int = 1000) -> str:
        """A text that says something, in at most so many characters."""
        value = self.take(key, str)
        if not value.strip():
            raise PolicyError(f"{self.place}: {key} is empty")
        if len(value) > most:
            raise PolicyError(f"{self.place}: {key} has {len(value)} characters, at most {most} fit")
        return value

    def table(self, key: str) -> "_Table":
        return _Table(self.take(key, dict), f"{self.place}: {key}")

    def tables(self, key: str) -> Iterator["_Table"]:
        """The tables of a list that has at least one."""
        entries = self.take(key, list)
        if not entries:
            raise PolicyError(f"{self.place}: {key} has no entry")
        return (_Table(entry, f"{self.place}: {key} {n}") for n, entry in enumerate(entries, 1))

    def holds(self, key: str) -> bool:
        return key in self._rest

    def end(self) -> None:
        """Refuse what nobody took: a misspelled key would be silently without effect."""
        if self._rest:
            raise PolicyError(f"{self.place}: unknown key {min(self._rest)}")


def load_policy(file: Path | None = None) -> Policy:
    """The policy in a file, or the one that comes with the rules. Raises PolicyError with the file and the mistake."""
    file = file or Path(__file__).with_name("policy.toml")
    try:
        return _policy(tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal))
    except OSError as error:
        raise PolicyError(f"{file} cannot be read: {error.strerror}") from None
    except PolicyError as error:
        raise PolicyError(f"{file}: {error}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise PolicyError(f"{file} is not a TOML file: {error}") from None


def _policy(content: dict[str, Any]) -> Policy:
    root = _Table(content, "policy")
    version, parameters = root.text("version", _NAME), _parameters(root.table("parameters"))
    colors: dict[str, Color | None] = {}
    texts = {}
    for table in root.tables("rules"):
        rule, color = _rule(table)
        if rule in colors:
            raise PolicyError(f"{table.place}: the rule {rule} is there twice")
        colors[rule] = color
        texts[rule] = _texts(table)
        table.end()
    for rule in KNOWN_RULES:
        if rule not in colors:
            raise PolicyError(f"policy: the rule {rule} is missing")
    stations = _stations(root.table("stations"))
    root.end()
    return Policy(version, tuple(colors), colors, parameters, texts, stations)


def _parameters(table: _Table) -> tuple[tuple[datetime, Parameters], ...]:
    """The sets of numbers, oldest first, each from the day on which one of them changes."""
    lists = {field.name: _values(table, field.name) for field in fields(Parameters)}
    table.end()
    days = sorted({day for values in lists.values() for day in values})
    return tuple(
        (midnight(day), Parameters(**{name: _on(values, day) for name, values in lists.items()})) for day in days
    )


def _on(values: dict[date, Any], day: date) -> Any:
    """The value in force on a day; before the first, the first."""
    return values[max((first for first in values if first <= day), default=min(values))]


def _values(table: _Table, name: str) -> dict[date, Any]:
    kind, least, most = (Decimal, *_FEVER) if name == "fever_celsius" else (int, *_DAYS)
    values: dict[date, Any] = {}
    for entry in table.tables(name):
        day = _next_day(entry, values)
        value: Any = entry.take("value", kind)
        if value != value or not least <= value <= most:  # TOML has a number that is none: it equals nothing
            raise PolicyError(f"{entry.place}: value must lie between {least} and {most}")
        entry.text("source")
        entry.end()
        values[day] = value
    return values


def _next_day(entry: _Table, before: dict[date, Any]) -> date:
    """The day from which an entry is in force, later than that of the entry before it."""
    day = entry.take("from", date)
    if before and day <= max(before):
        raise PolicyError(f"{entry.place}: from must be later than in the entry before it")
    return day


def _rule(table: _Table) -> tuple[str, Color | None]:
    """The id of a rule and its color. An id begins with its color, so that nobody can type another one here."""
    rule = table.text("id", _NAME)
    named = rule.partition("-")[0]
    color = Color(named) if named in list(Color) else None
    if color is None and table.holds("color"):
        raise PolicyError(f"{table.place}: {rule} says nothing about health and takes no color")
    if color is not None and table.take("color", str) != color:
        raise PolicyError(f"{table.place}: color of {rule} must be {color}")
    return rule, color


def _texts(table: _Table) -> tuple[tuple[datetime, dict[str, RuleText]], ...]:
    entries: dict[date, dict[str, RuleText]] = {}
    for entry in table.tables("texts"):
        day, reference = _next_day(entry, entries), entry.text("reference")
        parts = {name: entry.table(name) for name in ("title", "explanation", "advice")}
        entries[day] = {
            language: RuleText(
                parts["title"].text(language, _TITLE),
                parts["explanation"].text(language),
                parts["advice"].text(language),
                reference,
            )
            for language in _LANGUAGES
        }
        for part in (*parts.values(), entry):
            part.end()
    return tuple((midnight(day), words) for day, words in entries.items())


def _stations(table: _Table) -> dict[str, StationInstruction]:
    stations = {}
    for state in _STATES:
        entry = table.table(state)
        action = entry.take("action", str)
        if action not in _ACTIONS:
            raise PolicyError(f"{entry.place}: action must be one of {', '.join(_ACTIONS)}")
        stations[state] = StationInstruction(cast(Action, action), entry.text("zh"), entry.text("en"))
        entry.end()
    table.end()
    return stations
