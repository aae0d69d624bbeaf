"""Whether a database that answers can be used: it takes writes, without a pooler between transactions.

And both addresses lead to one database.
"""

from contextlib import suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.core.db.engines import CONNECT_DEFAULTS
from app.core.errors import ConfigError
from app.core.settings.database_url import PREPARE, connect_arguments

_PROBES = 3
_WHICH = text("select (select system_identifier from pg_control_system()), current_database()")


def check_usable(engine: Engine) -> None:
    """Raise ConfigError for a database that takes no writes, or is behind a pooler between transactions.

    A standby answers, as a recovery does that waits to be promoted, and so does a database without room that somebody
    has made read-only. Raises OperationalError when it does not answer.
    """
    _require_own_session(engine)
    with engine.connect() as connection:
        if connection.scalar(text("show transaction_read_only")) == "on":
            raise ConfigError("takes no writes: name the primary, or promote this one")


def _require_own_session(engine: Engine) -> None:
    """Raise ConfigError when each transaction is given another session.

    A prepared statement, a limit and a lock belong to a session, and jobs are announced to one.
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
