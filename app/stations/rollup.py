"""Roll-up of what Redis has counted into the database, so that a restart of Redis takes away some seconds at most.

What a counter has grown since the last roll-up is added, and what was seen of it is stored in the same transaction. So
nothing is added twice, whether Redis restarts with its data, with older data or with none (`counts.growth`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.codes.states import State
from app.core.clock import BEIJING
from app.core.db import among
from app.runtime import Services
from app.stations import counts
from app.stations.counts import Counters, StoredCount
from app.stations.models import Station, StationCount

BATCH: Final = 500  # stations in one round trip to Redis
RETENTION: Final = timedelta(days=400)  # as long as the statistics made of them
LATE: Final = timedelta(minutes=2)  # after its end, an hour is rolled up for so long with the current one
_ONE_AT_A_TIME: Final = text("select pg_advisory_xact_lock(20200319)")

_Key = tuple[int, datetime, int, str]  # of a count: station, hour, state, action


def roll_up(services: Services, hours: Sequence[datetime]) -> int:
    """Add what every station has counted in these hours since the last roll-up; return how many counts have grown.

    Raises redis.RedisError when Redis does not answer; the database then stays as it is.
    """
    with services.sessions() as session:
        stations = list(session.scalars(select(Station.id).order_by(Station.id)))
    batches = [stations[start : start + BATCH] for start in range(0, len(stations), BATCH)]
    return sum(roll_up_stations(services, batch, [hour]) for batch in batches for hour in hours)


def roll_up_stations(services: Services, stations: Sequence[int], hours: Sequence[datetime]) -> int:
    """Do the same for some stations, in one transaction."""
    hashes = [(station, hour) for station in stations for hour in hours]
    with services.begin() as session:
        session.execute(_ONE_AT_A_TIME)  # before Redis is read: an older reading must not follow a newer one
        stored = _stored(session, stations, hours)
        rows = list(_grown(stored, counts.read_counters(services, hashes)))
        if rows:
            session.execute(_WRITE, rows)
    return len(rows)


def day_counts(services: Services, station: int, now: datetime) -> Counter[str]:
    """Return the counts by action of the Beijing day of `now`: what is rolled up, and what has been counted since.

    Raises redis.RedisError when Redis does not answer.
    """
    today = now.astimezone(BEIJING).replace(minute=0, second=0, microsecond=0)
    hours = [today.replace(hour=hour) for hour in range(today.hour + 1)]
    hashes = [(station, hour) for hour in hours]
    with services.sessions() as session:  # before Redis: a counter that grows meanwhile is then counted once
        stored = _stored(session, [station], hours)
    sums: Counter[str] = Counter()
    for (*_, action), known in stored.items():
        sums[action] += known.number
    for new in _grown(stored, counts.read_counters(services, hashes)):
        sums[new["action"]] += new["number"]
    return sums


def recent_hours(now: datetime) -> list[datetime]:
    """Return the beginnings of the hours that are still counted in: the current one, and the last one for a while."""
    return last_hours(now, 1 if now - LATE >= now.replace(minute=0, second=0, microsecond=0) else 2)


def last_hours(now: datetime, number: int) -> list[datetime]:
    """Return the beginnings of the last hours, the current one at `now` included."""
    current = now.replace(minute=0, second=0, microsecond=0)
    return [current - timedelta(hours=back) for back in range(number)]


def delete_expired(session: Session, now: datetime, limit: int) -> int:
    """Delete counts that are past their retention, at most about `limit`; return how many there were."""
    hour = select(StationCount.hour).where(StationCount.hour < now - RETENTION).order_by(StationCount.hour).limit(limit)
    gone = session.execute(delete(StationCount).where(StationCount.hour.in_(hour)).returning(StationCount.hour))
    return len(gone.all())


def _stored(session: Session, stations: Sequence[int], hours: Sequence[datetime]) -> dict[_Key, StoredCount]:
    rows = session.execute(
        select(*_COLUMNS).where(among(StationCount.station_id, stations), among(StationCount.hour, hours))
    )
    return {(station, hour, state, action): StoredCount(*values) for station, hour, state, action, *values in rows}


def _grown(stored: dict[_Key, StoredCount], read: Mapping[tuple[int, datetime], Counters]) -> Iterator[dict[str, Any]]:
    """Yield a row for each counter that is not as it was seen; its `number` is what has come since."""
    for (station, hour), counters in read.items():
        for field, number in counters.numbers.items():
            state, _, action = field.partition("/")
            known = stored.get((station, hour, State[state], action), _NONE)
            if (number, counters.run) != known[1:]:
                key = {"station_id": station, "hour": hour, "state": State[state], "action": action}
                since = counts.growth(number, counters, known)
                yield {**key, "number": since, "seen": number, "run": counters.run}


_NONE: Final = StoredCount(0, 0, "")
_COLUMNS: Final = tuple(
    getattr(StationCount, name) for name in ("station_id", "hour", "state", "action", *StoredCount._fields)
)
_NEW = insert(StationCount)
_WRITE = _NEW.on_conflict_do_update(
    index_elements=["station_id", "hour", "state", "action"],
    set_={"number": StationCount.number + _NEW.excluded.number, "seen": _NEW.excluded.seen, "run": _NEW.excluded.run},
)
