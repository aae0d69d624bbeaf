"""Writing changes to the cache, so that nobody reads a better color than the one that was committed.

Before the commit the records are marked, so that readers ask the database; after it the new ones are written. Where
Redis refuses or does not answer, nobody can be kept from the old record, so the codes are noted in `cache_doubts` and
the change is answered only when the cache lease has ended: it is not renewed before the doubt is repaired.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog
from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from app.codes.cache.color_cache import CacheReplaced, ColorCache, Marked
from app.codes.cache.loading import load_records
from app.codes.cache.parts import CachePart
from app.codes.cache.states import find_known
from app.rules import Policy

log = structlog.get_logger()

# keys of session.info: the versions by serial that codes had before this transaction changed them, and what it changed
# of the values that are kept beside the colors, by key
CHANGED_VERSIONS = "versions of codes before this transaction"
CHANGED_VALUES = "values that this transaction changed"

IN_DOUBT = b"?"  # in place of a value that is being changed
VALUE_SECONDS = 300
_ATTEMPTS = 3

# Renewals of the lease hold the same lock alone: each sees the doubt of a change, or the change sees its lease.
RENEWAL_LOCK = 20200318
WITH_RENEWALS_WAITING = text(f"select pg_advisory_xact_lock_shared({RENEWAL_LOCK})")
_NOTE_DOUBTS = text("insert into cache_doubts (key) select unnest(cast(:keys as text[])) on conflict do nothing")


class PendingWrite(NamedTuple):
    """What to write after the commit.

    `generations` are those of the parts of the cache, by their numbers, or None when the records are in doubt.
    `answer_from` is the monotonic time from which the change may be answered.
    """

    serials: Sequence[int]
    values: Mapping[str, str]
    generations: Mapping[int, str] | None
    answer_from: float = 0.0


class CacheWriter:
    """Writes what a transaction has changed, around its commit. Without a database or Redis it raises nothing."""

    def __init__(
        self, cache: ColorCache, sessions: sessionmaker[Session], policy: Policy, lease_seconds: float
    ) -> None:
        self._cache = cache
        self._sessions = sessions
        self._policy = policy
        self._lease_seconds = lease_seconds

    def prepare(self, session: Session) -> PendingWrite:
        """Mark the records that the transaction has changed; call it just before the commit."""
        versions: dict[int, int] = session.info.get(CHANGED_VERSIONS, {})
        values: dict[str, str] = session.info.get(CHANGED_VALUES, {})
        serials = sorted(versions)
        if not serials and not values:
            return PendingWrite((), {}, None)
        marked = self._mark(versions, values)
        session.execute(WITH_RENEWALS_WAITING)
        known = find_known(session, self._cache.parts, self._parts_of(serials, values))
        # by another server than the one that is leased, a mark keeps nobody from the old record
        if marked == {number: {(part.run_id, part.generation)} for number, part in known.items()}:
            return PendingWrite(serials, values, {number: part.generation for number, part in known.items()})
        self._doubt(session, serials, values)
        leased_seconds = max((part.leased_seconds for part in known.values()), default=0.0)
        return PendingWrite(serials, values, None, time.monotonic() + min(leased_seconds, self._lease_seconds))

    def _parts_of(self, serials: Sequence[int], values: Mapping[str, str]) -> set[CachePart]:
        parts = self._cache.parts
        return {parts.of_serial(serial) for serial in serials} | {parts.of_value(key) for key in values}

    def _mark(self, versions: Mapping[int, int], values: Mapping[str, str]) -> Marked | None:
        """Mark the records; return the servers that have marked them, and the generations there, or None."""
        try:
            marked = self._cache.mark(versions)
            for number, servers in self._cache.mark_values(values, IN_DOUBT.decode(), VALUE_SECONDS).items():
                marked.setdefault(number, set()).update(servers)
        except RedisError as error:
            log.warning("cache-not-marked", error=type(error).__name__)
            return None
        return marked

    def finish(self, pending: PendingWrite) -> bool:
        """Write the committed records, or wait until nobody can read the old ones; return whether they were written."""
        if not pending.serials and not pending.values:
            return True
        if pending.generations is not None and self._write(pending, pending.generations):
            return True
        if pending.generations is not None:
            pending = pending._replace(answer_from=self._doubt_again(pending))
        time.sleep(max(0.0, pending.answer_from - time.monotonic()))
        return False

    def _write(self, pending: PendingWrite, generations: Mapping[int, str]) -> bool:
        for _ in range(_ATTEMPTS):
            try:
                with self._sessions() as session:
                    records = load_records(session, self._policy, pending.serials)
                self._cache.put(records, generations)
                self._cache.set_values(pending.values, VALUE_SECONDS)
                return True
            except CacheReplaced:
                generations = self._cache.generations(pending.serials)
            except (RedisError, OperationalError, PoolTimeout) as error:
                log.warning("cache-not-refreshed", error=type(error).__name__)
                return False
        return False

    def _doubt(self, session: Session, serials: Sequence[int], values: Mapping[str, str]) -> None:
        """Note what nobody may read in the cache: the lease is not renewed before it was repaired."""
        session.execute(_NOTE_DOUBTS, {"keys": [*(f"code:{serial}" for serial in serials), *values]})

    def _doubt_again(self, pending: PendingWrite) -> float:
        """Note what was committed and could not be written; return when the lease has ended, by the monotonic clock."""
        with suppress(OperationalError, PoolTimeout), self._sessions.begin() as session:
            session.execute(WITH_RENEWALS_WAITING)
            self._doubt(session, pending.serials, pending.values)
        return time.monotonic() + self._lease_seconds  # without a database nobody renews it either
