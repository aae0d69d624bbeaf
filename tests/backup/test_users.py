"""Backup and restore by a user who is no superuser, as in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import make_url

from app.migrations.runner import migrate
from devstack.embedded import start_postgres
from tests.support.installations import Installation, Town, accepted, reset_sandboxes
from tests.support.settings import make_settings
from tests.support.valkey import BreakableValkey

pytestmark = pytest.mark.slow


@contextmanager
def server_with_user(directory: Path, rights: str) -> Iterator[str]:
    """A server with the database of a plain user who has these rights; yields the URL as that user."""
    with start_postgres(directory, durable=False) as postgres:
        admin = make_url(postgres.url)
        with psycopg.connect(host=str(admin.query["host"]), user="postgres", dbname="postgres", autocommit=True) as one:
            one.execute(f"create role plain login {rights}")  # type: ignore[arg-type]
            one.execute("create database jixiang owner plain")
        yield admin.set(username="plain", database="jixiang").render_as_string(hide_password=False)


@pytest.fixture
def plain(request: pytest.FixtureRequest) -> Iterator[str]:
    with TemporaryDirectory(prefix="jixiang-pg-") as place, server_with_user(Path(place), request.param) as url:
        migrate(url)
        yield url


@pytest.fixture
def installation(plain: str, tmp_path: Path, wechat_url: str, platform_url: str) -> Iterator[Installation]:
    reset_sandboxes(wechat_url, platform_url)
    valkey = BreakableValkey(tmp_path / "valkey")
    settings = make_settings(tmp_path, database=plain, redis=valkey.url, wechat=wechat_url, platform=platform_url)
    made = Installation(tmp_path, settings, valkey)
    yield made
    for services in made.running:
        services.close()
    valkey.crash()


@pytest.mark.parametrize("plain", ["createdb"], indirect=True)
def test_the_owner_of_the_database_restores_it(installation: Installation, town: Town) -> None:
    dump = installation.backup()
    phone = town.phones("示例", 1)[0].become_green()
    installation.restore(dump)
    assert accepted([phone]) == 0
    assert town.phones("新来", 1)[0].register().status_code == 201


@pytest.mark.parametrize("plain", ["nocreatedb"], indirect=True)
def test_a_user_who_may_not_create_databases_is_refused_before_anything_is_closed(
    installation: Installation, town: Town
) -> None:
    phone = town.phones("示例", 1)[0].become_green()
    done = installation.run("restore", str(installation.backup()), "--replace", "--yes")
    assert done.exit_code == 1
    assert "may not create databases" in done.output
    assert phone.color() == "GREEN"
