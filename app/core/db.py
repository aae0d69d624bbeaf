"""The database: engine, session factory and the base class of all tables.

PostgreSQL only. Functions take a session and never commit; the caller at the edge owns the transaction
(`Services.begin`).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, ClassVar

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping, TransactionStatus
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    any_,
    cast,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

from app.core.errors import ConfigError
from app.core.json_text import make_encoder
from app.core.settings.database_url import PREPARE, connect_arguments, own_arguments


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: aware when stored, UTC when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of all tables; constraints have fixed names, so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime}


STATEMENT_SECONDS = 10
_GRACE_SECONDS = 2  # a responsive database cancels a statement itself, and needs a moment to report it
_CONNECT_SECONDS = 3
_PROBES = 3

# What the address does not say. Keepalives are for a machine that disappears silently; a Unix socket ignores them.
CONNECT_DEFAULTS = {
    "connect_timeout": _CONNECT_SECONDS,
    "application_name": "jixiang",
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


IDLE_SECONDS = 60  # in a transaction: a process that was paused there keeps the locks of others no longer
_SET_LIMITS = (
    "select set_config('statement_timeout', %s, false), set_config('idle_in_transaction_session_timeout', %s, false)"
)


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that is closed when the database does not answer at all, so that nothing waits for it for ever."""

    wait_seconds: float | None = STATEMENT_SECONDS + _GRACE_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait as psycopg does, at most `wait_seconds`, or without limit. Raises psycopg.OperationalError."""
        try:
            return super().wait(gen, interval, timeout or self.wait_seconds)
        except psycopg.OperationalError:
            if self.info.transaction_status is TransactionStatus.ACTIVE:  # nobody would read a late answer
                self.close()
            raise


def _connect(
    statement_seconds: int | None, dialect: Dialect, record: Any, arguments: Any, options: Any
) -> TimeoutConnection:
    """Open a connection, then set the limit: at the start, PgBouncer refuses `options` or drops them."""
    connection = TimeoutConnection.connect(*arguments, **options)
    if statement_seconds is None:
        connection.wait_seconds = None
        return connection
    connection.wait_seconds = _CONNECT_SECONDS
    connection.execute(_SET_LIMITS, (f"{statement_seconds}s", f"{IDLE_SECONDS}s"), prepare=False)
    connection.commit()
    connection.wait_seconds = statement_seconds + _GRACE_SECONDS
    return connection


def make_engine(url: str, pool_size: int, statement_seconds: int = STATEMENT_SECONDS) -> Engine:
    """Return an engine whose connections are tested before use, so that a restart of the database is no error.

    A statement longer than `statement_seconds`, or a database that does not respond, is an OperationalError. Long work
    is split into short statements; migrations and the job queue have connections of their own, without limit.
    A statement_timeout in the `options` of the URL replaces these limits.
    """
    query = make_url(url).query
    limit = None if "statement_timeout" in str(query.get("options", "")) else statement_seconds
    defaults = {name: value for name, value in CONNECT_DEFAULTS.items() if name not in query}
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=5,
        hide_parameters=True,  # an error must not contain the values that were to be stored
        connect_args={**defaults, **own_arguments(query)},
    )
    event.listen(engine, "do_connect", partial(_connect, limit))
    return engine


def check_usable(engine: Engine) -> None:
    """Raise ConfigError for a database behind a pooler that gives each transaction another session.

    A prepared statement, a limit and a lock belong to a session, and jobs are announced to one. Raises OperationalError
    when it does not answer.
    """
    with suppress(ProgrammingError), engine.connect() as pooled:  # a prepared statement is not there, or twice
        connection = pooled.connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        if connection.info.backend_pid == _backend(connection):
            return
    arguments = {**CONNECT_DEFAULTS, **connect_arguments(engine.url), PREPARE: None}
    try:
        with psycopg.connect(**arguments) as first, psycopg.connect(**arguments) as second:
            shared = any(_share_session(first, second) for _ in range(_PROBES))
    except psycopg.OperationalError as error:
        raise OperationalError(None, None, error) from None
    if shared:
        raise ConfigError("behind a pooler in transaction mode, which is not supported: use session pooling")


def check_same(engine: Engine, listening: Engine) -> None:
    """Raise ConfigError for a second address that cannot be used, or that leads to another database.

    Raises OperationalError when one of the two does not answer.
    """
    check_usable(listening)
    with engine.connect() as one, listening.connect() as other:
        if one.execute(_WHICH).one() != other.execute(_WHICH).one():
            raise ConfigError("leads to another database than database.url: name the same one")


_WHICH = text("select (select system_identifier from pg_control_system()), current_database()")


def explain_refusal(url: str) -> str | None:
    """Return the server's reason when it answers and refuses us; None when it lets us in or is out of reach.

    PostgreSQL's code of a refused connection does not reach psycopg, so a missing database shows in words alone.
    """
    arguments = {**CONNECT_DEFAULTS, **connect_arguments(url)}
    arguments.pop(PREPARE, None)
    try:
        psycopg.connect(**arguments).close()
    except psycopg.OperationalError as error:
        answered = PGconn.ping(make_conninfo(**arguments).encode()) == Ping.OK  # an int where psycopg is compiled
        return str(error).rpartition("failed: ")[2].splitlines()[0] if answered else None
    return None


def _share_session(first: psycopg.Connection[Any], second: psycopg.Connection[Any]) -> bool:
    """Return whether a transaction of the second is in the session where the first was, or takes it from the first."""
    before = _backend(first)
    first.commit()
    during = _backend(second)
    after = _backend(first)
    first.commit()
    second.commit()
    return during == before or after != before


def _backend(connection: psycopg.Connection[Any]) -> int:
    """Return the process of PostgreSQL that answers; a pooler gives each client another number at the start."""
    row = connection.execute("select pg_backend_pid()", prepare=False).fetchone()
    return int(row[0]) if row else 0


def make_session_factory(engine: Engine, **info: Any) -> sessionmaker[Session]:
    """Return a factory of sessions whose objects stay readable after the commit, with something in their `info`."""
    return sessionmaker(engine, expire_on_commit=False, info=info)


def insert_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns, one or any number, by COPY. Ids that others refer to are drawn before."""
    if not rows:
        return
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    into = f"copy {table.__tablename__} ({', '.join(rows[0])}) from stdin"
    spelled = [_spell(type(table.__table__.columns[name].type), [row[name] for row in rows]) for name in rows[0]]
    lines = "\n".join(map("\t".join, zip(*spelled, strict=True)))
    with _errors_of_the_session(connection), driver.cursor() as cursor, cursor.copy(into.encode()) as copy:
        copy.write(lines)


