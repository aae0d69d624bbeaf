"""Putting a backup back: read into a new database, which takes the name of the old one under a new generation.

The old database is closed first, so that no change is acknowledged that is then lost, and kept under another name, so
that what was lost can be read there. When anything fails it is opened again as it was.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql
from psycopg.errors import ObjectInUse, UndefinedColumn, UndefinedTable
from sqlalchemy import NullPool, create_engine

from app.backup import trust_lists
from app.backup.losses import Losses, Newest, find_losses, find_newest, holds_data
from app.backup.tools import connect, database_name, find_tool, run_tool, with_database
from app.core.errors import StartError
from app.installation import begin_generation
from app.migrations.runner import migrate

_Admin = Connection[tuple[Any, ...]]

_MAINTENANCE = "postgres"
_CLOSING_SECONDS = 30
_MAY_CREATE = "select rolcreatedb or rolsuper from pg_roles where rolname = current_user"
_EXISTS = "select count(*) from pg_database where datname = %s"
_HALF_READ = "select datname from pg_database where starts_with(datname, %s)"
_ENDED = "select ended_at is not null from installation"
_STAMP = "select to_char(clock_timestamp() at time zone 'utc', 'YYYYMMDDHH24MISS')"
_END = "select pg_terminate_backend(pid) from pg_stat_activity where datname = any(%s) and pid <> pg_backend_pid()"


class Target(NamedTuple):
    """The database that the settings name: whether it exists, and whether anybody would miss it."""

    name: str
    exists: bool
    holds_data: bool


class Restored(NamedTuple):
    """What was done: seconds for all of it, the name of the old database if it was kept, and what is lost."""

    seconds: float
    kept_as: str | None
    losses: Losses


def inspect(url: str) -> Target:
    """Return what is in the place of the backup. Raises StartError, OperationalError."""
    name = database_name(url)
    with _maintenance(url) as admin:
        if admin.execute(_MAY_CREATE).fetchone() != (True,):
            raise StartError("The user of database.url may not create databases; restore as one who may.")
        if admin.execute(_EXISTS, [name]).fetchone() == (0,):
            return Target(name, exists=False, holds_data=False)
        _allow_connections(admin, name, True)  # a restore that was killed had closed it
    with connect(url) as connection:
        if _is_ended(connection):
            raise StartError("The service is ended, and no backup takes its place; read `jixiang service status`.")
        return Target(name, exists=True, holds_data=holds_data(connection))


def _is_ended(connection: _Admin) -> bool:
    """Return whether the database is that of a service that is ended; an older one knows nothing of it."""
    try:
        return connection.execute(_ENDED).fetchone() == (True,)
    except (UndefinedTable, UndefinedColumn):
        connection.rollback()
        return False


def put_back(url: str, target: Target, file: Path, jobs: int, tools: Path | None = None) -> Restored:
    """Put a dump in the place of the target, and begin a new generation. Raises StartError, OperationalError.

    `jobs` tables are read at a time.
    """
    start = time.monotonic()
    with _maintenance(url) as admin:
        stamp = (admin.execute(_STAMP).fetchone() or ("",))[0]
        fresh, old = f"{target.name}_restored_{stamp}", f"{target.name}_replaced_{stamp}"
        tool = find_tool("pg_restore", tools, admin.info.server_version)
        _drop_half_read(admin, target.name)
        newer_lists = _read_lists(url, target)
        with _closed(admin, target, fresh):
            _run(admin, "create database {} template template0 encoding 'UTF8'", fresh)
            newest = _fill(with_database(url, fresh), tool, file, jobs)
            with connect(with_database(url, fresh)) as connection:
                trust_lists.carry(newer_lists, connection)
            _swap(admin, target, fresh, old)
        losses = _look_back(admin, with_database(url, old), newest, target)
    return Restored(time.monotonic() - start, old if target.holds_data else None, losses)


def _read_lists(url: str, target: Target) -> Sequence[tuple[Any, ...]]:
    """Return the trust lists of the old database; of one that cannot be read any more none, so import the newest."""
    if not target.holds_data:
        return []
    with suppress(psycopg.Error), connect(url) as connection:
        return trust_lists.read_lists(connection)
    return []


def _drop_half_read(admin: _Admin, name: str) -> None:
    """Drop what killed restores have left; a database in which one is reading now stays."""
    for (left,) in admin.execute(_HALF_READ, [f"{name}_restored_"]).fetchall():
        with suppress(ObjectInUse):
            _run(admin, "drop database {}", left)


def _fill(url: str, tool: str, file: Path, jobs: int) -> Newest:
    """Read the dump into a new database, up to the newest schema and under a new generation."""
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--no-password", f"--jobs={jobs}"]
    run_tool([tool, *options, f"--dbname={database_name(url)}", str(file)], url)
    migrate(url)
    with connect(url) as connection:
        newest = find_newest(connection)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as beginning:
        begin_generation(beginning, forced=True)
    return newest


def _swap(admin: _Admin, target: Target, fresh: str, old: str) -> None:
    """Give the new database the name of the old one, both or neither."""
    _end_connections(admin, [target.name, fresh])
    with admin.transaction():
        if target.exists:
            _run(admin, "alter database {} rename to {}", target.name, old)
        _run(admin, "alter database {} rename to {}", fresh, target.name)


def _look_back(admin: _Admin, url: str, newest: Newest, target: Target) -> Losses:
    """Return what is lost; an old database that held nothing is dropped."""
    old = database_name(url)
    if not target.holds_data:
        if target.exists:
            _run(admin, "drop database {}", old)
        return Losses(newest.evidence, None, None)
    _allow_connections(admin, old, True)
    with connect(url) as connection:
        return find_losses(connection, newest)


@contextmanager
def _maintenance(url: str) -> Iterator[_Admin]:
    """A connection beside the database, on which every statement is a transaction."""
    try:
        with connect(with_database(url, _MAINTENANCE), autocommit=True) as admin:
            yield admin
    except psycopg.OperationalError as error:
        raise StartError(f"The server cannot be used; check database.url: {_first_line(error)}") from None
    except psycopg.Error as error:
        raise StartError(f"The server refused; correct what it names and restore again: {_first_line(error)}") from None


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def _closed(admin: _Admin, target: Target, fresh: str) -> Iterator[None]:
    """Keep everybody out of the target; when the block fails, drop the new database and open the target again."""
    try:
        if target.exists:
            _allow_connections(admin, target.name, False)
            _end_connections(admin, [target.name])
        yield
    except BaseException:
        with suppress(psycopg.Error):
            _run(admin, "drop database if exists {}", fresh)
        with suppress(psycopg.Error):
            if target.exists:
                _allow_connections(admin, target.name, True)
        raise


def _allow_connections(admin: _Admin, name: str, allowed: bool) -> None:
    _run(admin, f"alter database {{}} with allow_connections {str(allowed).lower()}", name)


def _end_connections(admin: _Admin, names: Sequence[str]) -> None:
    end = time.monotonic() + _CLOSING_SECONDS
    while admin.execute(_END, [list(names)]).fetchall():
        if time.monotonic() > end:
            raise StartError("Connections to the database cannot be ended; stop the web processes and workers.")
        time.sleep(0.05)


def _run(admin: _Admin, statement: str, *names: str) -> None:
    admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
