"""What is done after the decision to end: each step is recorded when it is done, and done again when it is not.

No step needs a key that an earlier one has destroyed, so that a run that broke off goes on anywhere:
close the tables → rows → Redis → keys → report → the last key.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from app.audit import checkpoints, sealing
from app.audit.checkpoints import CheckpointSigner
from app.core import province
from app.core.clock import Clock, rfc3339
from app.core.db import make_engine, make_session_factory
from app.core.errors import StartError
from app.core.keys import fingerprint, load_keys, load_signing_keys, signing_key_at, thumbprint
from app.core.redis_client import AnyRedis
from app.core.settings import Settings
from app.ending import key_files, report
from app.ending.tables import DESTROYED, EMPTIED, KEPT
from app.installation import Installation
from app.runtime import connect_redis, make_clock

LONG_SECONDS: Final = 86_400  # of a statement: to count the rows of a province takes a while
LOCK_SECONDS: Final = 120  # in which those who still write have to come to their end
_REDIS_KEYS: Final = ("jx:*", "LIMITS:*", "wechat:*")

Say = Callable[[str], None]


class Ending(NamedTuple):
    """What the steps need: no key, for they go on when keys are destroyed already."""

    settings: Settings
    clock: Clock
    engine: Engine
    sessions: sessionmaker[Session]
    redis: AnyRedis

    @property
    def directory(self) -> Path:
        return self.settings.keys.directory

    def installation(self) -> Installation:
        with self.sessions() as session:
            return session.scalars(select(Installation)).one()

    def note(self, name: str, found: Any, session: Session) -> None:
        """Record that a step is done, with what it found."""
        row = session.scalars(select(Installation).with_for_update()).one()
        row.end_record = {**(row.end_record or {}), name: found}


@contextmanager
def open_ending(settings: Settings) -> Iterator[Ending]:
    """Connect without keys."""
    province.choose(settings.province.file)
    engine, redis = make_engine(settings.database.url, 2, LONG_SECONDS), connect_redis(settings)
    try:
        yield Ending(settings, make_clock(settings), engine, make_session_factory(engine), redis)
    finally:
        engine.dispose()
        redis.close()


def plan(ending: Ending) -> dict[str, Any]:
    """Return what the steps would destroy, beside our keys in Redis: rows by class and table, and key files."""
    with ending.engine.connect() as connection:
        rows = _count(connection)
    files = [file.name for signing in (False, True) for file in key_files.list_files(ending.directory, signing=signing)]
    return {"rows": rows, "files": files}


def run(ending: Ending, say: Say) -> dict[str, Any]:
    """Do every step that is not done yet; return the published document. Raises StartError, ConfigError, RedisError.

    On another machine, where all of it is done, only the keys there are left to destroy.
    """
    for name, step in _STEPS:
        if name not in (ending.installation().end_record or {}):
            say(name)
            step(ending, say)
    if ending.installation().end_report is None:
        say("report")
        _publish(ending)
    return _bury_last(ending, say)


# --- the tables


def _close(ending: Ending, say: Say) -> None:
    """Let every process notice, then seal what was written and let nobody write any more."""
    keys = load_keys(ending.directory)
    time.sleep(ending.settings.redis.lease_seconds)  # a beat, in which each process notices
    for table in EMPTIED:
        if table != "audit":
            _within(lambda table=table: _shut(ending, table))  # type: ignore[misc]
    ground = _ChainGround(ending.clock, ending.sessions, CheckpointSigner(keys))
    _within(lambda: _shut_audit(ending, ground))
    names = [file.name for signing in (False, True) for file in key_files.list_files(ending.directory, signing=signing)]
    known = {
        "files": names,
        "fingerprint": fingerprint(keys),
        "signing": [{"kid": key.kid, "thumbprint": thumbprint(key.public)} for key in keys.signing],
    }
    with ending.sessions.begin() as session:
        end = sealing.chain_end(session)
        heads = checkpoints.published_checkpoints(session, ending.clock.now())["heads"]
        chain = {"entries": end.entries, "hash": end.hash.hex()}
        ending.note("closed", {"chain": chain, "heads": heads, "keys": known}, session)


class _ChainGround(NamedTuple):
    """What sealing needs."""

    clock: Clock
    sessions: sessionmaker[Session]
    checkpoint_signer: CheckpointSigner


def _within(act: Callable[[], bool]) -> None:
    """Do an act again until it succeeds. Raises StartError when somebody holds it up for too long."""
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            if act():
                return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _HELD_UP:
                raise
        if time.monotonic() > end:
            raise StartError(
                "Somebody still writes to the database; stop the workers and commands, then run this again."
            )
        time.sleep(0.2)


_HELD_UP: Final = ("55P03", "40P01")  # a lock that was not to be had in time, a deadlock
_SHUT = (
    "create or replace trigger service_is_ended before insert or update or delete on {0}"
    " for each statement execute function service_is_ended()"
)


def _shut(ending: Ending, table: str) -> bool:
    """Let nobody write to a table any more; waits for those who do."""
    with ending.engine.begin() as connection:
        connection.execute(text("set local lock_timeout = '5s'"))
        connection.execute(text(_SHUT.format(table)))
    return True


def _shut_audit(ending: Ending, ground: _ChainGround) -> bool:
    """Shut the audit when every event is in the chain; return whether it is."""
    sealing.seal_all(ground)
    with ending.engine.connect() as connection:
        connection.execute(text("set local lock_timeout = '5s'"))
        connection.execute(text("lock table audit in share row exclusive mode"))
        if connection.scalar(text("select exists (select from audit where place is null)")):
            return False
        connection.execute(text(_SHUT.format("audit")))
        connection.commit()
    return True


def _count(connection: Connection) -> dict[str, dict[str, int]]:
    return {
        kind: {name: connection.scalar(text(f"select count(*) from {name}")) or 0 for name in names}  # noqa: S608 - ours
        for kind, names in DESTROYED.items()
    }


# which looks at a sequence that goes with its table: an ended database begins no generation
_NO_GENERATION: Final = "create or replace function is_known_database() returns boolean language sql as 'select true'"


def _destroy_rows(ending: Ending, say: Say) -> None:
    """Destroy the rows of all classes at once, but for the hashes of the chain, and record their numbers with it."""
    with ending.engine.connect() as connection:
        rows = _count(connection)
    with ending.sessions.begin() as session:
        connection = session.connection()
        connection.execute(text("set local lock_timeout = '60s'"))
        connection.execute(text("insert into kept_hashes select place, hash from audit on conflict do nothing"))
        # not `truncate`: the planner keeps samples of the values of an empty table, names among them
        connection.execute(text(f"drop table {', '.join(EMPTIED)} cascade"))
        connection.execute(text(_NO_GENERATION))
        connection.execute(text("delete from statistic_counts where number between 1 and 9"))  # too few to be nobody
        kept = {name: connection.scalar(text(f"select count(*) from {name}")) or 0 for name in KEPT}  # noqa: S608 - ours
        ending.note("rows", {"destroyed": rows, "kept": kept}, session)


# --- Redis, keys and report


def _empty_redis(ending: Ending, say: Say) -> None:
    """Delete our keys. Raises RedisError."""
    for pattern in _REDIS_KEYS:
        for key in ending.redis.scan_iter(pattern, count=1000):
            ending.redis.delete(key)
    _note_moment(ending, "redis")


def _destroy_keys(ending: Ending, say: Say) -> None:
    """Destroy every key but those that sign, after the tombstone: no process starts on what is left."""
    key_files.bury(ending.directory, _tombstone(ending))
    for name in key_files.destroy(ending.directory, signing=False):
        say(name)
    _note_moment(ending, "keys")


def _note_moment(ending: Ending, name: str) -> None:
    with ending.sessions.begin() as session:
        ending.note(name, rfc3339(ending.clock.now()), session)


def _publish(ending: Ending) -> None:
    """Sign the report with the last key that is left, and keep it in the database."""
    row, now = ending.installation(), ending.clock.now()
    key = signing_key_at(load_signing_keys(ending.directory).signing, now)
    signed = report.sign(key, _content(row, key.kid, rfc3339(now)))
    document = report.to_text(signed, (row.end_record or {})["closed"]["heads"])
    report.verify(document, {key.public})
    with ending.sessions.begin() as session:
        session.scalars(select(Installation).with_for_update()).one().end_report = document


def _content(row: Installation, kid: str, now: str) -> dict[str, Any]:
    """Return what the report says. Nothing in it is about a person."""
    done: Any = row.end_record
    assert row.ends_on is not None and row.ended_at is not None
    return {
        "format": 1,
        "service": province.current().full_name,
        "last_day": row.ends_on.isoformat(),
        "announced_at": rfc3339(row.end_announced_at) if row.end_announced_at else None,
        "ended_at": rfc3339(row.ended_at),
        "decided_by": done["decided_by"],
        "reported_at": now,
        "rows": done["rows"]["destroyed"],
        "kept": done["rows"]["kept"],
        "redis_emptied_at": done["redis"],
        "keys": {**done["closed"]["keys"], "destroyed_at": done["keys"], "signed_and_destroyed_last": kid},
        "chain": done["closed"]["chain"],
    }


def _bury_last(ending: Ending, say: Say) -> dict[str, Any]:
    """Destroy what is left of the keys on this machine, once the report is one of their own.

    Raises StartError for a report that the keys here did not sign: somebody else has written it to the database.
    """
    tombstone = _tombstone(ending)
    buried = (key_files.read_tombstone(ending.directory) or {}).get("report")  # then the last key may be half gone
    if not buried and key_files.list_files(ending.directory, signing=True):
        known = {key.public for key in load_signing_keys(ending.directory).signing}
        try:
            report.verify(ending.installation().end_report or "", known)
        except report.ReportInvalid:
            raise StartError(
                "The report in the database is not signed with the keys here, and nothing is destroyed; check "
                "database.url and keys.directory."
            ) from None
    key_files.bury(ending.directory, tombstone)
    for signing in (False, True):
        for name in key_files.destroy(ending.directory, signing=signing):
            say(name)
    return tombstone


def _tombstone(ending: Ending) -> dict[str, Any]:
    row = ending.installation()
    assert row.ended_at is not None
    return {"ended_at": rfc3339(row.ended_at), "report": row.end_report}


_STEPS: Final[tuple[tuple[str, Callable[[Ending, Say], None]], ...]] = (
    ("closed", _close),
    ("rows", _destroy_rows),
    ("redis", _empty_redis),
    ("keys", _destroy_keys),
)
