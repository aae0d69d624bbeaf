"""What a restore loses: the audit events of the old database that the backup does not have, by action.

Every action appends one in its own transaction, so their numbers say what has to be done again. They are compared by
id, not by time, because clocks differ.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, sql

from app.backup.erasures import find_removals
from app.backup.repetition.removals import Removal

# what a database has before anybody used it
_OF_NOBODY = ("alembic_version", "installation", "cache_doubts", "cache_parts", "policies")
_TABLES = """
    select schemaname, tablename from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') and tablename not like 'procrastinate%%'
    and tablename <> all(%s)
"""
_NEWEST = "select (select max(id) from audit), (select max(recorded_at) from evidence)"
_SINCE = "select action, count(*) from audit where id > %s group by action order by action"


class Newest(NamedTuple):
    """The last audit event of a backup, and the moment of its last evidence, by the clock of the system."""

    event: int
    evidence: datetime | None


class Losses(NamedTuple):
    """The moment of the last evidence that is there, how often each action is lost, and the removals among these.

    None when nobody knows.
    """

    newest_evidence: datetime | None
    actions: Mapping[str, int] | None
    removals: Sequence[Removal] | None


def holds_data(connection: Connection[tuple[Any, ...]]) -> bool:
    """Return whether anybody has used the database."""
    names = connection.execute(_TABLES, [list(_OF_NOBODY)]).fetchall()
    exists = sql.SQL("select exists (select from {})")
    return any(connection.execute(exists.format(sql.Identifier(*name))).fetchone() == (True,) for name in names)


def find_newest(connection: Connection[tuple[Any, ...]]) -> Newest:
    """Return how far a backup goes."""
    event, evidence = connection.execute(_NEWEST).fetchone() or (None, None)
    return Newest(event or 0, evidence)


def find_losses(connection: Connection[tuple[Any, ...]], newest: Newest) -> Losses:
    """Return what the old database has beyond the backup; one that nobody can read any more shows nothing."""
    try:
        rows = connection.execute(_SINCE, [newest.event]).fetchall()
        return Losses(newest.evidence, dict(rows), find_removals(connection, newest.event))
    except psycopg.Error:
        return Losses(newest.evidence, None, None)
