"""Totals of people: an auditor must see an entry first when an officer, a place, an authority or a list has too many.

A list that was split is added up again, because all recent entries are. Nobody holds up others: places and authorities
are added up by district, where of what waits no other recorder uses up more than a third, and what is held or has ended
without approval counts against its own recorder only. Whom an officer alone releases, rules out or lets recover is not
restricted.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, func, not_, or_, select

from app.entries.alarms.thresholds import thresholds_at
from app.entries.content import IN_EFFECT_STATES, RISK_LOWERING_KINDS
from app.entries.models import Case, Entry, EntrySubject
from app.staff.context import OfficerContext

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHARE: Final = 3  # of a place or an authority, what waits of one recorder holds up others for at most a third
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


def find_lowering_alarm(context: OfficerContext, entry: Entry, freed: int) -> str | None:
    """Return the alarm of a new entry that lowers a risk, with others of its recorder, or None. It holds nothing.

    Who is freed because a case ends counts too: so many by this entry.
    """
    mine = and_(
        Entry.recorder_id == entry.recorder_id,
        Entry.recorded_at > context.now - HOUR,
        Entry.kind.in_(RISK_LOWERING_KINDS),
        or_(Entry.state.in_(IN_EFFECT_STATES), Entry.id == entry.id),
    )
    lowered = select(func.coalesce(func.sum(Entry.people), 0)).where(mine)
    of_cases = select(func.coalesce(func.sum(Case.freed), 0).label("freed")).join(Entry, Entry.id == Case.ended_by)
    people = freed + context.session.scalars(lowered).one() + (context.session.scalar(of_cases.where(mine)) or 0)
    most = thresholds_at(context.now).lowered_by_one_officer_in_an_hour
    return LOWERED_BY_ONE_OFFICER if people > most else None


def _first(totals: Iterator[AlarmTotal]) -> str | None:
    return next((one.alarm for one in totals if one.people > one.most), None)


def _totals(context: OfficerContext, entry: Entry) -> Iterator[AlarmTotal]:
    officer_id, now = context.me.id, context.now
    thresholds = thresholds_at(now)

    def of_officer(time: timedelta) -> int:
        recorded = and_(Entry.recorder_id == officer_id, Entry.recorded_at > now - time)
        approved = and_(Entry.resolved_by == officer_id, Entry.resolved_at > now - time, Entry.state == "applied")
        return entry.people + _sum(context, entry, or_(recorded, approved))

    yield AlarmTotal("of-one-entry", entry.people, thresholds.of_one_entry)
    yield AlarmTotal("of-one-officer-in-an-hour", of_officer(HOUR), thresholds.of_one_officer_in_an_hour)
    yield AlarmTotal("of-one-officer-in-a-day", of_officer(DAY), thresholds.of_one_officer_in_a_day)
    if entry.place_folded is not None:
        most = thresholds.of_one_place_in_a_day
        there = and_(Entry.place_folded == entry.place_folded, Entry.recorded_at > now - DAY)
        yield AlarmTotal("of-one-place-in-a-day", _of_district(context, entry, there, most), most)
    most = thresholds.of_one_authority_in_an_hour
    same = and_(Entry.authority_folded == entry.authority_folded, Entry.recorded_at > now - HOUR)
    yield AlarmTotal("of-one-authority-in-an-hour", _of_district(context, entry, same, most), most)


def _of_district(context: OfficerContext, entry: Entry, which: ColumnElement[bool], most: int) -> int:
    """Return the number of people of the district's entries.

    When the entry is recorded, what waits of each other recorder counts up to their share. When it is approved, only
    what is in effect counts: the parts of a list that was split meet there.
    """
    here = and_(Entry.district.is_not_distinct_from(entry.district), which)
    own = Entry.recorder_id == entry.recorder_id
    known = _sum(context, entry, and_(here, or_(own, Entry.state.in_(IN_EFFECT_STATES))))
    if context.me.id != entry.recorder_id:
        return entry.people + known
    waiting = select(func.sum(Entry.people)).where(here, not_(own), Entry.id != entry.id, Entry.state == "waiting")
    shares = context.session.scalars(waiting.group_by(Entry.recorder_id))
    return entry.people + known + sum(min(people or 0, most // SHARE) for people in shares)


def _sum(context: OfficerContext, entry: Entry, which: ColumnElement[bool]) -> int:
    """Return the number of people of other entries, without those whose risk one officer alone has lowered."""
    lowered = and_(Entry.kind.in_(RISK_LOWERING_KINDS), Entry.state == "applied", Entry.resolved_by.is_(None))
    others = select(func.coalesce(func.sum(Entry.people), 0)).where(Entry.id != entry.id, not_(lowered), which)
    return int(context.session.scalar(others) or 0)


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
