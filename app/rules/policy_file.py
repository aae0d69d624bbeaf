"""Read a policy from its TOML file, and report every mistake in it at once.

The form of the file is that of the tables of `policy_form`. A policy with a mistake is refused as a whole: better the
old rules than half of the new ones. Beside `policy.toml`, `policy.ko.toml` has its texts in Korean, and so each further
language. These two modules are the only ones of the rules that import a library (pydantic).
"""

import tomllib
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from glob import escape
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.rules.evidence import midnight
from app.rules.follow_ups import FollowUpRules
from app.rules.policy import (
    KNOWN_RULES,
    EntryDays,
    ForeignActions,
    Parameters,
    Policy,
    PolicyError,
    RuleText,
    StationInstruction,
)
from app.rules.policy_form import DatedNumber, DatedTexts, Languages, ParameterTable, PolicyFile, TranslationFile
from app.rules.venue_codes import VenueCodeRules

# Our words for pydantic's kinds of mistakes.
_WORDS = {
    "missing": "{name} is missing",
    "extra_forbidden": "unknown key {name}",
    "model_type": "{name} must be a table",
    "list_type": "{name} must be a list of tables",
    "too_short": "{name} has no entry",
    "string_type": "{name} must be a text",
    "string_pattern_mismatch": "{name} is empty",
    "string_too_long": "{name} has {length} characters, at most {max_length} fit",
    "literal_error": "{name} must be {expected}",
    "int_type": "{name} must be a whole number",
    "is_instance_of": "{name} must be a number with a decimal point",
    "finite_number": "{name} must be a finite number",
    "greater_than_equal": "{name} must be at least {ge}",
    "less_than_equal": "{name} must be at most {le}",
    "date_type": "{name} must be a date such as 2020-03-15",
    "value_error": "{error}",  # from a validator of the form, which names the key
}


def load_policy(file: Path | None = None) -> Policy:
    """Return the policy in a file, or the one in this package.

    Raises PolicyError with every mistake, one a line, each with the file and its place there.
    """
    file = file or Path(__file__).with_name("policy.toml")
    read, mistakes = _validated(_content(file))
    if read is None or mistakes:
        raise PolicyError("\n".join(f"{file}: {mistake}" for mistake in mistakes))
    policy = _policy(read)
    for translated in sorted(file.parent.glob(f"{escape(file.stem)}.[a-z][a-z]{file.suffix}")):
        policy = _translated(policy, translated)
    return policy


def _content(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise PolicyError(f"{file} cannot be read; check its name and mode: {error.strerror}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise PolicyError(f"{file} is not a TOML file; correct it: {error}") from None


def _translated(policy: Policy, file: Path) -> Policy:
    """Return the policy with the texts of one more language."""
    language = file.stem.rpartition(".")[2]
    try:
        read = TranslationFile.model_validate(_content(file))
    except ValidationError as error:
        mistakes = [_mistake(found) for found in error.errors(include_url=False)]
        raise PolicyError("\n".join(f"{file}: {mistake}" for mistake in mistakes)) from None
    texts, mistakes = dict[tuple[str, datetime], RuleText](), [*set(read.stations) - set(policy.stations)]
    for rule in read.rules:
        known = {begins: words["zh"].reference for begins, words in policy.texts.get(rule.id, ())}
        for begins in map(midnight, rule.begins):
            if begins not in known:
                mistakes.append(f"{rule.id} of {begins:%Y-%m-%d}")
                continue
            texts[rule.id, begins] = RuleText(rule.title, rule.explanation, rule.advice, known[begins])
    if mistakes:
        raise PolicyError(
            "\n".join(
                f"{file}: policy: there is no {mistake} to translate; correct the name or the day"
                for mistake in mistakes
            )
        )
    return replace(
        policy,
        translations={**policy.translations, language: texts},
        stations={
            state: replace(one, translations={**one.translations, language: read.stations.get(state, one.zh)})
            for state, one in policy.stations.items()
        },
    )


def _validated(content: dict[str, Any]) -> tuple[PolicyFile | None, list[str]]:
    """Return the content of a file, if its form is right, and every mistake in it."""
    read, mistakes, ids = None, [], list[str]()
    try:
        read = PolicyFile.model_validate(content, context=ids)
    except ValidationError as error:
        mistakes = [_mistake(found) for found in error.errors(include_url=False)]
    if ids:
        mistakes += [f"policy: the rule {rule} is missing" for rule in KNOWN_RULES if rule not in ids]
    return read, mistakes


def _mistake(found: ErrorDetails) -> str:
    """Write one of pydantic's errors in our words, after its place: `policy: rules 7: id is missing`."""
    steps = ["policy"]
    for step in found["loc"]:
        if isinstance(step, int):
            steps[-1] += f" {step + 1}"  # people count from 1
        else:
            steps.append(step)
    *place, name = steps
    words = _WORDS.get(found["type"], "{name}: {msg}")
    length = len(found["input"]) if isinstance(found["input"], str) else 0
    return ": ".join((*place, words.format(name=name, msg=found["msg"], length=length, **found.get("ctx", {}))))


def _policy(read: PolicyFile) -> Policy:
    return Policy(
        version=read.version,
        rules=tuple(rule.id for rule in read.rules),
        colors={rule.id: rule.color for rule in read.rules},
        parameters=_parameters(read.parameters),
        texts={rule.id: tuple((midnight(entry.begins), _text(entry)) for entry in rule.texts) for rule in read.rules},
        stations={state: StationInstruction(**dict(station)) for state, station in read.stations},
        entry_days=tuple(
            (midnight(one.begins), EntryDays(one.past_days, one.order_days, one.ahead_days)) for one in read.entry_days
        ),
        follow_ups=tuple(
            (midnight(one.begins), FollowUpRules(**one.model_dump(exclude={"begins", "source"})))
            for one in read.follow_ups
        ),
        foreign_actions=tuple(
            (midnight(one.begins), ForeignActions(one.UNVERIFIED, one.GREEN, one.YELLOW, one.ORANGE, one.RED))
            for one in read.foreign_actions
        ),
        venue_codes=tuple(
            (midnight(one.begins), VenueCodeRules(**one.model_dump(exclude={"begins", "source"})))
            for one in read.venue_codes
        ),
    )


def _text(entry: DatedTexts) -> dict[str, RuleText]:
    return {
        language: RuleText(
            title=getattr(entry.title, language),
            explanation=getattr(entry.explanation, language),
            advice=getattr(entry.advice, language),
            reference=entry.reference,
        )
        for language in Languages.model_fields
    }


def _parameters(numbers: ParameterTable) -> tuple[tuple[datetime, Parameters], ...]:
    """Return the sets of parameters, oldest first, each from the day on which one of them changes."""
    days = sorted({entry.begins for _, entries in numbers for entry in entries})
    return tuple((midnight(day), Parameters(**{name: _on(entries, day) for name, entries in numbers})) for day in days)


def _on(entries: list[DatedNumber[Any]], day: date) -> Any:
    """Return the value in force on a day; before the first entry, that of the first."""
    return next((entry.value for entry in reversed(entries) if entry.begins <= day), entries[0].value)
