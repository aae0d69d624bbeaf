"""The form of a policy's TOML file: its tables, and what each of them must have.

A misspelled key, a wrong type and a day out of order are found here; `policy_file` puts them into words.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from app.rules.decision import Color
from app.rules.policy import KNOWN_RULES, Action


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


class DatedNumber(_Entry, Generic[_Value]):
    """A number, and where it is from."""

    value: _Value
    source: _Sentences


class ParameterTable(_Table):
    """The parameters, each with its numbers in the order of their days."""

    fever_celsius: _Entries[DatedNumber[_Fever]]
    quarantine_days: _Entries[DatedNumber[_Days]]
    declaration_days: _Entries[DatedNumber[_Days]]
    verification_days: _Entries[DatedNumber[_Days]]
    release_declaration_days: _Entries[DatedNumber[_Days]]
    recovery_days: _Entries[DatedNumber[_Days]]


class _EntryDays(_Entry):
    past_days: _Limit
    order_days: _Limit
    ahead_days: _Limit
    source: _Sentences


def _stricter(rules: list[str]) -> list[str]:
    """Check that these are rules of RED and ORANGE: nobody else is handed over."""
    wrong = [rule for rule in rules if rule not in KNOWN_RULES or rule.partition("-")[0] not in ("RED", "ORANGE")]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: only rules of RED and ORANGE are followed up")
    return rules


_Followed = Annotated[list[str], Field(min_length=1), AfterValidator(_stricter)]


class _FollowUps(_Entry):
    hospital: _Followed
    community: _Followed
    hand_over_hours: _Limit
    receive_hours: _Limit
    finish_hours: _Limit
    transfer_hours: _Limit
    alerts_kept_days: _Days
    source: _Sentences


class _VenueCodes(_Entry):
    print_days: _Limit
    overlap_hours: _Limit
    visits_kept_days: _Days
    scans_an_hour: Annotated[int, Field(ge=1, le=100_000)]
    scans_for_a_receipt: _Limit
    notice_days: _Days
    source: _Sentences


class _ForeignActions(_Entry):
    UNVERIFIED: Action
    GREEN: Action
    YELLOW: Action
    ORANGE: Action
    RED: Action
    source: _Sentences


class Languages(_Table, Generic[_Value]):
    """A text in each language."""

    zh: _Value
    en: _Value


class DatedTexts(_Entry):
    """The texts of a rule, and the document that they are from."""

    reference: _Sentences
    title: Languages[_Title]
    explanation: Languages[_Sentences]
    advice: Languages[_Sentences]


class _Rule(_Table):
    id: _Name
    color: Any = Field(default=None, validate_default=True)
    texts: _Entries[DatedTexts]

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


class _Station(Languages[_Sentences]):
    action: Action


class _Stations(_Table):
    UNVERIFIED: _Station
    GREEN: _Station
    YELLOW: _Station
    ORANGE: _Station
    RED: _Station


class _TranslatedRule(_Table):
    id: _Name
    begins: list[date] = Field(alias="from", min_length=1)
    title: _Title
    explanation: _Sentences
    advice: _Sentences


class TranslationFile(_Table):
    """The texts of a policy in a further language: of each rule for the entries of these days, and of the stations."""

    rules: list[_TranslatedRule]
    stations: dict[str, _Sentences] = Field(default_factory=dict)


class PolicyFile(_Table):
    """A whole file."""

    version: _Name
    parameters: ParameterTable
    rules: Annotated[list[_Rule], Field(min_length=1)]
    stations: _Stations
    entry_days: _Entries[_EntryDays] = Field(default_factory=list)
    follow_ups: _Entries[_FollowUps] = Field(default_factory=list)
    foreign_actions: _Entries[_ForeignActions] = Field(default_factory=list)
    venue_codes: _Entries[_VenueCodes] = Field(default_factory=list)
