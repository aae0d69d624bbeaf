"""Counts of a venue by entrance and hour, for its manager, with small numbers hidden as in the statistics.

A manager may know who came when; so what they read of an hour is rounded as what is published, and no difference of two
readings is small. They are counts of checks, not of people.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.clock import BEIJING
from app.core.suppression import SuppressedTable, suppress_table
from app.stations import hours
from app.stations.counts import SCAN
from app.stations.models import Station, StationCount, Venue
from app.venues import entrances

ACTIONS: Final = ("pass", "measure", "stop", SCAN)
HOURS: Final = 24


class EntranceCounts(NamedTuple):
    """The counts of an entrance on a day: a row for each hour, a column for each of the actions."""

    station: Station
    table: SuppressedTable


class DayOfVenue(NamedTuple):
    """The counts of a venue on a Beijing day, and in which of its hours it is open at the beginning."""

    entrances: Sequence[EntranceCounts]
    is_open: Sequence[bool]


def read_day(session: Session, venue: Venue, day: date) -> DayOfVenue:
    """Return the counts of a venue on a Beijing day."""
    midnight = datetime.combine(day, time(), BEIJING)
    begins = [midnight + timedelta(hours=hour) for hour in range(HOURS)]
    stations = entrances.list_stations(session, venue.id)
    counted = _read(session, [one.id for one in stations], midnight)
    tables = [
        EntranceCounts(one, suppress_table([[counted[one.id, at, action] for action in ACTIONS] for at in begins]))
        for one in stations
    ]
    return DayOfVenue(tables, [hours.is_open(venue.hours, at + timedelta(minutes=30)) for at in begins])


def _read(session: Session, stations: Sequence[int], midnight: datetime) -> Counter[tuple[int, datetime, str]]:
    number = func.sum(StationCount.number)
    of_day = StationCount.hour >= midnight, StationCount.hour < midnight + timedelta(hours=HOURS)
    rows = session.execute(
        select(StationCount.station_id, StationCount.hour, StationCount.action, number)
        .where(StationCount.station_id.in_(stations), *of_day)
        .group_by(StationCount.station_id, StationCount.hour, StationCount.action)
    )
    return Counter({(station, hour.astimezone(BEIJING), action): int(sum_) for station, hour, action, sum_ in rows})
