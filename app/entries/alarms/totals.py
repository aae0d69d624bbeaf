"""Totals of people: an auditor must see an entry first when an officer, a place, an authority or a list has too many.

A list that was split is added up again, because all recent entries are. Nobody holds up others: places and authorities
are added up by district, and what is held or has ended without approval counts against its own recorder only.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.entries.alarms.thresholds import thresholds_at
from app.entries.content import IN_EFFECT_STATES, RISK_LOWERING_KINDS
from app.entries.models import Entry, EntrySubject
from app.staff.context import OfficerContext

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOWERED_BY_ONE_OFFICER: Final = "lowered-by-one-officer"


class AlarmTotal(NamedTuple):
    """How many people an entry would have together with others, and how many it may have without an alarm."""

    alarm: str
    people: int
    most: int


def find_alarm(context: OfficerContext, entry: Entry) -> str | None:
    """Return the first alarm that an entry raises for the officer who saves or approves it, or None."""
    return _first(_totals(context, entry))


def find_urgent_alarm(context: OfficerContext, entry: Entry) -> str | None:
    """Return the first alarm that a new entry raises if it takes effect without approval, or None."""
    return _first(_unapproved_totals(context, entry))


def find_lowering_alarm(context: OfficerContext, entry: Entry) -> str | None:
    """Return the alarm of a new entry that lowers a risk, with others of its recorder, or None. It holds nothing."""
    lowered = select(func.coalesce(func.sum(Entry.people), 0)).where(
        Entry.recorder_id == entry.recorder_id,
        Entry.recorded_at > context.now - HOUR,
        Entry.kind.in_(RISK_LOWERING_KINDS),
        or_(Entry.state.in_(IN_EFFECT_STATES), Entry.id == entry.id),
    )
    most = thresholds_at(context.now).lowered_by_one_officer_in_an_hour
    return LOWERED_BY_ONE_OFFICER if context.session.scalars(lowered).one() > most else None


def _first(totals: Iterator[AlarmTotal]) -> str | None:
    return next((one.alarm for one in totals if one.people > one.most), None)


def _totals(context: OfficerContext, entry: Entry) -> Iterator[AlarmTotal]:
    officer_id, now = context.me.id, context.now
    thresholds = thresholds_at(now)

    def with_others(*which: ColumnElement[bool]) -> int:
        others = select(func.coalesce(func.sum(Entry.people), 0)).where(Entry.id != entry.id, *which)
        return entry.people + int(context.session.scalar(others) or 0)

    def of_officer(time: timedelta) -> ColumnElement[bool]:
        recorded = and_(Entry.recorder_id == officer_id, Entry.recorded_at > now - time)
        approved = and_(Entry.resolved_by == officer_id, Entry.resolved_at > now - time, Entry.state == "applied")
        return or_(recorded, approved)

    counts = or_(Entry.state.in_(("waiting", *IN_EFFECT_STATES)), Entry.recorder_id == entry.recorder_id)
    here = and_(Entry.district.is_not_distinct_from(entry.district), counts)
    yield AlarmTotal("of-one-entry", entry.people, thresholds.of_one_entry)
    yield AlarmTotal("of-one-officer-in-an-hour", with_others(of_officer(HOUR)), thresholds.of_one_officer_in_an_hour)
    yield AlarmTotal("of-one-officer-in-a-day", with_others(of_officer(DAY)), thresholds.of_one_officer_in_a_day)
    if entry.place_folded is not None:
        of_place = with_others(here, Entry.place_folded == entry.place_folded, Entry.recorded_at > now - DAY)
        yield AlarmTotal("of-one-place-in-a-day", of_place, thresholds.of_one_place_in_a_day)
    same = Entry.authority_folded == entry.authority_folded
    of_authority = with_others(here, same, Entry.recorded_at > now - HOUR)
    yield AlarmTotal("of-one-authority-in-an-hour", of_authority, thresholds.of_one_authority_in_an_hour)


def _unapproved_totals(context: OfficerContext, entry: Entry) -> Iterator[AlarmTotal]:
    """Yield the numbers of people, each once, in urgent entries that nobody has approved, with those of this entry.

    Of the officer also those that have ended: otherwise they could turn ten people after the other.
    """
    thresholds, running = thresholds_at(context.now), Entry.state == "urgent"

    def people(*which: ColumnElement[bool]) -> int:
        serials = select(EntrySubject.serial).join(Entry, Entry.id == EntrySubject.entry_id)
        theirs = serials.where(or_(and_(*which), Entry.id == entry.id)).distinct().subquery()
        return context.session.scalars(select(func.count()).select_from(theirs)).one()

    tried = and_(Entry.approve_until.is_not(None), Entry.state != "applied", Entry.recorded_at > context.now - DAY)
    of_officer = people(Entry.recorder_id == entry.recorder_id, or_(running, tried))
    yield AlarmTotal("of-one-officer-unapproved", of_officer, thresholds.of_one_officer_unapproved)
    of_district = people(Entry.district.is_not_distinct_from(entry.district), running)
    yield AlarmTotal("of-one-district-unapproved", of_district, thresholds.of_one_district_unapproved)
    yield AlarmTotal("of-the-province-unapproved", people(running), thresholds.of_the_province_unapproved)
