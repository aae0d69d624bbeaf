"""An installation of 0.1.0 with its data, its keys and its configuration, upgraded to the code that is tested.

The clock goes on from the moment at which the old one was stopped. Each test has a database of its own.
"""

import gzip
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from redis import Redis
from sqlalchemy import create_engine, make_url, text

from app import create_app
from app.cli import main
from app.core.settings import Settings, load_settings
from app.runtime import make_services
from tests.compatibility.installation import EXPECTED, HERE, OLD_ENVIRONMENT, STOPPED, Installation, WeChat


@pytest.fixture
def wechat() -> Iterator[WeChat]:
    server = WeChat()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def old_database(database_url: str) -> Iterator[str]:
    """The database of 0.1.0, restored; each test upgrades a copy of it."""
    name = f"jixiang_0_1_0_{os.getpid()}"
    _on_server(database_url, f'create database "{name}"')
    url = make_url(database_url).set(database=name).render_as_string(hide_password=False)
    script = gzip.decompress((HERE / "installation-0.1.0.sql.gz").read_bytes())
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        connection.execute(script)
    yield url
    _on_server(database_url, f'drop database "{name}" with (force)')


@pytest.fixture
def copy_of_database(database_url: str, old_database: str) -> Iterator[str]:
    old = make_url(old_database)
    name = f"{old.database}_copy"
    _on_server(database_url, f'create database "{name}" template "{old.database}"')
    yield old.set(database=name).render_as_string(hide_password=False)
    _on_server(database_url, f'drop database "{name}" with (force)')


def _on_server(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def directory(tmp_path: Path, settings: Settings) -> Path:
    """Where the old installation runs: its configuration, keys and secrets, with the modes that git does not keep."""
    shutil.copy(HERE / "config-0.1.0.toml", tmp_path / "config.toml")
    shutil.copytree(HERE / "keys-0.1.0", tmp_path / "keys")
    (tmp_path / "keys").chmod(0o700)
    secret = settings.platform.secret_file
    assert secret is not None
    secrets = {"wechat": "not-a-real-secret", "wechat-token": "jixiangtoken", "wechat-aes-key": "kEy" * 14 + "0"}
    (tmp_path / "secrets").mkdir()
    for name, content in {**secrets, "platform": secret.read_text()}.items():
        (tmp_path / "secrets" / name).write_text(content)
    for file in (*(tmp_path / "keys").iterdir(), *(tmp_path / "secrets").iterdir()):
        file.chmod(0o600)
    seconds = int((STOPPED - datetime.now(UTC)).total_seconds()) + 1
    (tmp_path / "clock").write_text(str(seconds))
    return tmp_path


@pytest.fixture
def environment(
    directory: Path,
    copy_of_database: str,
    redis_url: str,
    settings: Settings,
    wechat: WeChat,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The old configuration in the old environment; only addresses are those of this machine."""
    monkeypatch.chdir(directory)
    here = {
        "JIXIANG_CONFIG": str(directory / "config.toml"),
        "JIXIANG_ENVIRONMENT": "test",
        "JIXIANG_CLOCK__FILE": str(directory / "clock"),
        "JIXIANG_DATABASE__URL": copy_of_database,
        "JIXIANG_REDIS__URL": f"{redis_url}?db=5",
        "JIXIANG_WECHAT__API_BASE": f"http://127.0.0.1:{wechat.server_port}",
        "JIXIANG_PLATFORM__BASE_URL": settings.platform.base_url,
        "JIXIANG_PLATFORM__APP_KEY": settings.platform.app_key,
    }
    for name, value in {**OLD_ENVIRONMENT, **here}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def start(directory: Path, copy_of_database: str, environment: None, wechat: WeChat) -> Iterator[Callable[[], Any]]:
    """Upgrades as `docs/how-to/operations.md` says: migrate, then start. The cache is empty, as after a move."""
    opened = []

    def upgraded() -> Installation:
        migrated = CliRunner().invoke(main, ["db", "migrate"])
        assert migrated.exit_code == 0, migrated.output
        services = make_services(load_settings())
        opened.append(services)
        client = create_app(services).test_client()
        return Installation(directory, copy_of_database, EXPECTED, wechat.messages, client)

    with Redis.from_url(os.environ["JIXIANG_REDIS__URL"]) as redis:
        redis.flushdb()
        yield upgraded
        redis.flushdb()
    for services in opened:
        services.close()


@pytest.fixture
def installation(start: Callable[[], Installation]) -> Installation:
    return start()
