"""The schema: all tables, and migrating a database to the newest revision."""

from collections.abc import Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, inspect, make_url

import app.appeals.models
import app.audit
import app.audit.checkpoints
import app.audit.failed_logins
import app.citizens.models
import app.codes.models
import app.ending.tables
import app.entries.models
import app.families.models
import app.installation
import app.staff.models
import app.stations.models
import app.statistics.models
import app.wechat.callbacks.models
import app.wechat.models  # noqa: F401
from app.core.db import Base
from app.core.errors import StartError
from app.core.settings.database_url import own_arguments

_SCRIPTS = Path(__file__).parent


def _config(url: str = "") -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def tables() -> MetaData:
    """Return every table of the system, except those of the job queue."""
    return Base.metadata


class Schema(Enum):
    """The schema of a database, as this release sees it."""

    CURRENT = "current"
    OLDER = "older"  # or none at all
    NEWER = "newer"  # than this release, which can work on it
    FOREIGN = "foreign"  # newer, and without something that this release needs


def migrate(url: str, revision: str = "head") -> None:
    """Run every migration that is missing in the database, up to a revision; each in one transaction.

    Raises StartError when the database is newer than this release.
    """
    engine = create_engine(url, connect_args=own_arguments(make_url(url).query))
    try:
        with engine.connect() as connection:
            found = current_revision(connection)
    finally:
        engine.dispose()
    if found is not None and found not in known_revisions():
        raise StartError(
            f"The database has schema {found}, which this release does not know: it is newer. Nothing was changed. "
            "Migrate with the newest release that is installed anywhere, or restore a backup to go back."
        )
    command.upgrade(_config(url), revision)


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database; None for one without tables."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """Return the revision that this code expects."""
    return next(iter(known_revisions()), None)


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


@cache
def known_revisions() -> Sequence[str]:
    """Return every revision that this code has, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
