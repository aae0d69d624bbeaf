"""What every request of an inspector needs: which of their sessions count, and at which station they are.

Both stand in one value in Redis, so that a check asks no database. It is believed for EPOCH_SECONDS only: by then a
log-out, or a move to another station, counts everywhere, also when Redis was away as it happened.
"""

from contextlib import suppress
from typing import NamedTuple, cast

import structlog
from redis import Redis, RedisError

from app.runtime import Services
from app.stations.models import Inspector

log = structlog.get_logger()

CACHE_SECONDS = 300


class CachedInspector(NamedTuple):
    """The epoch of an inspector's sessions and the id of their station; both 0 for somebody who is none."""

    epoch: int
    station: int


UNKNOWN_INSPECTOR = CachedInspector(0, 0)


def get_inspector(services: Services, inspector_id: int) -> CachedInspector:
    """From Redis, or from the database when Redis does not know it."""
    with suppress(RedisError):
        known = cast(bytes | None, services.redis.get(inspector_key(inspector_id)))
        if known is not None:
            epoch, station = known.split()
            return CachedInspector(int(epoch), int(station))
    with services.sessions() as session:
        inspector = session.get(Inspector, inspector_id)
    duty = UNKNOWN_INSPECTOR if inspector is None else CachedInspector(inspector.epoch, inspector.station_id)
    with suppress(RedisError):
        _write(services.redis, inspector_id, duty, only_if_new=True)  # a log-out in between knows better
    return duty


def update_inspector(redis: Redis, inspector_id: int, inspector: CachedInspector) -> None:
    """Let the next request know of a log-in or a log-out, whatever Redis missed while it was away."""
    try:
        _write(redis, inspector_id, inspector)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)


def _write(redis: Redis, inspector_id: int, inspector: CachedInspector, only_if_new: bool = False) -> None:
    redis.set(inspector_key(inspector_id), f"{inspector.epoch} {inspector.station}", ex=CACHE_SECONDS, nx=only_if_new)


def inspector_key(inspector_id: int) -> str:
    """Where the duty of an inspector stands in Redis."""
    return f"jx:inspector:{inspector_id}"
