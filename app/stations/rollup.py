"""Folding the counts of stations into the database, where they outlive Redis and can be looked at by district and day.

What stands in Redis for an hour is the whole of that hour, so folding it again changes nothing, and a Redis that was
emptied in between takes nothing away: the larger number stays.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.codes.states import State
from app.runtime import Services
from app.stations import counts
from app.stations.models import Station, StationCount

BATCH = 500  # stations asked for in one round trip


def roll_up(services: Services, hours: Sequence[datetime]) -> int:
    """Write down what every station counted in these hours; returns how many numbers there were.

    Raises redis.RedisError when Redis cannot be asked: what is in the database stays as it is.
    """
    with services.sessions() as session:
        stations = list(session.scalars(select(Station.id).order_by(Station.id)))
    written = 0
    for start in range(0, len(stations), BATCH):
        some = stations[start : start + BATCH]
        for hour in hours:
            rows = list(_rows(services, some, hour))
            if rows:
                with services.begin() as session:
                    session.execute(_WRITE, rows)
            written += len(rows)
    return written


def last_hours(now: datetime, number: int) -> list[datetime]:
    """The beginnings of so many hours, the one that runs at `now` among them."""
    running = now.replace(minute=0, second=0, microsecond=0)
    return [running - timedelta(hours=back) for back in range(number)]


def _rows(services: Services, stations: Sequence[int], hour: datetime) -> Iterable[dict[str, Any]]:
    hashes = counts.hour_counts(services.redis, stations, hour)
    for station, found in zip(stations, hashes, strict=True):
        for field, number in found.items():
            state, _, what = field.partition("/")
            yield {"station_id": station, "hour": hour, "state": State[state], "action": what, "number": number}


_NEW = insert(StationCount)
_WRITE = _NEW.on_conflict_do_update(
    index_elements=["station_id", "hour", "state", "action"],
    set_={"number": func.greatest(StationCount.number, _NEW.excluded.number)},
)
