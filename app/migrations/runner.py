"""The schema: all tables, and migrating a database to the newest revision."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

import app.appeals.models
import app.audit
import app.audit.checkpoints
import app.citizens.models
import app.codes.models
import app.core.installation
import app.entries.models
import app.staff.models
import app.stations.models
import app.statistics.models
import app.wechat.callbacks.models
import app.wechat.models  # noqa: F401
from app.core.db import Base

_SCRIPTS = Path(__file__).parent


def _config(url: str = "") -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def tables() -> MetaData:
    """Return every table of the system, except those of the job queue."""
    return Base.metadata


def migrate(url: str, revision: str = "head") -> None:
    """Run every migration that is missing in the database, up to a revision; each in one transaction."""
    command.upgrade(_config(url), revision)


@cache
def known_revisions() -> frozenset[str]:
    """Return every revision that this code knows, released ones and the newest."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


@cache
def newest_revision() -> str | None:
    """Return the revision that this code expects."""
    return ScriptDirectory.from_config(_config()).get_current_head()
