"""Alarms: the code of an entrance was scanned more often in an hour than its venue scans receipts.

A photo of a poster can be scanned anywhere. That changes no color and names nobody; the numbers alone show it.
One alarm of an entrance and day is shown to the officers of the district and to the manager, who prints the next code.
The manager gets a message of the first of a venue, and no other while one is open: whoever scans cannot send them more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app import audit
from app.audit import CLOCK
from app.core.clock import BEIJING
from app.core.db import WHOLE, Part
from app.core.metrics import VENUE_CODE_ALARMS
from app.core.suppression import Cell, round_down
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.runtime import Services
from app.staff.models import Officer
from app.stations import rollup
from app.stations.counts import RECEIPT, SCAN
from app.stations.models import Station, StationCount, Venue
from app.venues import management
from app.visits.models import VenueAlarm, VenueCode
from app.wechat import login

KEPT: Final = timedelta(days=90)


class OpenAlarm(NamedTuple):
    """An alarm since which no other print was made, with the entrance and the venue; numbers as in the statistics."""

    alarm: VenueAlarm
    station: Station
    venue: Venue

    @property
    def scans(self) -> Cell:
        return round_down(self.alarm.scans)

    @property
    def receipts(self) -> Cell:
        return round_down(self.alarm.receipts)


class _Hour(NamedTuple):
    """How often the code of a station was scanned in an hour, and how many receipts of it."""

    station: int
    hour: datetime
    scans: int
    receipts: int


def watch(services: Services, hours: int = 2) -> None:
    """Raise an alarm for each code that was scanned implausibly often in one of the last hours, and delete old ones."""
    now = services.clock.now()
    rules = services.policy.venue_codes_at(now)
    with services.begin() as session:
        for one in _list_hours(session, rollup.last_hours(now, hours), rules.scans_an_hour):
            if not rules.is_plausible(one.scans, one.receipts):
                _raise(session, one, now)
        session.execute(delete(VenueAlarm).where(VenueAlarm.raised_at <= now - KEPT))


def list_open(session: Session, officer: Officer, part: Part = WHOLE) -> Sequence[OpenAlarm]:
    """List the open alarms of the officer's district, the newest first."""
    found = _open_of(officer).add_columns(Station, Venue).order_by(VenueAlarm.raised_at.desc(), Station.id)
    return [OpenAlarm(*row) for row in session.execute(part.of(found))]


def count_open(session: Session, officer: Officer) -> int:
    """Count the open alarms of the officer's district."""
    return session.scalars(_open_of(officer).with_only_columns(func.count())).one()


def list_open_at(session: Session, venue_id: int) -> dict[int, VenueAlarm]:
    """Return the newest open alarm of each entrance of a venue that has one, for its manager."""
    found = _open().where(Station.venue_id == venue_id).order_by(VenueAlarm.day)
    return {one.station_id: one for one in session.scalars(found)}


def find_open(session: Session, alarm_id: int) -> OpenAlarm | None:
    """Return an alarm that is open."""
    row = session.execute(_open().add_columns(Station, Venue).where(VenueAlarm.id == alarm_id)).one_or_none()
    return None if row is None else OpenAlarm(*row)


def _open_of(officer: Officer) -> Select[VenueAlarm]:
    """Return the query for the open alarms of the officer's district."""
    return _open() if officer.district is None else _open().where(Venue.district == officer.district)


def _open() -> Select[VenueAlarm]:
    """Return the query for alarms since which no other print was made, of venues that are open."""
    newest = (VenueCode.station_id == VenueAlarm.station_id) & (VenueCode.mark == VenueAlarm.mark)
    there = select(VenueAlarm).join(VenueCode, newest).join(Station, Station.id == VenueAlarm.station_id)
    return there.join(Venue, Venue.id == Station.venue_id).where(Venue.closed_at.is_(None))


def _list_hours(session: Session, hours: Sequence[datetime], least: int) -> Sequence[_Hour]:
    """List the hours with more scans than `least`, but for those before the newest print: it was replaced since."""
    is_since = func.date_trunc("hour", VenueCode.made_at) <= StationCount.hour
    scans = func.coalesce(func.sum(StationCount.number).filter(StationCount.action == SCAN), 0)
    receipts = func.coalesce(func.sum(StationCount.number).filter(StationCount.action == RECEIPT), 0)
    counted = select(StationCount.station_id, StationCount.hour, scans, receipts)
    counted = counted.join(VenueCode, VenueCode.station_id == StationCount.station_id).where(is_since)
    counted = counted.where(StationCount.hour.in_(hours), StationCount.action.in_((SCAN, RECEIPT)))
    counted = counted.group_by(StationCount.station_id, StationCount.hour).having(scans > least)
    return [_Hour(*row) for row in session.execute(counted.order_by(StationCount.hour, StationCount.station_id))]


def _raise(session: Session, one: _Hour, now: datetime) -> None:
    local = one.hour.astimezone(BEIJING)
    row = {
        "station_id": one.station, "day": local.date(), "hour": local.hour,
        "scans": one.scans, "receipts": one.receipts, "mark": session.get_one(VenueCode, one.station).mark,
        "raised_at": now,
    }  # fmt: skip
    venue = session.scalars(select(Venue).join(Station).where(Station.id == one.station)).one()
    is_first = not list_open_at(session, venue.id)
    added = session.scalar(insert(VenueAlarm).values(row).on_conflict_do_nothing().returning(VenueAlarm.id))
    if added is None:
        return
    if is_first:
        _announce(session, added, venue, now)
    audit.append(session, CLOCK, "venue-code-alarm", now, venue=venue.id, station=one.station, scans=one.scans)
    VENUE_CODE_ALARMS.inc()


def _announce(session: Session, alarm: int, venue: Venue, now: datetime) -> None:
    """Have the manager hear of an alarm, where there is one."""
    manager = management.find_manager(session, venue)
    if manager is not None:
        subject, users = Subject("venue-alarm", alarm, manager), login.list_user_ids(session, manager)
        account_messages.announce(session, subject, users, now)