def _spell(type_: type, values: Sequence[Any]) -> list[str]:
    """Return the values of a column as COPY reads them."""
    form = _FORMS.get(type_, str)
    words = [None if value is None else form(value) for value in values]
    if type_ not in _PLAIN and _SPECIAL.search("".join(filter(None, words))):
        words = [word and word.translate(_ESCAPES) for word in words]
    return [_NULL if word is None else word for word in words]


@contextmanager
def _errors_of_the_session(connection: Connection) -> Iterator[None]:
    """Raise what psycopg raises as the session does, but without values: COPY quotes the row that it was at."""
    try:
        yield
    except psycopg.Error as error:
        words = None if isinstance(error, psycopg.DataError) else error.diag.message_primary or str(error)
        plain = type(error)(words or "a value does not fit its column")
        if connection.connection.driver_connection.closed:  # type: ignore[union-attr]
            connection.invalidate(error)  # so that nobody asks it to roll back
        raise DBAPIError.instance(None, None, plain, psycopg.Error, hide_parameters=True) from None


def draw_ids(session: Session, column: InstrumentedAttribute[int], number: int) -> list[int]:
    """Draw ids for new rows from the sequence of their column, in ascending order: none that a lost history gave."""
    return list(session.scalars(_DRAW, {"table": column.class_.__tablename__, "column": column.key, "number": number}))


# A database that was put back moves its sequences before an id is drawn: at the insert it would be too late. The name
# of the sequence is looked up once: for each id it would take longer than the id.
_DRAW = text("""
    with known as materialized (select case when not is_known_database() then begin_generation(false) end),
    sequence as materialized (select cast(pg_get_serial_sequence(:table, :column) as regclass) as name)
    select nextval(name) from known, sequence, generate_series(1, :number)
""")


def among(column: InstrumentedAttribute[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values: one parameter, however many they are."""
    return column == any_(cast(list(values), ARRAY(column.type)))


def to_array(values: Iterable[Any]) -> str:
    """Return values as the text of a PostgreSQL array: in one piece, while psycopg adapts them one by one."""
    return "{" + ",".join(["null" if value is None else _quote(value) for value in values]) + "}"


def _quote(value: Any) -> str:
    if isinstance(value, datetime):
        value = _moment(value)
    elif isinstance(value, str) and ("\\" in value or '"' in value):
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


_moment = lru_cache(4_096)(str)  # the rows of a change have few moments
_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]")
_PLAIN = (UtcDateTime, BigInteger, Integer, SmallInteger)  # what has nothing to escape
# psycopg adapts these types in Python, each value at eight times the cost of a text
_FORMS: Mapping[type, Callable[[Any], str]] = {
    ARRAY: to_array,
    JSONB: make_encoder(),
    LargeBinary: lambda value: f"\\x{value.hex()}",
    UtcDateTime: _moment,
}
