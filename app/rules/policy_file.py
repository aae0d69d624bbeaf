"""Read a policy from its TOML file, and report every mistake in it at once.

Owns the form of the file, which is that of the models below. A policy with a mistake is refused as a whole: better the
old rules than half of the new ones. The only module of the rules that imports a library (pydantic).
"""

import tomllib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from app.rules.decision import Color
from app.rules.evidence import midnight
from app.rules.policy import (
    KNOWN_RULES,
    Action,
    EntryDays,
    Parameters,
    Policy,
    PolicyError,
    RuleText,
    StationInstruction,
)

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
    "value_error": "{error}",  # from a validator of this module, which names the key
}


class _Table(BaseModel):
    """A table of the file: a misspelled key is refused, because it would have no effect; a bool is not a number."""

    model_config = ConfigDict(strict=True, extra="forbid")


class _Entry(_Table):
    """A table with the day from which it is in force."""

    begins: date = Field(alias="from")


_Value = TypeVar("_Value")
_Dated = TypeVar("_Dated", bound=_Entry)


def _in_order(entries: list[_Dated], info: ValidationInfo) -> list[_Dated]:
    """Check the order of the days, once every entry is right by itself: before that a day may be missing."""
    days = [entry.begins for entry in entries]
    late = [str(place + 1) for place in range(1, len(days)) if days[place] <= max(days[:place])]
    if late:
        raise ValueError(f"{info.field_name} {', '.join(late)}: from must be later than in the entry before it")
    return entries


_Name = Annotated[str, StringConstraints(pattern=r"\S", max_length=40)]  # as long as the column of the decisions
_Title = Annotated[str, StringConstraints(pattern=r"\S", max_length=20)]  # as long as WeChat accepts in a notice
_Sentences = Annotated[str, StringConstraints(pattern=r"\S", max_length=1000)]
_Fever = Annotated[Decimal, Field(ge=36, le=42)]
_Days = Annotated[int, Field(ge=1, le=60)]
_Limit = Annotated[int, Field(ge=1, le=366)]
_Entries = Annotated[list[_Dated], Field(min_length=1), AfterValidator(_in_order)]


class _Number(_Entry, Generic[_Value]):
    value: _Value
    source: _Sentences


class _Numbers(_Table):
    fever_celsius: _Entries[_Number[_Fever]]
    quarantine_days: _Entries[_Number[_Days]]
    declaration_days: _Entries[_Number[_Days]]
    verification_days: _Entries[_Number[_Days]]
    release_declaration_days: _Entries[_Number[_Days]]
    recovery_days: _Entries[_Number[_Days]]


class _EntryDays(_Entry):
    past_days: _Limit
    order_days: _Limit
    ahead_days: _Limit
    source: _Sentences


class _Languages(_Table, Generic[_Value]):
    zh: _Value
    en: _Value


class _Texts(_Entry):
    reference: _Sentences
    title: _Languages[_Title]
    explanation: _Languages[_Sentences]
    advice: _Languages[_Sentences]


class _Rule(_Table):
    id: _Name
    color: Any = Field(default=None, validate_default=True)
    texts: _Entries[_Texts]

    @field_validator("id")
    @classmethod
    def _occurs_once(cls, rule: str, info: ValidationInfo) -> str:
        """Collect each id in the context, a list, so that missing rules are reported whatever else is wrong."""
        seen = cast(list[str], info.context)
        if rule in seen:
            raise ValueError(f"the rule {rule} occurs twice")
        seen.append(rule)
        return rule

    @field_validator("color")
    @classmethod
    def _begins_the_id(cls, color: Any, info: ValidationInfo) -> Color | None:
        """Require the color with which the id begins, so that a typing error cannot change it."""
        rule = info.data.get("id")
        if rule is None:  # wrong itself
            return None
        named = rule.partition("-")[0]
        if named not in list(Color):
            if color is not None:
                raise ValueError(f"{rule} says nothing about health and takes no color")
            return None
        if color != named:
            raise ValueError(f"color of {rule} must be {named}")
        return Color(named)


class _Station(_Languages[_Sentences]):
    action: Action


class _Stations(_Table):
    UNVERIFIED: _Station
    GREEN: _Station
    YELLOW: _Station
    ORANGE: _Station
    RED: _Station


class _File(_Table):
    version: _Name
    parameters: _Numbers
    rules: Annotated[list[_Rule], Field(min_length=1)]
    stations: _Stations
    entry_days: _Entries[_EntryDays] = Field(default_factory=list)


def load_policy(file: Path | None = None) -> Policy:
    """Return the policy in a file, or the one in this package.

    Raises PolicyError with every mistake, one a line, each with the file and its place there.
    """
    file = file or Path(__file__).with_name("policy.toml")
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise PolicyError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise PolicyError(f"{file} is not a TOML file: {error}") from None
    read, mistakes = _validated(content)
    if read is None or mistakes:
        raise PolicyError("\n".join(f"{file}: {mistake}" for mistake in mistakes))
    return _policy(read)


def _validated(content: dict[str, Any]) -> tuple[_File | None, list[str]]:
    """Return the content of a file, if its form is right, and every mistake in it."""
    read, mistakes, ids = None, [], list[str]()
    try:
        read = _File.model_validate(content, context=ids)
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


def _policy(read: _File) -> Policy:
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
    )


def _text(entry: _Texts) -> dict[str, RuleText]:
    return {
        language: RuleText(
            title=getattr(entry.title, language),
            explanation=getattr(entry.explanation, language),
            advice=getattr(entry.advice, language),
            reference=entry.reference,
        )
        for language in _Languages.model_fields
    }


def _parameters(numbers: _Numbers) -> tuple[tuple[datetime, Parameters], ...]:
    """Return the sets of parameters, oldest first, each from the day on which one of them changes."""
    days = sorted({entry.begins for _, entries in numbers for entry in entries})
    return tuple((midnight(day), Parameters(**{name: _on(entries, day) for name, entries in numbers})) for day in days)


def _on(entries: list[_Number[Any]], day: date) -> Any:
    """Return the value in force on a day; before the first entry, that of the first."""
    return next((entry.value for entry in reversed(entries) if entry.begins <= day), entries[0].value)
