"""The lease of the color cache: only while somebody holds one, its records are read without the database.

Web processes and workers renew it for a few seconds, one at a time and while no change is being committed. Who renews
makes sure that Redis is the same run of the same server as before, that neither Redis nor the database has gone back in
time, and that no change is missing in the cache: such records are repaired first. A Redis that was restarted, promoted
or replaced is emptied before it is leased again. The end of a lease is a moment of Redis's own clock, so that a late
renewal has no effect.
"""

import secrets
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from redis import ConnectionError as NotConnected
from redis import RedisError, ResponseError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from app.codes.cache.color_cache import ColorCache
from app.codes.cache.loading import repair_records
from app.codes.cache.parts import CachePart
from app.codes.cache.states import Renewal, Seen, Server, id_of, load_states, model_of
from app.codes.cache.writing import RENEWAL_LOCK
from app.core.metrics import CACHE_REPLACED
from app.installation import CacheState, Installation, KnownGeneration, begin_generation
from app.rules import Policy

log = structlog.get_logger()

_STOP_SECONDS = 5
MAX_DOUBTS = 20_000  # records repaired one by one; with more of them the cache is emptied
_ALONE = text(f"select pg_advisory_xact_lock({RENEWAL_LOCK})")
# A process that is paused here, or in a commit, holds up the changes of others no longer than this.
_BRIEFLY = text("""
    select set_config('lock_timeout', '1s', true), set_config('idle_in_transaction_session_timeout', '2s', true)
""")
_DOUBTS = text("select key from cache_doubts")
_TAKE_DOUBTS = text("delete from cache_doubts where key = any(:keys)")


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
        """Return whether all records may be read without the database. Raises RedisError."""
        return self.find_missing()[0] == 0

    def find_missing(self) -> tuple[int, int]:
        """Return how many parts of the cache are not leased, and how many parts there are. Raises RedisError."""
        number = len(self._cache.parts)
        return number - self._cache.count_leased(), number

    def renew(self, *, if_due: bool = False) -> bool:
        """Renew the lease once, or only if nobody did a moment ago. Raises RedisError, SQLAlchemyError.

        A part of the cache whose node does not answer is left out. After the end of the service nothing is leased.
        """
        self._generation.refresh()  # whoever renews and whether or not Redis answers: sessions are read by this process
        if self._generation.service.ended_at is not None:
            return False
        servers = self._find_servers()
        with self._sessions.begin() as session:
            if if_due and self._are_fresh(session, servers):
                return False
            session.execute(_BRIEFLY)
            session.execute(_ALONE)
            leases = self._renew_parts(session, servers)
        self._cache.connections.ask_each(
            {part: [("SET", part.lease_key, lease, "PXAT", servers[part].ends)] for part, lease in leases.items()}
        )
        return True

    def _find_servers(self) -> dict[CachePart, Server]:
        """Return the server of each part, as far as it answers, and the moment of its clock when a lease of now ends.

        Before the database is asked, so that `leased_until` is later.
        """
        told = self._cache.connections.ask_each(
            {part: [("GET", part.lease_key), ("TIME",)] for part in self._cache.parts}
        )
        found = {}
        for part, ((_, (seconds, microseconds)), run_id) in told.items():
            if not run_id:
                raise ResponseError("this user of Redis may not ask INFO")
            ends = int(seconds) * 1000 + int(microseconds) // 1000 + int(self._seconds * 1000)
            found[part] = Server(run_id, ends)
        return found

    def _are_fresh(self, session: Session, servers: Mapping[CachePart, Server]) -> bool:
        parts, model = self._cache.parts, model_of(self._cache.parts)
        until = func.clock_timestamp() + timedelta(seconds=self._seconds * 2 / 3)
        rows = session.execute(select(model.id, model.redis_run_id).where(model.leased_until > until))
        runs = {row.id: row.redis_run_id for row in rows}
        return all(runs.get(id_of(parts, part)) == server.run_id for part, server in servers.items())

    def _renew_parts(self, session: Session, servers: Mapping[CachePart, Server]) -> dict[CachePart, str]:
        """Make each part believable; return the values of their leases."""
        told = self._cache.connections.ask_each(
            {part: [("GET", part.generation_key), ("GET", part.beat_key)] for part in servers}
        )
        states = load_states(session, self._cache.parts, told)
        found = {
            part: Renewal(states[part], Seen((generation or b"").decode(), int(beat or -1)), servers[part])
            for part, ((generation, beat), run_id) in told.items()
            if run_id == servers[part].run_id
        }
        installed = self._compare_database(session, found)
        due = {part: one for part, one in found.items() if not self._is_leased_elsewhere(session, one)}
        self._make_believable(session, due, installed)
        return self._beat(session, due, installed)

    def _compare_database(self, session: Session, found: Mapping[CachePart, Renewal]) -> int:
        """Return the generation of the installation, a new one if the database has gone back in time.

        Of a renewal that was not committed Redis is one ahead; further ahead, the database has gone back, unless a new
        generation has just begun for that reason.
        """
        before = session.scalars(select(Installation.generation)).one()
        gone_back = any(
            seen.beat > state.beat + 1 and state.redis_run_id is not None and state.generation == before
            for state, seen, _ in found.values()
        )
        installed = begin_generation(session.connection(), forced=gone_back)
        self._generation.note(installed)
        if installed != before:
            session.expire_all()
        return installed

    def _is_leased_elsewhere(self, session: Session, one: Renewal) -> bool:
        """Return whether somebody may still read the former server of a part: in a cluster it can live on, cut off."""
        state = one.state
        if len(self._cache.parts) == 1 or state.redis_run_id in (None, one.server.run_id) or not state.leased_until:
            return False
        return state.leased_until > _now(session)

    def _make_believable(self, session: Session, due: Mapping[CachePart, Renewal], installed: int) -> None:
        """Repair what is in doubt, or empty what cannot be believed."""
        doubts: dict[CachePart, list[str]] = {part: [] for part in due}
        for key in session.scalars(_DOUBTS):
            if (part := self._cache.parts.of_doubt(key)) in doubts:
                doubts[part].append(key)
        session.execute(_TAKE_DOUBTS, {"keys": [key for keys in doubts.values() for key in keys]})
        most = MAX_DOUBTS // len(self._cache.parts)
        same = {part for part, one in due.items() if one.is_same(installed) and len(doubts[part]) <= most}
        self._replace({part: one.state for part, one in due.items() if part not in same})
        self._repair(session, [key for part in same for key in doubts[part]])

    def _repair(self, session: Session, doubts: list[str]) -> None:
        serials = [int(key.removeprefix("code:")) for key in doubts if key.startswith("code:")]
        if serials:
            repair_records(self._cache, session, self._policy, serials)
        self._cache.delete_values(key for key in doubts if not key.startswith("code:"))
        if doubts:
            log.info("cache-repaired", records=len(doubts))

    def _replace(self, states: Mapping[CachePart, CacheState]) -> None:
        """Empty parts, under new generations: what was read for the former ones is not written any more."""
        if not states:
            return
        known = any(state.redis_run_id is not None for state in states.values())
        for state in states.values():
            state.cache_generation = secrets.randbelow(2**62)
        told = self._cache.connections.ask_each(
            {part: [("SET", part.generation_key, state.cache_generation)] for part, state in states.items()}
        )
        if len(told) < len(states):
            raise NotConnected("a node of the cache does not answer any more")
        self._cache.drop(states)
        CACHE_REPLACED.inc()
        if known:
            log.warning("cache-replaced")

    def _beat(self, session: Session, due: Mapping[CachePart, Renewal], installed: int) -> dict[CachePart, str]:
        """Note in Redis and in the database that the parts are leased; return the values of their leases."""
        told = self._cache.connections.ask_each(
            {part: [("SET", part.beat_key, one.state.beat + 1)] for part, one in due.items()}
        )
        until = _now(session) + timedelta(seconds=self._seconds)
        leases = {}
        for part, (_, run_id) in told.items():
            state = due[part].state
            if run_id == due[part].server.run_id:
                state.beat, state.redis_run_id, state.leased_until = state.beat + 1, run_id, until
                state.generation = installed
                # of the database, not of this process: a newer one may have been found since, whose lease this is not
                leases[part] = f"{run_id}:{installed}:{state.cache_generation}"
        return leases

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


def _now(session: Session) -> datetime:
    now: datetime = session.scalars(select(func.clock_timestamp())).one()
    return now
