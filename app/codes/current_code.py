"""The current color of a code: from the cache while it is leased and its record is fresh, else from the database.

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

from app.codes.cache.color_cache import CacheReplaced, ColorCache
from app.codes.cache.records import CacheRecord, make_record, unpack
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
    cached, generation = _from_cache(cache, serial)
    if generation is not None and cached.is_fresh(now):
        return CurrentCode(cached)
    try:
        with sessions() as session:
            code = session.get(Code, serial)
    except (OperationalError, PoolTimeout):
        if cached.state == State.EMPTY:
            raise Problem("unavailable", retry_after=5) from None
        return CurrentCode(cached, stale=True)
    if code is None:
        raise Problem("code-not-found")
    record = make_record(code, policy.rules)
    if generation is not None and (cached.version < record.version or cached.state == State.EMPTY):
        _update_cache(cache, serial, record, generation)
    return CurrentCode(record, stale=code.due_at is not None and code.due_at < now - OVERDUE)


def changed_code(session: Session, policy: Policy, serial: int) -> CurrentCode:
    """Return the code as this transaction has changed it: what is answered to a change never comes from the cache."""
    code = session.get_one(Code, serial, populate_existing=True)
    return CurrentCode(make_record(code, policy.rules))


def _from_cache(cache: ColorCache, serial: int) -> tuple[CacheRecord, str | None]:
    """Return the cached record, empty if there is none, and the generation of the cache if it is leased."""
    try:
        value, generation = cache.read(serial)
    except RedisError as error:
        log.warning("cache-unreachable", error=type(error).__name__)
        return unpack(b""), None
    return unpack(value), generation


def _update_cache(cache: ColorCache, serial: int, record: CacheRecord, generation: str) -> None:
    try:
        cache.put([(serial, record)], {cache.parts.of_serial(serial).number: generation})
    except RedisError as error:
        log.warning("cache-unreachable", error=type(error).__name__)
    except CacheReplaced:
        return
