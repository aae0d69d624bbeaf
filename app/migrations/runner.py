"""Migrating a database to the newest revision."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url

from app.core.errors import StartError
from app.core.settings.database_url import own_arguments
from app.migrations.schema import current_revision, known_revisions

_SCRIPTS = Path(__file__).parent


def _config(url: str = "") -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["url"] = url
    return config


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
