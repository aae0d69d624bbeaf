"""What the tests stand on: a real PostgreSQL, a real Valkey, and both sandboxes as real servers.

Everybody here is invented. Time stands still until a test moves it.
"""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import text
from werkzeug.serving import make_server

from app.api.fast_path import FastPath
from app.core.settings import Settings
from app.runtime import Services, make_services
from app.worker.app import make_worker_app
from app.worker.due import evaluate_due
from platform_sandbox import create_sandbox as create_platform_sandbox
from tests.support import servers
from tests.support.apps import Apps, LateRule
from tests.support.clock import StandingClock
from tests.support.copies import NAMES, GreenCitizens
from tests.support.emptying import Emptying
from tests.support.examples import load_profile
from tests.support.official import OFFICIAL_ACCOUNT
from tests.support.people import Phone, Station
from tests.support.pinning import pin
from tests.support.settings import APP_KEY, APPID, SECRET, make_settings
from tests.support.together import Together
from wechat_sandbox import create_sandbox as create_wechat_sandbox

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    with servers.database() as url:
        yield url


@pytest.fixture(scope="session")
def template(database_url: str) -> str:
    """The name of a migrated database that nobody has used, on the same server."""
    return servers.template_of(database_url)


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.redis(tmp_path_factory.mktemp("valkey"), in_cluster=request.config.getoption("--cluster")) as url:
        yield url


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Flask], str]]:
    """Serves an application on a free port; returns its address."""
    running = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def wechat_sandbox() -> Flask:
    return create_wechat_sandbox(appid=APPID, secret=SECRET, with_unionid=True, official=OFFICIAL_ACCOUNT)


@pytest.fixture(scope="session")
def platform_sandbox() -> Flask:
    return create_platform_sandbox(app_key=APP_KEY, secret=SECRET)


@pytest.fixture(scope="session")
def wechat_url(serve: Callable[[Flask], str], wechat_sandbox: Flask) -> str:
    return serve(wechat_sandbox)


@pytest.fixture(scope="session")
def platform_url(serve: Callable[[Flask], str], platform_sandbox: Flask) -> str:
    return serve(platform_sandbox)


@pytest.fixture(scope="session")
def settings(
    tmp_path_factory: pytest.TempPathFactory,
    database_url: str,
    redis_url: str,
    wechat_url: str,
    platform_url: str,
) -> Settings:
    directory = tmp_path_factory.mktemp("settings")
    servers_of_run = {"database": database_url, "redis": redis_url, "wechat": wechat_url, "platform": platform_url}
    # nobody renews the lease while a test runs, and a busy machine takes its time
    return make_settings(directory, **servers_of_run, lease_seconds=60)


@pytest.fixture(scope="session")
def all_services(settings: Settings) -> Iterator[Services]:
    made = make_services(settings, StandingClock())
    yield made
    made.close()


@pytest.fixture(scope="session")
def worlds(wechat_sandbox: Flask, platform_sandbox: Flask) -> list[Any]:
    """What each sandbox knows."""
    return [wechat_sandbox.extensions["wechat-sandbox"], platform_sandbox.extensions["platform-sandbox"]]


@pytest.fixture(scope="session")
def empty(all_services: Services, worlds: list[Any]) -> Callable[[], None]:
    """Leaves nothing in any of the parts, and sets the clock to its start."""
    return Emptying(all_services, worlds)


@pytest.fixture
def services(all_services: Services, empty: Callable[[], None], request: pytest.FixtureRequest) -> Services:
    """The services, with nothing in any of the parts and the clock at its start."""
    empty()
    wanted = len(NAMES) if "green_citizens" in request.fixturenames else int("green_citizen" in request.fixturenames)
    if wanted:  # before anybody else is there
        request.getfixturevalue("copied").put(wanted)
    return all_services


@pytest.fixture
def clock(services: Services) -> StandingClock:
    assert isinstance(services.clock, StandingClock)
    return services.clock


