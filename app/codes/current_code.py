"""The current color of a code: from the cache while its record is fresh, else from the database.

An outage changes no color: without Redis the database answers; without the database the last decided color stays and is
marked stale.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from redis import RedisError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from app.codes.cache.records import CacheRecord, ColorCache, make_record
from app.codes.models import Code
from app.codes.states import State
from app.core.errors import Problem
from app.rules import Policy

log = structlog.get_logger()

# A code that has been due for longer was not re-evaluated, or the platform does not answer: its color is stale.
OVERDUE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CurrentCode:
    """The record of a code. `stale`: it is the last one known, because the current one is unavailable."""

    record: CacheRecord
    stale: bool = False


def read_current(
    cache: ColorCache, sessions: sessionmaker[Session], policy: Policy, serial: int, now: datetime
) -> CurrentCode:
    """Return the record of a code.

    Raises Problem `code-not-found`, or `unavailable` when neither cache nor database can give one.
    """
    cached = _from_cache(cache, serial)
    if cached is not None and cached.is_fresh(now):
        return CurrentCode(cached)
    try:
        with sessions() as session:
            code = session.get(Code, serial)
    except (OperationalError, PoolTimeout):
        if cached is None or cached.state == State.EMPTY:
            raise Problem("unavailable", retry_after=5) from None
        return CurrentCode(cached, stale=True)
    if code is None:
        raise Problem("code-not-found")
    record = make_record(code, policy.rules)
    if cached is not None and cached.version < record.version:
        _update_cache(cache, serial, record)
    return CurrentCode(record, stale=code.due_at is not None and code.due_at < now - OVERDUE)


def _from_cache(cache: ColorCache, serial: int) -> CacheRecord | None:
    """Return the cached record, empty if there is none, or None when Redis does not answer."""
    try:
        return cache.get(serial)
    except RedisError as error:
        log.warning("cache-unreachable", error=type(error).__name__)
        return None


def _update_cache(cache: ColorCache, serial: int, record: CacheRecord) -> None:
    try:
        cache.put([(serial, record)])
    except RedisError as error:
        log.warning("cache-unreachable", error=type(error).__name__)
