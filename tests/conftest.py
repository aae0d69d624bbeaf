"""What the tests stand on: a real PostgreSQL, a real Valkey, and both sandboxes as real servers.

Everybody here is invented. Time stands still until a test moves it.
"""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, make_url, text
from werkzeug.serving import make_server

from app import create_app
from app.core.keys import create_keys
from app.core.settings import Settings
from app.migrations.runner import migrate, tables
from app.platform.sandbox import create_sandbox as create_platform_sandbox
from app.runtime import Services, make_services
from app.wechat.sandbox import create_sandbox as create_wechat_sandbox
from app.worker.jobs import evaluate_due, make_worker_app
from tests.people import Phone, Station

START = datetime(2020, 3, 20, 4, 0, tzinfo=UTC)  # noon in Beijing
APPID, SECRET, APP_KEY = "wx0000000000000000", "not-a-real-secret", "demo-app"
TOKEN, AES_KEY = "jixiangtoken", "kEy" * 14 + "0"


class StandingClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += timedelta(**amount)

    def advance_to(self, text: str) -> None:
        """Move to a moment in Beijing time, such as 2020-04-03 00:00."""
        moment = datetime.fromisoformat(f"{text}+08:00")
        assert moment >= self.moment, "time only moves forward"
        self.moment = moment


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """An empty, migrated database: on the server of JIXIANG_TEST_DATABASE_URL, or on an embedded one."""
    given = os.environ.get("JIXIANG_TEST_DATABASE_URL")
    if given:
        url = make_url(given)
        name = f"{url.database}_test_{os.getpid()}"
        _on_server(given, f'create database "{name}"')
        try:
            fresh = url.set(database=name).render_as_string(hide_password=False)
            migrate(fresh)
            yield fresh
        finally:
            _on_server(given, f'drop database "{name}" with (force)')
        return
    from app.local.embedded import start_postgres

    # not in pytest's own directory, which another run closes to the server's user
    with TemporaryDirectory(prefix="jixiang-pg-") as place, start_postgres(Path(place), durable=False) as postgres:
        url_text = postgres.database("jixiang")
        migrate(url_text)
        yield url_text