@pytest.fixture(scope="session")
def apps() -> Iterator[Apps]:
    made = Apps()
    yield made
    made.end()


@pytest.fixture
def app(services: Services, apps: Apps) -> Flask:
    """The application that most tests share; `create_app(services)` makes one that a test may change."""
    return apps.of("app", services)


@pytest.fixture
def server(app: Flask, apps: Apps) -> FastPath:
    """The fast path before that application."""
    return apps.servers["app"]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def phone(client: FlaskClient, wechat_url: str) -> Callable[..., Phone]:
    """Makes phones: `phone("示例甲")` is a WeChat user with the mini-program."""
    return lambda name="示例甲", **options: Phone(client, wechat_url, name, **options)


@pytest.fixture(scope="session")
def copied(all_services: Services, apps: Apps, wechat_url: str, worlds: list[Any]) -> GreenCitizens:
    def make(name: str, **options: str) -> Phone:
        return Phone(apps.of("app", all_services).test_client(), wechat_url, name, **options)

    return GreenCitizens(all_services, worlds, make)


@pytest.fixture
def green_citizen(services: Services, copied: GreenCitizens, client: FlaskClient) -> Phone:
    """The first citizen, 示例甲, who has registered and whose code is green; their serial is 1."""
    return copied.with_client(client)[0]


@pytest.fixture
def green_citizens(services: Services, copied: GreenCitizens, client: FlaskClient) -> list[Phone]:
    """示例甲, 示例乙 and 示例丙, who have registered in this order and whose codes are green."""
    return copied.with_client(client)


@pytest.fixture
def station(client: FlaskClient, services: Services) -> Station:
    """An inspector, logged in at a station."""
    return Station.open(client, services)


@pytest.fixture
def work(services: Services) -> Callable[[], None]:
    """Does all jobs that wait now, and what is due, until nothing is left to do.

    The other periodic tasks are done by tests of their own, and not whenever a minute of this machine begins.
    """

    def run() -> None:
        evaluate_due(services)
        worker = make_worker_app(services)
        worker.periodic_defaults = {"max_delay": 0}
        while _jobs_wait(services):  # a job may put another one when the worker has just looked for the last time
            worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, concurrency=4)

    return run


def _jobs_wait(services: Services) -> bool:
    """Whether a worker would find a job: one that is not put off, with no earlier one before it on the same lock."""
    first = "not exists (select from procrastinate_jobs e where e.lock = j.lock and e.id < j.id and e.status = 'todo')"
    ready = f"j.status = 'todo' and (j.scheduled_at is null or j.scheduled_at <= now()) and {first}"
    with services.engine.connect() as connection:
        return bool(connection.scalar(text(f"select exists (select from procrastinate_jobs j where {ready})")))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cluster", action="store_true", help="with a Valkey Cluster in place of one Valkey")


def pytest_configure(config: pytest.Config) -> None:
    os.environ.pop("JIXIANG_CONFIG", None)
    pin()
    load_profile()
    Flask.url_rule_class = LateRule
    if cache := getattr(config, "cache", None):
        # each application compiles its templates anew, which takes longer than most pages: now once for all of them
        Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(str(cache.mkdir("templates")))}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Look for no garbage among what is imported and collected, now and while the tests run: there is none."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what runs in a browser; several processes begin with what is slow, so that all end at about one time."""
    for item in items:
        if item.path.is_relative_to(HERE / "browser"):
            item.add_marker("browser")
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    return Together(config, log)


@pytest.fixture(scope="module", autouse=True)
def same_environment() -> Iterator[None]:
    """What a module sets in the environment ends with it: another one's commands must not read its configuration."""
    before = dict(os.environ)
    yield
    for name in [*os.environ]:
        if name.startswith("JIXIANG_") and name not in before:
            del os.environ[name]
    os.environ.update({name: value for name, value in before.items() if name.startswith("JIXIANG_")})
