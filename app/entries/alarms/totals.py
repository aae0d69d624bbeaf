"""Totals of people: an auditor must see an entry first when an officer, a place, an authority or a list has too many.

A list that was split is added up again, because all recent entries are, whatever became of them.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.entries.alarms.thresholds import load_thresholds, thresholds_at
from app.entries.models import Entry
from app.staff.context import OfficerContext

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class AlarmTotal(NamedTuple):
    """How many people an entry would have together with others, and how many it may have without an alarm."""

    alarm: str
    people: int
    most: int


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
