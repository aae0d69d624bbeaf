"""The tables at the end: each is shut, what was written is sealed, and then all rows about people are destroyed."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from app.audit import checkpoints, sealing
from app.audit.checkpoints import CheckpointSigner
from app.core.clock import Clock
from app.core.errors import StartError
from app.core.keys import fingerprint, load_keys, thumbprint
from app.ending import key_files
from app.ending.opening import Ending, Say
from app.ending.tables import DESTROYED, EMPTIED, KEPT

LOCK_SECONDS: Final = 120  # in which those who still write have to come to their end


def close_tables(ending: Ending, say: Say) -> None:
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


def count_rows(connection: Connection) -> dict[str, dict[str, int]]:
    return {
        kind: {name: connection.scalar(text(f"select count(*) from {name}")) or 0 for name in names}  # noqa: S608 - ours
        for kind, names in DESTROYED.items()
    }


# which looks at a sequence that goes with its table: an ended database begins no generation
_NO_GENERATION: Final = "create or replace function is_known_database() returns boolean language sql as 'select true'"


def destroy_rows(ending: Ending, say: Say) -> None:
    """Destroy the rows of all classes at once, but for the hashes of the chain, and record their numbers with it."""
    with ending.engine.connect() as connection:
        rows = count_rows(connection)
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
