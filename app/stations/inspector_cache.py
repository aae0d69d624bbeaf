"""Cache of inspectors in Redis: the epoch of their sessions and their station, which every request needs.

Both are in one value, so that a check reads no database. It is kept beside the colors: written around the commit of a
change, and read only while the cache is leased (`app/codes/cache`), so that a log-out takes effect at once.
"""

from contextlib import suppress
from typing import NamedTuple

from redis import RedisError
from sqlalchemy.orm import Session

from app.codes.cache.color_cache import CacheReplaced, LeasedRead
from app.codes.cache.parts import VALUE_PREFIX
from app.codes.cache.writing import CHANGED_VALUES, IN_DOUBT, VALUE_SECONDS
from app.runtime import Services
from app.stations.models import Inspector


class CachedInspector(NamedTuple):
    """The epoch of an inspector's sessions and the id of their station; both are 0 for an unknown inspector."""

    epoch: int
    station: int


UNKNOWN_INSPECTOR = CachedInspector(0, 0)


def get_inspector(services: Services, inspector_id: int) -> CachedInspector:
    """Return an inspector from Redis, or from the database if Redis does not have them."""
    key, cached = inspector_key(inspector_id), LeasedRead(b"", None)
    with suppress(RedisError):
        cached = services.cache.read_value(key)
    if cached.generation is not None and cached.value not in (b"", IN_DOUBT):
        epoch, station = cached.value.split()
        return CachedInspector(int(epoch), int(station))
    with services.sessions() as session:
        row = session.get(Inspector, inspector_id)
    inspector = UNKNOWN_INSPECTOR if row is None else CachedInspector(row.epoch, row.station_id)
    if cached.generation is not None:
        with suppress(RedisError, CacheReplaced):  # a change in between has newer values
            services.cache.put_value(key, _text(inspector), VALUE_SECONDS, cached.generation)
    return inspector


def mark_changed(session: Session, inspector_id: int, inspector: CachedInspector) -> None:
    """Have an inspector written to Redis around the commit of this transaction."""
    session.info.setdefault(CHANGED_VALUES, {})[inspector_key(inspector_id)] = _text(inspector)


def _text(inspector: CachedInspector) -> str:
    return f"{inspector.epoch} {inspector.station}"


def inspector_key(inspector_id: int) -> str:
    """Return the key of an inspector in Redis."""
    return f"{VALUE_PREFIX}inspector:{inspector_id}"
