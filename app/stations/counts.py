"""Counts of the actions of stations: how many were let pass, measured and stopped; never whom.

One Redis hash for a station and a Beijing hour, kept for three days. Its fields are a state and an action, such as
`GREEN/pass` or `YELLOW/temperature`: everything that the roll-up into the database needs. The field of a check follows
from the state in the cache record alone, so that one script can both read the record and count.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast
from uuid import UUID

import structlog
from redis import Redis, RedisError

from app.codes.states import State
from app.core.clock import BEIJING

log = structlog.get_logger()

TEMPERATURE = "temperature"  # an action besides those of the policy: pass, measure, stop
RETENTION = timedelta(days=3)
RETENTION_SECONDS = int(RETENTION.total_seconds())
RETENTION_HOURS = RETENTION_SECONDS // 3600

# Adds one to a field of KEYS[1]. With the mark KEYS[2] it does so only once in ARGV[3] seconds.
_ADD = """
if KEYS[2] and not redis.call('SET', KEYS[2], '', 'NX', 'EX', ARGV[3]) then
  return 0
end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


class StationEvent(NamedTuple):
    """An action of a station at a moment for a code in a state; `action` is one of the policy, or TEMPERATURE."""

    station: int
    at: datetime
    state: State
    action: str


def increment(redis: Redis, event: StationEvent) -> None:
    """Count an event; while Redis is down it is not counted, and the check goes on."""
    try:
        _increment(redis, event)
    except RedisError as error:
        log.warning("check-not-counted", error=type(error).__name__)


def increment_once(redis: Redis, event: StationEvent, id_: UUID, retention: timedelta) -> bool:
    """Count an event unless its id was counted before; return whether it was counted.

    The id is kept for `retention`. Raises redis.RedisError when Redis does not answer.
    """
    return _increment(redis, event, f"jx:station:{event.station}:told:{id_}", retention)


def day_counts(redis: Redis, station: int, now: datetime) -> Counter[str]:
    """Return the counts by action of the Beijing day of `now`. Raises redis.RedisError when Redis does not answer."""
    sums: Counter[str] = Counter()
    today = now.astimezone(BEIJING)
    for hour in range(today.hour + 1):
        counts = cast(dict[bytes, bytes], redis.hgetall(key_of(station, today.replace(hour=hour))))
        for field, number in counts.items():
            sums[field.decode().partition("/")[2]] += int(number)
    return sums


def hour_counts(redis: Redis, stations: Sequence[int], hour: datetime) -> list[dict[str, int]]:
    """Return the counts of each station in the hour of a moment, in one round trip. Raises redis.RedisError."""
    with redis.pipeline(transaction=False) as pipeline:
        for station in stations:
            pipeline.hgetall(key_of(station, hour))
        hashes = pipeline.execute()
    return [{field.decode(): int(number) for field, number in hash_.items()} for hash_ in hashes]


def _increment(redis: Redis, event: StationEvent, mark: str = "", retention: timedelta = RETENTION) -> bool:
    keys = [key_of(event.station, event.at), *([mark] if mark else [])]
    arguments: list[str | int] = [
        field_of(event.state, event.action),
        RETENTION_SECONDS,
        int(retention.total_seconds()),
    ]
    return bool(redis.register_script(_ADD)(keys=keys, args=arguments))


def field_of(state: State, action: str) -> str:
    """Return the field of the hash for a state and an action."""
    return f"{state.name}/{action}"


def key_of(station: int, at: datetime) -> str:
    """Return the key of the hash for a station and the Beijing hour of a moment."""
    return f"jx:station:{station}:{hour_of(at)}"


def hour_of(at: datetime) -> str:
    """Return the Beijing hour of a moment as it is in the keys."""
    return f"{at.astimezone(BEIJING):%Y%m%d%H}"
