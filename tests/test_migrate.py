"""The schema: what migrations make is what the tables say."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from app.audit import Actor, enter
from app.migrate import migrate, tables
from app.services import Services


def test_the_migrations_make_exactly_the_tables_of_the_code(services: Services) -> None:
    ours = set(tables().tables)
    with services.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or name in ours,
            },
        )
        assert compare_metadata(context, tables()) == []


def test_migrating_again_changes_nothing(services: Services) -> None:
    migrate(services.settings.database.url)
    test_the_migrations_make_exactly_the_tables_of_the_code(services)


def test_two_servers_that_start_at_once_migrate_once(services: Services) -> None:
    url = services.engine.url
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("drop database if exists both_at_once"))
        connection.execute(text("create database both_at_once"))
    fresh = url.set(database="both_at_once").render_as_string(hide_password=False)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(migrate, [fresh, fresh]))
    with admin.connect() as connection:
        connection.execute(text("drop database both_at_once"))
    admin.dispose()


@pytest.mark.parametrize("statement", ["update audit set action = 'nothing'", "delete from audit"])
def test_the_audit_can_be_added_to_and_not_changed(services: Services, statement: str) -> None:
    with services.begin() as session:
        enter(session, Actor("operator"), "tested", services.clock.now())
    with pytest.raises(DBAPIError, match="append only"), services.engine.begin() as connection:
        connection.execute(text(statement))
