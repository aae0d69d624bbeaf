"""Roll-up of the counts of stations into the database, for statistics by district and day.

Redis has the whole of an hour, so rolling it up again changes nothing; and the larger number stays, so that a Redis
that lost its data takes nothing away.
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

BATCH = 500  # stations in one round trip to Redis


def roll_up(services: Services, hours: Sequence[datetime]) -> int:
    """Write the counts of every station in these hours to the database; return how many counts there were.

    Raises redis.RedisError when Redis does not answer; the database then stays as it is.
    """
    with services.sessions() as session:
        stations = list(session.scalars(select(Station.id).order_by(Station.id)))
    written = 0
    for start in range(0, len(stations), BATCH):
        batch = stations[start : start + BATCH]
        for hour in hours:
            rows = list(_rows(services, batch, hour))
            if rows:
                with services.begin() as session:
                    session.execute(_WRITE, rows)
            written += len(rows)
    return written


def last_hours(now: datetime, number: int) -> list[datetime]:
    """Return the beginnings of the last hours, the current one at `now` included."""
    current = now.replace(minute=0, second=0, microsecond=0)
    return [current - timedelta(hours=back) for back in range(number)]


def _rows(services: Services, stations: Sequence[int], hour: datetime) -> Iterable[dict[str, Any]]:
    hashes = counts.hour_counts(services.redis, stations, hour)
    for station, fields in zip(stations, hashes, strict=True):
        for field, number in fields.items():
            state, _, action = field.partition("/")
            yield {"station_id": station, "hour": hour, "state": State[state], "action": action, "number": number}


_NEW = insert(StationCount)
_WRITE = _NEW.on_conflict_do_update(
    index_elements=["station_id", "hour", "state", "action"],
    set_={"number": func.greatest(StationCount.number, _NEW.excluded.number)},
)
