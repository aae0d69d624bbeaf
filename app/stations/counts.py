"""What a station has done, as numbers: how many it let pass, measured and stopped. Never whom.

A station and Beijing hour is one Redis hash, kept for three days. Its fields are a state and what was done, such as
`GREEN/pass` or `YELLOW/temperature`: what is to be folded into the database by color, hour and station is all there,
and which field a check adds to follows from the state in the cache record alone, so that one script may do both.
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

TEMPERATURE = "temperature"  # what was done besides the actions of the policy: pass, measure, stop
RETENTION = timedelta(days=3)
RETENTION_SECONDS = int(RETENTION.total_seconds())
RETENTION_HOURS = RETENTION_SECONDS // 3600

# Adds one to a field of KEYS[1]. With KEYS[2] it does so once: the mark stays for ARGV[3] seconds.
_ADD = """
if KEYS[2] and not redis.call('SET', KEYS[2], '', 'NX', 'EX', ARGV[3]) then
  return 0
end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


class StationEvent(NamedTuple):
    """One thing that a station did: when, to a code in which state, and what (an action, or TEMPERATURE)."""

    station: int
    at: datetime
    state: State
    action: str


def increment(redis: Redis, event: StationEvent) -> None:
    """Count a deed; while Redis is away it is not counted, and nobody waits for it."""
    try:
        _increment(redis, event)
    except RedisError as error:
        log.warning("check-not-counted", error=type(error).__name__)


def increment_once(redis: Redis, event: StationEvent, id_: UUID, retention: timedelta) -> bool:
    """Count a deed unless its id has come before; returns whether it was counted.

    The id is remembered for as long as told. Raises redis.RedisError when Redis cannot be asked.
    """
    return _increment(redis, event, f"jx:station:{event.station}:told:{id_}", retention)


def day_counts(redis: Redis, station: int, now: datetime) -> Counter[str]:
    """How often each thing was done on the Beijing day of `now`. Raises redis.RedisError when Redis cannot be asked."""
    sums: Counter[str] = Counter()
    today = now.astimezone(BEIJING)
    for hour in range(today.hour + 1):
        counts = cast(dict[bytes, bytes], redis.hgetall(key_of(station, today.replace(hour=hour))))
        for field, number in counts.items():
            sums[field.decode().partition("/")[2]] += int(number)
    return sums


def hour_counts(redis: Redis, stations: Sequence[int], hour: datetime) -> list[dict[str, int]]:
    """What each of these stations has counted in the hour of a moment, in one round trip. Raises redis.RedisError."""
    with redis.pipeline(transaction=False) as pipeline:
        for station in stations:
            pipeline.hgetall(key_of(station, hour))
        hashes = pipeline.execute()
    return [{field.decode(): int(number) for field, number in one.items()} for one in hashes]


def _increment(redis: Redis, event: StationEvent, mark: str = "", retention: timedelta = RETENTION) -> bool:
    keys = [key_of(event.station, event.at), *([mark] if mark else [])]
    arguments: list[str | int] = [
        field_of(event.state, event.action),
        RETENTION_SECONDS,
        int(retention.total_seconds()),
    ]
    return bool(redis.register_script(_ADD)(keys=keys, args=arguments))


def field_of(state: State, action: str) -> str:
    """What is counted, as a field of the hash."""
    return f"{state.name}/{action}"


def key_of(station: int, at: datetime) -> str:
    """The hash of a station and the Beijing hour of a moment."""
    return f"jx:station:{station}:{hour_of(at)}"


def hour_of(at: datetime) -> str:
    """The Beijing hour of a moment, as the keys write it."""
    return f"{at.astimezone(BEIJING):%Y%m%d%H}"