def _on_server(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis or Valkey that the tests may empty."""
    given = os.environ.get("JIXIANG_TEST_REDIS_URL")
    if given:
        yield given
        return
    from app.local.embedded import start_valkey

    with start_valkey(tmp_path_factory.mktemp("valkey"), persistent=False) as valkey:
        yield valkey.url


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Flask], str]]:
    """Serves an application on a free port; returns its address."""
    servers = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def wechat_url(serve: Callable[[Flask], str]) -> str:
    return serve(create_wechat_sandbox(appid=APPID, secret=SECRET))


@pytest.fixture(scope="session")
def platform_url(serve: Callable[[Flask], str]) -> str:
    return serve(create_platform_sandbox(app_key=APP_KEY, secret=SECRET))


@pytest.fixture(scope="session")
def settings(
    tmp_path_factory: pytest.TempPathFactory,
    database_url: str,
    redis_url: str,
    wechat_url: str,
    platform_url: str,
) -> Settings:
    directory = tmp_path_factory.mktemp("settings")
    secret = _secret_file(directory / "secret", SECRET)
    callbacks = {
        "token_file": _secret_file(directory / "token", TOKEN),
        "aes_key_file": _secret_file(directory / "aes-key", AES_KEY),
    }
    create_keys(directory / "keys", START)
    return Settings(
        environment="test",
        database={"url": database_url},
        redis={"url": redis_url},
        keys={"directory": directory / "keys"},
        limits={
            "wechat_login": "1000 per minute",
            "login": "1000 per minute",
            "registration": "1000 per minute",
            "declaration": "1000 per minute",
            "login_per_account": "1000 per minute",
            "appeal": "1000 per minute",
        },
        wechat={
            "appid": APPID,
            "secret_file": secret,
            "api_base": wechat_url,
            "read_timeout_seconds": 1,
            "callbacks": callbacks,
        },
        platform={
            "base_url": platform_url,
            "app_key": APP_KEY,
            "secret_file": secret,
            "timeout_seconds": 1,
            "circuit_open_seconds": 1,
        },
    )


def _secret_file(path: Path, secret: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(secret)
    return path


@pytest.fixture(scope="session")
def all_services(settings: Settings) -> Iterator[Services]:
    built = make_services(settings, StandingClock())
    yield built
    built.close()


@pytest.fixture(scope="session")
def emptying(all_services: Services) -> str:
    """What empties every table that holds something, and begins every number anew.

    Most tests fill few of the tables, and to empty all of them takes several times as long. It goes past the triggers,
    for nobody else may empty the audit.
    """
    names = [*tables().tables, *(f"procrastinate_{name}" for name in ("jobs", "events", "periodic_defers", "workers"))]
    return f"""
        set local session_replication_role = replica;
        do $$
        declare name text; filled bool; every text[] := '{{}}';
        begin
            foreach name in array array{names} loop
                execute 'select exists (select from ' || name || ')' into filled;
                if filled then every := every || name; end if;
            end loop;
            if every <> '{{}}' then
                execute 'truncate ' || array_to_string(every, ', ') || ' restart identity cascade';
            end if;
            perform setval(sequencename::regclass, start_value, false) from pg_sequences
            where schemaname = 'public' and last_value is not null;
        end $$"""


@pytest.fixture
def services(all_services: Services, emptying: str, wechat_url: str, platform_url: str) -> Services:
    """The services, with nothing in any of the parts and the clock at its start."""
    import requests

    with all_services.engine.begin() as connection:
        connection.exec_driver_sql(emptying)
    all_services.redis.flushdb()
    requests.post(f"{wechat_url}/sandbox/reset", timeout=5).raise_for_status()
    requests.post(f"{platform_url}/sandbox/reset", timeout=5).raise_for_status()
    clock = StandingClock()
    return replace(all_services, clock=clock)


@pytest.fixture
def clock(services: Services) -> StandingClock:
    assert isinstance(services.clock, StandingClock)
    return services.clock


@pytest.fixture
def app(services: Services) -> Flask:
    return create_app(services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def phone(client: FlaskClient, wechat_url: str) -> Callable[..., Phone]:
    """Makes phones: `phone("示例甲")` is a WeChat user with the mini-program."""
    return lambda name="示例甲", **options: Phone(client, wechat_url, name, **options)


@pytest.fixture
def station(client: FlaskClient, services: Services) -> Station:
    """An inspector, logged in at a station."""
    return Station.open(client, services)


@pytest.fixture
def work(services: Services) -> Callable[[], None]:
    """Does all jobs that wait now, and what the clock brings, until nothing is left to do."""

    def run() -> None:
        evaluate_due(services)
        worker = make_worker_app(services)
        with worker.open():
            while _jobs_wait(services):  # a job may put another one when the worker has just looked for the last time
                worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, concurrency=4)

    return run


def _jobs_wait(services: Services) -> bool:
    """Whether a worker would find a job: one that is not put off, with no earlier one before it on the same lock."""
    first = "not exists (select from procrastinate_jobs e where e.lock = j.lock and e.id < j.id and e.status = 'todo')"
    ready = f"j.status = 'todo' and (j.scheduled_at is null or j.scheduled_at <= now()) and {first}"
    with services.engine.connect() as connection:
        return bool(connection.scalar(text(f"select exists (select from procrastinate_jobs j where {ready})")))


def pytest_configure(config: Any) -> None:
    os.environ.pop("JIXIANG_CONFIG", None)


@pytest.fixture(scope="module", autouse=True)
def same_environment() -> Iterator[None]:
    """What a module sets in the environment ends with it: another one's commands must not read its configuration."""
    before = dict(os.environ)
    yield
    for name in [*os.environ]:
        if name.startswith("JIXIANG_") and name not in before:
            del os.environ[name]
    os.environ.update({name: value for name, value in before.items() if name.startswith("JIXIANG_")})
