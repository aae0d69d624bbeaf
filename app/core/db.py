"""The database: engine, session factory and the base class of all tables.

PostgreSQL only. Functions take a session and never commit; the caller at the edge owns the transaction
(`Services.begin`).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Engine,
    MetaData,
    Row,
    any_,
    cast,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, sessionmaker
from sqlalchemy.types import TypeDecorator


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

# For a machine that disappears silently; a Unix socket ignores these.
_TCP = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


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
    wait_seconds: float | None, dialect: Dialect, record: Any, arguments: Any, options: Any
) -> TimeoutConnection:
    connection = TimeoutConnection.connect(*arguments, **options)
    connection.wait_seconds = wait_seconds
    return connection


def make_engine(url: str, pool_size: int, statement_seconds: int = STATEMENT_SECONDS) -> Engine:
    """Return an engine whose connections are tested before use, so that a restart of the database is no error.

    A statement longer than `statement_seconds`, or a database that does not respond, is an OperationalError. Long work
    is split into short statements; migrations and the job queue have connections of their own, without limit.
    A statement_timeout in the `options` of the URL replaces these limits.
    """
    options, wait_seconds = _limits(url, statement_seconds)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=5,
        hide_parameters=True,  # an error must not contain the values that were to be stored
        connect_args={"connect_timeout": 3, "application_name": "jixiang", "options": options, **_TCP},
    )
    event.listen(engine, "do_connect", partial(_connect, wait_seconds))
    return engine


def psycopg_arguments(url: str) -> dict[str, Any]:
    """Return what psycopg takes for a URL, for a connection beside the engine."""
    made = make_url(url)
    dialect = made.get_dialect()()
    return dict(dialect.create_connect_args(made)[1])


def _limits(url: str, statement_seconds: int) -> tuple[str, float | None]:
    """Return the options of a connection, with a statement_timeout, and how long it waits for an answer."""
    options = str(make_url(url).query.get("options", ""))
    if "statement_timeout" in options:
        return options, None
    return f"{options} -c statement_timeout={statement_seconds}s", statement_seconds + _GRACE_SECONDS


def make_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions whose objects stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


def insert_rows(
    session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]], returning: Sequence[str] = ()
) -> Sequence[Row[Any]]:
    """Insert rows that have the same columns in one statement; return the columns `returning`, in any order.

    The rows are one JSON parameter, so that their number has no limit and errors are those of any statement.
    """
    if not rows:
        return []
    name, columns = table.__tablename__, ", ".join(rows[0])
    source = f"select {columns} from json_populate_recordset(null::{name}, cast(:rows as json))"  # noqa: S608 - our own names
    back = f" returning {', '.join(returning)}" if returning else ""
    statement = text(f"insert into {name} ({columns}) {source}{back}")
    result = session.execute(statement, {"rows": to_json(rows)})
    return result.all() if returning else []


def among(column: InstrumentedAttribute[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values: one parameter, however many they are."""
    return column == any_(cast(list(values), ARRAY(column.type)))


def to_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as JSON for `json_populate_recordset`, by the names of columns."""
    return json.dumps(rows, default=_plain)


def _plain(value: Any) -> str:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
