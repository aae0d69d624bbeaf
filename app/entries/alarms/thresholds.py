"""The thresholds of alarms: how many people officers may record, as alarms.toml has it by day.

Apart from the policy of colors: changing them makes no new policy.
"""

import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from app.core.clock import BEIJING
from app.core.errors import ConfigError


class Thresholds(BaseModel):
    """The thresholds from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: date = Field(alias="from")
    of_one_entry: PositiveInt
    of_one_officer_in_an_hour: PositiveInt
    of_one_officer_in_a_day: PositiveInt
    of_one_place_in_a_day: PositiveInt
    of_one_authority_in_an_hour: PositiveInt
    of_one_officer_unapproved: PositiveInt
    of_one_district_unapproved: PositiveInt
    of_the_province_unapproved: PositiveInt
    lowered_by_one_officer_in_an_hour: PositiveInt
    seen_by_one_officer_in_an_hour: PositiveInt
    restricted_by_lists_in_a_day: PositiveInt
    overdue_follow_ups_of_one_district: PositiveInt


@cache
def load_thresholds(file: Path | None = None) -> Sequence[Thresholds]:
    """Load the thresholds of a file, oldest first, or those that come with the system. Raises ConfigError."""
    file = file or Path(__file__).parents[1] / "alarms.toml"
    try:
        entries = [Thresholds(**entry) for entry in tomllib.loads(file.read_text())["thresholds"]]
    except (OSError, KeyError, TypeError, ValueError, ValidationError) as error:
        raise ConfigError(f"{file} has no usable thresholds ({type(error).__name__}); correct the file.") from None
    if not entries or sorted({entry.since for entry in entries}) != [entry.since for entry in entries]:
        raise ConfigError(f"{file}: each entry must begin later than the one before it.")
    return entries


def thresholds_at(now: datetime) -> Thresholds:
    """Return the thresholds that apply at a moment; before the first of them, the first."""
    thresholds, today = load_thresholds(), now.astimezone(BEIJING).date()
    return next((one for one in reversed(thresholds) if one.since <= today), thresholds[0])
