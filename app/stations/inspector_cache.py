"""Cache of inspectors in Redis: the epoch of their sessions and their station, which every request needs.

Both are in one value, so that a check reads no database. It expires after CACHE_SECONDS: by then a log-out, or a move
to another station, takes effect everywhere, also if Redis was down when it happened.
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
    """The epoch of an inspector's sessions and the id of their station; both are 0 for an unknown inspector."""

    epoch: int
    station: int


UNKNOWN_INSPECTOR = CachedInspector(0, 0)


def get_inspector(services: Services, inspector_id: int) -> CachedInspector:
    """Return an inspector from Redis, or from the database if Redis does not have them."""
    with suppress(RedisError):
        value = cast(bytes | None, services.redis.get(inspector_key(inspector_id)))
        if value is not None:
            epoch, station = value.split()
            return CachedInspector(int(epoch), int(station))
    with services.sessions() as session:
        row = session.get(Inspector, inspector_id)
    inspector = UNKNOWN_INSPECTOR if row is None else CachedInspector(row.epoch, row.station_id)
    with suppress(RedisError):
        _write(services.redis, inspector_id, inspector, only_if_new=True)  # a log-out in between has newer values
    return inspector


def update_inspector(redis: Redis, inspector_id: int, inspector: CachedInspector) -> None:
    """Write an inspector after a log-in or log-out, so that it takes effect with the next request."""
    try:
        _write(redis, inspector_id, inspector)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)


def _write(redis: Redis, inspector_id: int, inspector: CachedInspector, only_if_new: bool = False) -> None:
    redis.set(inspector_key(inspector_id), f"{inspector.epoch} {inspector.station}", ex=CACHE_SECONDS, nx=only_if_new)


def inspector_key(inspector_id: int) -> str:
    """Return the key of an inspector in Redis."""
    return f"jx:inspector:{inspector_id}"
