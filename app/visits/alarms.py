"""Alarms: the code of an entrance was scanned more often in an hour than its venue scans receipts.

A photo of a poster can be scanned anywhere. That changes no color and names nobody; the numbers alone show it.
One alarm of an entrance and day goes to the officers of the district and to the manager, who prints the next code.
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
from app.core.metrics import VENUE_CODE_ALARMS
from app.runtime import Services
from app.staff.models import Officer
from app.stations import rollup
from app.stations.counts import RECEIPT, SCAN
from app.stations.models import Station, StationCount, Venue
from app.visits.models import VenueAlarm, VenueCode

KEPT: Final = timedelta(days=90)


class OpenAlarm(NamedTuple):
    """An alarm since which no other print was made, with the entrance and the venue."""

    alarm: VenueAlarm
    station: Station
    venue: Venue


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


def list_open(session: Session, officer: Officer) -> Sequence[OpenAlarm]:
    """List the open alarms of the officer's district, the newest first."""
    found = _open()
    if officer.district is not None:
        found = found.where(Venue.district == officer.district)
    rows = session.execute(found.add_columns(Station, Venue).order_by(VenueAlarm.raised_at.desc(), Station.id))
    return [OpenAlarm(*row) for row in rows]


def list_open_at(session: Session, venue_id: int) -> dict[int, VenueAlarm]:
    """Return the newest open alarm of each entrance of a venue that has one, for its manager."""
    found = _open().where(Station.venue_id == venue_id).order_by(VenueAlarm.day)
    return {one.station_id: one for one in session.scalars(found)}


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
    added = session.scalar(insert(VenueAlarm).values(row).on_conflict_do_nothing().returning(VenueAlarm.station_id))
    if added is None:
        return
    venue = session.get_one(Station, one.station).venue_id
    audit.append(session, CLOCK, "venue-code-alarm", now, venue=venue, station=one.station, scans=one.scans)
    VENUE_CODE_ALARMS.inc()
