"""The schema that this release expects, and that of a database: without Alembic, which a web process need not load."""

from collections.abc import Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, inspect, text

import app.appeals.models
import app.audit
import app.audit.checkpoints
import app.audit.failed_logins
import app.citizens.models
import app.codes.models
import app.ending.tables
import app.entries.models
import app.families.models
import app.follow_ups.models
import app.installation
import app.staff.models
import app.stations.models
import app.statistics.models
import app.trust.models
import app.venues.models
import app.wechat.callbacks.models
import app.wechat.models  # noqa: F401
from app.core.db import Base

_VERSIONS = Path(__file__).with_name("versions")


def tables() -> MetaData:
    """Return every table of the system, except those of the job queue."""
    return Base.metadata


class Schema(Enum):
    """The schema of a database, as this release sees it."""

    CURRENT = "current"
    OLDER = "older"  # or none at all
    NEWER = "newer"  # than this release, which can work on it
    FOREIGN = "foreign"  # newer, and without something that this release needs


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database; None for one without tables."""
    if connection.scalar(text("select to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("select version_num from alembic_version"))
    return revision


def newest_revision() -> str | None:
    """Return the revision that this code expects."""
    return next(iter(known_revisions()), None)


@cache
def known_revisions() -> Sequence[str]:
    """Return every revision that this code has, the newest first: the names of its files begin with them."""
    return sorted((file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*_*.py")), reverse=True)


def compare_schema(connection: Connection) -> Schema:
    """Compare a database with this release. One with an unknown revision is newer: released ones are never removed."""
    found = current_revision(connection)
    if found == newest_revision():
        return Schema.CURRENT
    if found is None or found in known_revisions():
        return Schema.OLDER
    return Schema.NEWER if _fits(connection) else Schema.FOREIGN


def _fits(connection: Connection) -> bool:
    """Return whether this release finds every column that it knows, and may leave out every other one."""
    there = inspect(connection).get_multi_columns()
    for name, table in tables().tables.items():
        columns = {column["name"]: column for column in there.get((None, name), [])}
        if not set(table.columns.keys()) <= columns.keys():
            return False
        if any(_must_be_given(column) for known, column in columns.items() if known not in table.columns):
            return False
    return True


def _must_be_given(column: Any) -> bool:
    """Return whether a row cannot be written without a value for this column."""
    return not (column["nullable"] or column["default"] or column.get("identity") or column.get("computed"))
