"""A PostgreSQL of its own with a standby, which is promoted when the first one is lost."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
from sqlalchemy import make_url

from devstack.embedded import start_postgres
from tests.support.installations import TOOLS
from tests.support.waiting import wait_until

_BEHIND = "the servers do not follow"


@dataclass
class Pair:
    """A primary and its standby, each in a directory that is also that of its socket."""

    url: str
    primary: Path
    standby: Path

    def both(self) -> str:
        """The address of whichever takes writes."""
        return address_of_both(self.url, self.primary, self.standby)

    def on_standby(self, statement: str) -> object:
        return ask(self.standby, statement)

    def caught_up(self) -> None:
        """Wait until the standby has everything that the primary has."""
        end = ask(self.primary, "select pg_current_wal_lsn()::text")
        wait_until(lambda: self.on_standby(f"select pg_last_wal_replay_lsn() >= '{end}'::pg_lsn"), _BEHIND)

    def cut(self) -> None:
        """The standby gets nothing more from here on."""
        self.on_standby("alter system set primary_conninfo = ''")
        self.on_standby("select pg_reload_conf()")
        wait_until(lambda: self.on_standby("select count(*) = 0 from pg_stat_wal_receiver"), _BEHIND)

    def lose_primary(self) -> None:
        lose(self.primary)

    def promote(self) -> None:
        assert self.on_standby("select pg_promote()") is True


@contextmanager
def primary_and_standby(below: Path | None = None) -> Iterator[Pair]:
    """Both running, in a new directory, below another one if it is given; at the end both are stopped."""
    with TemporaryDirectory(prefix="jixiang-pair-", dir=below) as place:
        directory = Path(place)
        directory.chmod(0o755)
        with start_postgres(directory / "primary") as postgres:
            url = postgres.database("jixiang")
            standby = directory / "standby"
            primary = Path(str(make_url(url).query["host"]))
            copy_server(primary, standby, "-R")
            options = f"-k {standby} -c listen_addresses= -c hot_standby_feedback=on"
            as_server("pg_ctl", "-D", standby, "-w", "-l", standby / "log", "-o", options, "start")
            try:
                yield Pair(url, primary, standby)
            finally:
                as_server("pg_ctl", "-D", standby, "-w", "-m", "immediate", "stop")


def address_of(url: str, server: Path) -> str:
    """The address of one server, of which the other is a copy."""
    return _with(url, {"host": str(server), "port": "5432"})


def address_of_both(url: str, first: Path, second: Path) -> str:
    """The address of whichever of two servers takes writes."""
    return _with(url, {"host": f"{first},{second}", "target_session_attrs": "read-write", "port": "5432,5432"})


def _with(url: str, query: dict[str, str]) -> str:
    return make_url(url).set(host=None).set(query=query).render_as_string(hide_password=False)


def lose(server: Path) -> None:
    """End a server at once; nothing of it is written any more."""
    pid = int((server / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    wait_until(lambda: not _alive(pid), _BEHIND)  # its file is gone a moment before it is


def copy_server(source: Path, target: Path, *options: str) -> None:
    """Make a base backup, which the server's own user may start."""
    target.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(target, "pgserver", "pgserver")
    as_server("pg_basebackup", "-h", source, "-U", "postgres", "-D", target, "-c", "fast", *options)
    (target / ".s.PGSQL.5432.lock").unlink(missing_ok=True)  # of the source, whose socket is in what was copied


def as_server(tool: str, *words: object) -> None:
    user = "pgserver" if os.geteuid() == 0 else None
    subprocess.run([TOOLS / tool, *map(str, words)], check=True, user=user, stdout=subprocess.DEVNULL, timeout=60)


def ask(directory: Path, statement: str) -> object:
    with psycopg.connect(host=str(directory), user="postgres", dbname="jixiang", autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def _alive(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False
