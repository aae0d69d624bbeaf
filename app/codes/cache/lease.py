"""The lease of the color cache: only while somebody holds one, its records are read without the database.

Web processes and workers renew it for a few seconds, one at a time and while no change is being committed. Who renews
makes sure that Redis is the same run of the same server as before, that neither Redis nor the database has gone back in
time, and that no change is missing in the cache: such records are repaired first. A Redis that was restarted, promoted
or replaced is emptied before it is leased again. The end of a lease is a moment of Redis's own clock, so that a late
renewal has no effect.
"""

import secrets
import threading
from datetime import timedelta
from typing import NamedTuple

import structlog
from redis import RedisError, ResponseError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from app.codes.cache.loading import repair_records
from app.codes.cache.records import BEAT_KEY, GENERATION_KEY, LEASE_KEY, ColorCache
from app.codes.cache.writing import RENEWAL_LOCK
from app.core.metrics import CACHE_REPLACED
from app.installation import Installation, KnownGeneration, begin_generation
from app.rules import Policy

log = structlog.get_logger()

_STOP_SECONDS = 5
MAX_DOUBTS = 20_000  # records repaired one by one; with more of them the cache is emptied
_ALONE = text(f"select pg_advisory_xact_lock({RENEWAL_LOCK})")
# A process that is paused here, or in a commit, holds up the changes of others no longer than this.
_BRIEFLY = text("""
    select set_config('lock_timeout', '1s', true), set_config('idle_in_transaction_session_timeout', '2s', true)
""")
_IS_FRESH = text("""
    select redis_run_id = :run_id and leased_until > clock_timestamp() + make_interval(secs => :seconds)
    from installation
""")
_TAKE_DOUBTS = text("delete from cache_doubts returning key")


class LeaseGround(NamedTuple):
    """What a lease rests on."""

    cache: ColorCache
    sessions: sessionmaker[Session]
    policy: Policy
    generation: KnownGeneration


class CacheLease:
    """Renews the lease. `start` keeps renewing it in a thread of its own."""

    def __init__(self, ground: LeaseGround, lease_seconds: float) -> None:
        self._cache, self._sessions, self._policy, self._generation = ground
        self._seconds = lease_seconds
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Renew the lease three times in its length, until `stop`."""
        self._ended.clear()
        self._thread = threading.Thread(target=self._keep, name="cache-lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Renew no more; the lease ends by itself."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def is_held(self) -> bool:
        """Return whether the records may be read without the database. Raises RedisError."""
        lease = self._cache.connections.execute("GET", LEASE_KEY)
        return self._cache.leased_generation(lease) is not None

    def renew(self, *, if_due: bool = False) -> bool:
        """Renew the lease once, or only if nobody did a moment ago. Raises RedisError, SQLAlchemyError."""
        self._generation.refresh()  # whoever renews and whether or not Redis answers: sessions are read by this process
        connections = self._cache.connections
        run_id = connections.run_id()
        if not run_id:
            raise ResponseError("this user of Redis may not ask INFO")
        seconds, microseconds = connections.execute("TIME")  # before the database, so that `leased_until` is later
        ends = int(seconds) * 1000 + int(microseconds) // 1000 + int(self._seconds * 1000)
        with self._sessions.begin() as session:
            if if_due and session.scalar(_IS_FRESH, {"run_id": run_id, "seconds": self._seconds * 2 / 3}):
                return False
            session.execute(_BRIEFLY)
            session.execute(_ALONE)
            row = session.scalars(select(Installation)).one()
            self._make_believable(session, row, run_id)
            row.beat += 1
            connections.execute("SET", BEAT_KEY, row.beat)
            row.redis_run_id = run_id
            row.leased_until = session.scalars(select(func.clock_timestamp())).one() + timedelta(seconds=self._seconds)
            # of this row, not of this process: a newer database may have been found since, whose lease this is not
            generations = f"{row.generation}:{row.cache_generation}"
        connections.execute("SET", LEASE_KEY, f"{run_id}:{generations}", "PXAT", ends)
        return True

    def _make_believable(self, session: Session, row: Installation, run_id: str) -> None:
        """Repair what is in doubt, or everything."""
        stored, told = self._cache.connections.execute_all(("GET", GENERATION_KEY), ("GET", BEAT_KEY))
        beat = int(told or -1)
        # of a renewal that was not committed Redis is one ahead; further ahead, the database has gone back, unless a
        # new generation has just begun for that reason
        gone_back = beat > row.beat + 1 and row.redis_run_id is not None
        self._generation.note(begin_generation(session.connection(), forced=gone_back))
        session.refresh(row)
        same_cache = row.redis_run_id == run_id and (stored or b"").decode() == str(row.cache_generation)
        doubts = list(session.scalars(_TAKE_DOUBTS))
        if same_cache and beat in (row.beat, row.beat + 1) and len(doubts) <= MAX_DOUBTS:
            self._repair(session, doubts)
        else:
            self._replace(row)

    def _repair(self, session: Session, doubts: list[str]) -> None:
        serials = [int(key.removeprefix("code:")) for key in doubts if key.startswith("code:")]
        values = [key for key in doubts if not key.startswith("code:")]
        if serials:
            repair_records(self._cache, session, self._policy, serials)
        if values:
            self._cache.delete_values(values)
        if doubts:
            log.info("cache-repaired", records=len(doubts))

    def _replace(self, row: Installation) -> None:
        """Empty the cache, under a new generation: what was read for the former one is not written any more."""
        known = row.redis_run_id is not None
        row.cache_generation = secrets.randbelow(2**62)
        self._cache.connections.execute("SET", GENERATION_KEY, row.cache_generation)
        self._cache.drop()
        CACHE_REPLACED.inc()
        if known:
            log.warning("cache-replaced")

    def _keep(self) -> None:
        failed = False
        while True:
            try:
                self.renew(if_due=True)
                failed = False
            except (RedisError, SQLAlchemyError) as error:
                if not failed:
                    log.warning("cache-not-leased", error=type(error).__name__)
                failed = True
            if self._ended.wait(self._seconds / 3):
                return
