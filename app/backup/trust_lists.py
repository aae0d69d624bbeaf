"""Trust lists newer than a backup: they go on after a restore, because an older one makes revoked keys good again."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.errors import UndefinedTable

_Row = tuple[Any, ...]
_READ = "select version, imported_at, imported_by, content from trust_lists order by version"
_WRITE = """
    insert into trust_lists (version, imported_at, imported_by, content) select %s, %s, %s, %s
    where not exists (select from trust_lists where version >= %s)
"""


def read_lists(connection: Connection[_Row]) -> Sequence[_Row]:
    """Return the lists of a database, the oldest first; none of one that is older than they are."""
    try:
        return connection.execute(_READ).fetchall()
    except UndefinedTable:
        connection.rollback()
        return []


def carry(lists: Sequence[_Row], connection: Connection[_Row]) -> None:
    """Write the lists that are newer than those of the restored database."""
    for row in lists:
        connection.execute(_WRITE, [*row, row[0]])
