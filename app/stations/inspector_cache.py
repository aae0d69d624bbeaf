"""Cache of the sessions of inspectors in Redis: their epoch and their station, which every request needs.

Both are in one value for each session, so that a check reads no database, and one phone is cut off without the others.
It is kept beside the colors: written around the commit of a change, and read only while the cache is leased
(`app/codes/cache`), so that whatever ends a session takes effect at once, in every process.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from redis import RedisError
from sqlalchemy.orm import Session

from app.codes.cache.color_cache import CacheReplaced, LeasedRead
from app.codes.cache.parts import VALUE_PREFIX
from app.codes.cache.writing import CHANGED_VALUES, IN_DOUBT, VALUE_SECONDS
from app.runtime import Services
from app.stations.models import Inspector, InspectorSession


class CachedInspector(NamedTuple):
    """The epoch of an inspector and the id of their station; both are 0 for an ended session or unknown inspector."""

    epoch: int
    station: int


UNKNOWN_INSPECTOR = CachedInspector(0, 0)


def get_inspector(services: Services, inspector_id: int, session_id: int) -> CachedInspector:
    """Return the inspector of a session from Redis, or from the database if Redis does not have it.

    Sessions of before they were kept have the id 0, and end with the shift or with all of the inspector.
    """
    key, cached = inspector_key(inspector_id, session_id), LeasedRead(b"", None)
    with suppress(RedisError):
        cached = services.cache.read_value(key)
    if cached.generation is not None and cached.value not in (b"", IN_DOUBT):
        epoch, station = cached.value.split()
        return CachedInspector(int(epoch), int(station))
    with services.sessions() as session:
        inspector = _read(session, inspector_id, session_id)
    if cached.generation is not None:
        with suppress(RedisError, CacheReplaced):  # a change in between has newer values
            services.cache.put_value(key, _text(inspector), VALUE_SECONDS, cached.generation)
    return inspector


def _read(session: Session, inspector_id: int, session_id: int) -> CachedInspector:
    row = session.get(Inspector, inspector_id)
    if row is None:
        return UNKNOWN_INSPECTOR
    one = session.get(InspectorSession, session_id) if session_id else None
    is_ended = session_id and (one is None or one.inspector_id != inspector_id or one.ended_at is not None)
    return UNKNOWN_INSPECTOR if is_ended else CachedInspector(row.epoch, row.station_id)


def mark_ended(session: Session, inspector_id: int, session_ids: Iterable[int]) -> None:
    """Have sessions written to Redis as ended around the commit of this transaction."""
    changed = session.info.setdefault(CHANGED_VALUES, {})
    changed.update({inspector_key(inspector_id, one): _text(UNKNOWN_INSPECTOR) for one in session_ids})


def _text(inspector: CachedInspector) -> str:
    return f"{inspector.epoch} {inspector.station}"


def inspector_key(inspector_id: int, session_id: int = 0) -> str:
    """Return the key of an inspector's session in Redis."""
    return f"{VALUE_PREFIX}inspector:{inspector_id}" + (f":{session_id}" if session_id else "")
