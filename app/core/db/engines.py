"""Engines and sessions of the database, and how long they wait for it.

PostgreSQL only. Functions take a session and never commit; the caller at the edge owns the transaction
(`Services.begin`).
"""

from functools import partial
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session, sessionmaker

from app.core.settings.database_url import own_arguments

STATEMENT_SECONDS = 10
_GRACE_SECONDS = 2  # a responsive database cancels a statement itself, and needs a moment to report it
_CONNECT_SECONDS = 3

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


def make_session_factory(engine: Engine, **info: Any) -> sessionmaker[Session]:
    """Return a factory of sessions whose objects stay readable after the commit, with something in their `info`."""
    return sessionmaker(engine, expire_on_commit=False, info=info)
