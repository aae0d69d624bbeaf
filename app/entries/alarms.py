"""Alarms: when an auditor must see an entry first, because one officer, place, authority or list has too many people.

The thresholds are in alarms.toml, apart from the policy of colors: changing them makes no new policy. A list that was
split is added up again, because all recent entries are, whatever became of them.
"""

import tomllib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from sqlalchemy import ColumnElement, and_, func, or_, select

from app.core.clock import BEIJING
from app.core.errors import ConfigError
from app.entries.models import Entry
from app.staff.context import OfficerContext

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Thresholds(BaseModel):
    """The thresholds from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: date = Field(alias="from")
    of_one_entry: PositiveInt
    of_one_officer_in_an_hour: PositiveInt
    of_one_officer_in_a_day: PositiveInt
    of_one_place_in_a_day: PositiveInt
    of_one_authority_in_an_hour: PositiveInt


class AlarmTotal(NamedTuple):
    """How many people an entry would have together with others, and how many it may have without an alarm."""

    alarm: str
    people: int
    most: int


@cache
def load_thresholds(file: Path | None = None) -> Sequence[Thresholds]:
    """Load the thresholds of a file, oldest first, or those that come with the system. Raises ConfigError."""
    file = file or Path(__file__).with_name("alarms.toml")
    try:
        entries = [Thresholds(**entry) for entry in tomllib.loads(file.read_text())["thresholds"]]
    except (OSError, KeyError, TypeError, ValueError, ValidationError) as error:
        raise ConfigError(f"{file} has no usable thresholds ({type(error).__name__}).") from None
    if not entries or sorted({entry.since for entry in entries}) != [entry.since for entry in entries]:
        raise ConfigError(f"{file}: each entry must begin later than the one before it.")
    return entries


def thresholds_at(thresholds: Sequence[Thresholds], now: datetime) -> Thresholds:
    """Return the thresholds that apply at a moment; before the first of them, the first."""
    today = now.astimezone(BEIJING).date()
    return next((one for one in reversed(thresholds) if one.since <= today), thresholds[0])


def find_alarm(context: OfficerContext, entry: Entry) -> str | None:
    """Return the first alarm that an entry raises for the officer who saves or approves it, or None."""
    return next((one.alarm for one in _totals(context, entry) if one.people > one.most), None)


def _totals(context: OfficerContext, entry: Entry) -> Iterator[AlarmTotal]:
    officer_id, now = context.me.id, context.now
    thresholds = thresholds_at(load_thresholds(), now)

    def with_others(*which: ColumnElement[bool]) -> int:
        others = select(func.coalesce(func.sum(Entry.people), 0)).where(Entry.id != entry.id, *which)
        return entry.people + int(context.session.scalar(others) or 0)

    def of_officer(time: timedelta) -> ColumnElement[bool]:
        recorded = and_(Entry.recorder_id == officer_id, Entry.recorded_at > now - time)
        approved = and_(Entry.resolved_by == officer_id, Entry.resolved_at > now - time, Entry.state == "applied")
        return or_(recorded, approved)

    yield AlarmTotal("of-one-entry", entry.people, thresholds.of_one_entry)
    yield AlarmTotal("of-one-officer-in-an-hour", with_others(of_officer(HOUR)), thresholds.of_one_officer_in_an_hour)
    yield AlarmTotal("of-one-officer-in-a-day", with_others(of_officer(DAY)), thresholds.of_one_officer_in_a_day)
    if entry.place is not None:
        there = func.lower(func.trim(Entry.place)) == entry.place.strip().lower()
        of_place = with_others(there, Entry.recorded_at > now - DAY)
        yield AlarmTotal("of-one-place-in-a-day", of_place, thresholds.of_one_place_in_a_day)
    of_authority = with_others(Entry.authority == entry.authority, Entry.recorded_at > now - HOUR)
    yield AlarmTotal("of-one-authority-in-an-hour", of_authority, thresholds.of_one_authority_in_an_hour)
