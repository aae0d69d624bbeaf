"""What operations engineers ask of a running process."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from app import create_app
from app.core.db import make_engine
from app.core.redis_client import CircuitBreaker, connect
from app.runtime import Services, connect_redis
from app.stations.inspector_cache import inspector_key
from app.worker.app import make_worker_app
from devstack.embedded import start_valkey
from tests.support.codes import with_engine, with_redis
from tests.support.metrics import counted
from tests.support.people import Phone, Station
from tests.support.waiting import PATIENCE, wait_until

WELL = dict.fromkeys(("database", "redis", "cache", "clock", "worker"), "ok")


def test_a_process_that_runs_is_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"alive": True}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["ready"]) == (200, True)
    assert ready.json["parts"] == WELL | {"worker": "missing"}


def test_a_worker_that_lives_is_told_and_one_that_is_missing_takes_nobody_out(
    services: Services, client: FlaskClient
) -> None:
    def told() -> tuple[int, bool, bool, str]:
        services.lease.renew()
        ready = client.get("/readyz")
        return ready.status_code, ready.json["ready"], ready.json["degraded"], ready.json["parts"]["worker"]

    there, gone = (200, True, False, "ok"), (200, True, True, "missing")
    assert told() == gone
    with running_worker(services):
        assert told() == there
    assert told() == gone, "who stops in order says so"
    with services.engine.begin() as connection:
        connection.execute(text("insert into procrastinate_workers (last_heartbeat) values (now() - interval '29 s')"))
    assert told() == there
    with services.engine.begin() as connection:
        connection.execute(text("update procrastinate_workers set last_heartbeat = now() - interval '31 s'"))
    assert told() == gone, "who was killed has missed three heartbeats"


@contextmanager
def running_worker(services: Services) -> Iterator[None]:
    """A worker, from when it is there until it was stopped in order."""
    stop: list[Callable[[], object]] = []

    async def work() -> None:
        worker, loop = make_worker_app(services), asyncio.get_running_loop()
        async with worker.open_async():
            working = asyncio.create_task(worker.run_worker_async(queues=["none"], install_signal_handlers=False))
            stop.append(lambda: loop.call_soon_threadsafe(working.cancel))
            with suppress(asyncio.CancelledError):
                await working

    thread = Thread(target=lambda: asyncio.run(work()))
    thread.start()
    try:
        with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            wait_until(lambda: connection.scalar(text("select count(*) from procrastinate_workers")))
        yield
    finally:
        stop[0]()
        thread.join(PATIENCE)


def test_readiness_names_a_database_that_is_out_of_reach(services: Services) -> None:
    engine = make_engine("postgresql+psycopg://nobody:pw-secret@127.0.0.1:1/none", 1)
    client = create_app(with_engine(services, engine)).test_client()
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert (ready.json["ready"], ready.json["degraded"]) == (False, True)
    assert ready.json["parts"] == WELL | dict.fromkeys(("database", "clock", "worker"), "out of reach")
    assert client.get("/healthz").status_code == 200, "alive all the same: a restart would not help"


def test_readiness_names_a_redis_that_is_out_of_reach(services: Services) -> None:
    redis = services.settings.redis.model_copy(update={"url": "redis://:pw-secret@127.0.0.1:1/0"})
    nowhere = connect_redis(services.settings.model_copy(update={"redis": redis}))
    ready = create_app(replace(services, redis=nowhere)).test_client().get("/readyz")
    assert ready.status_code == 503
    assert ready.json["parts"] == WELL | {"redis": "out of reach", "worker": "missing"}
    assert "pw-secret" not in ready.text


class Freezer:
    """A Valkey that can be frozen, and the seconds that pass for the client."""

    def __init__(self, url: str) -> None:
        self.seconds = 0.0
        self.client = connect(url, 0.2, CircuitBreaker(lambda: self.seconds))
        self._direct = Redis.from_url(url)
        self._process = int(self._direct.info("server")["process_id"])

    def cut(self) -> None:
        """Close every connection but this one, as a restart would."""
        self._direct.client_kill_filter(_type="normal", skipme=True)

    def freeze(self) -> None:
        self._direct.config_resetstat()
        os.kill(self._process, signal.SIGSTOP)

    def thaw(self) -> tuple[int, int]:
        """Let it answer again; returns how often it was asked meanwhile, and how many connections were begun."""
        os.kill(self._process, signal.SIGCONT)
        told = self._direct.info("commandstats")
        asked = (told.get(f"cmdstat_{name}", {"calls": 0}) for name in ("get", "getrange", "set", "evalsha"))
        return sum(each["calls"] for each in asked), self._direct.info("stats")["total_connections_received"]


@pytest.fixture
def freezer(tmp_path: Path) -> Iterator[Freezer]:
    with start_valkey(tmp_path / "valkey", persistent=False) as valkey:
        frozen = Freezer(valkey.url)
        yield frozen
        frozen.thaw()


def test_a_redis_that_hangs_is_asked_once_in_each_pause_and_the_database_answers(
    services: Services, freezer: Freezer, phone: Callable[..., Phone], station: Station
) -> None:
    replaced = with_redis(services, freezer.client)
    client = create_app(replaced).test_client()
    citizen, elsewhere = phone().become_green(), Station(client, station.session)
    citizen.client = client
    token = citizen.code()["token"]
    freezer.freeze()
    for _ in range(3):
        assert citizen.color() == "GREEN"
        assert elsewhere.check(token).json["action"] == "pass"
    assert elsewhere.measure(token, 38.0).json["color"] == "YELLOW"
    freezer.seconds += 1
    assert elsewhere.check(token).json["color"] == "YELLOW"
    assert freezer.thaw() == (2, 1), "lease and record, in one trip; the second time it was not even greeted"
    freezer.seconds += 1
    replaced.lease.renew()
    assert replaced.refresh_cache([1]), "the job that left with the commit does this"
    assert elsewhere.check(token).json["color"] == "YELLOW"
    assert freezer.client.get(inspector_key(1, 1)) is not None, "it is asked again as before"


def test_a_connection_that_was_closed_is_opened_again(freezer: Freezer) -> None:
    freezer.client.set("a", "1")
    freezer.cut()
    assert freezer.client.get("a") == b"1"


def test_after_a_failure_one_caller_asks_and_the_others_hear_of_it() -> None:
    seconds = [0.0]
    breaker = CircuitBreaker(lambda: seconds[0])
    assert breaker.allows_call()
    assert breaker.allows_call()
    breaker.failed()
    assert not breaker.allows_call()
    seconds[0] = 1.0
    assert [breaker.allows_call() for _ in range(3)] == [True, False, False]
    breaker.failed()
    assert not breaker.allows_call()
    seconds[0] = 2.0
    assert breaker.allows_call()
    breaker.answered()
    assert [breaker.allows_call() for _ in range(3)] == [True, True, True]


def test_a_statement_that_takes_too_long_is_broken_off(services: Services) -> None:
    engine = make_engine(services.settings.database.url, 1, statement_seconds=1)
    with engine.connect() as connection:
        with pytest.raises(OperationalError, match="statement timeout"):
            connection.execute(text("select pg_sleep(60)"))
        connection.rollback()
        assert connection.scalar(text("select 1")) == 1, "the connection is as good as before"
    engine.dispose()


def test_an_operator_may_lift_the_limit_in_the_address(services: Services) -> None:
    url = make_url(services.settings.database.url).update_query_dict({"options": "-c statement_timeout=0"})
    engine = make_engine(url.render_as_string(hide_password=False), 1)
    with engine.connect() as connection:
        assert connection.scalar(text("show statement_timeout")) == "0"
    engine.dispose()


@contextmanager
def asleep(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.skipif("JIXIANG_TEST_DATABASE_URL" in os.environ, reason="the server's processes are not ours")
def test_a_database_that_hangs_holds_nobody_for_good(
    services: Services, green_citizen: Phone, station: Station
) -> None:
    citizen = green_citizen
    station.measure(citizen.code()["token"], 38.0)
    engine = make_engine(services.settings.database.url, 1, statement_seconds=1)
    citizen.client = create_app(with_engine(services, engine)).test_client()
    with engine.connect() as connection:
        process = connection.scalar(text("select pg_backend_pid()"))
        assert isinstance(process, int)
        with asleep(process), pytest.raises(OperationalError):
            connection.scalar(text("select 1"))
        assert connection.invalidated, "a late answer must not be read as that of the next statement"
    with engine.connect() as connection:
        process = connection.scalar(text("select pg_backend_pid()"))
        assert isinstance(process, int)
    with asleep(process):
        assert citizen.color() == "YELLOW", "by a new connection"
    engine.dispose()


@contextmanager
def schema(services: Services, revision: str | None, change: str = "", back: str = "") -> Iterator[None]:
    """The database as another release has left it: at its revision, and with a change of its own."""

    def run(*statements: str) -> None:
        with services.engine.begin() as connection:
            for statement in filter(None, statements):
                connection.execute(text(statement))

    run("create table kept as table alembic_version", "delete from alembic_version", change)
    if revision is not None:
        run(f"insert into alembic_version values ('{revision}')")
    try:
        yield
    finally:
        run("delete from alembic_version", "insert into alembic_version table kept", "drop table kept", back)


@pytest.mark.parametrize("revision", ["0013", None])
def test_readiness_tells_an_old_schema(services: Services, client: FlaskClient, revision: str | None) -> None:
    with schema(services, revision):
        ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "jixiang db migrate" in ready.json["parts"]["database"]


ADDED = "alter table stations add column color text"
REQUIRED = "alter table stations add column size int not null default 0; alter table stations alter size drop default"


@pytest.mark.parametrize(
    ("change", "back", "status", "told"),
    [
        (ADDED, "alter table stations drop column color", 200, "newer than this release, and usable"),
        ("create table trains (id int)", "drop table trains", 200, "newer than this release, and usable"),
        (REQUIRED, "alter table stations drop column size", 503, "not usable by it"),
        ("alter table stations rename name to title", "alter table stations rename title to name", 503, "not usable"),
    ],
)
def test_a_newer_schema_is_ready_when_this_release_can_work_on_it(
    services: Services, client: FlaskClient, change: str, back: str, status: int, told: str
) -> None:
    with schema(services, "9999", change, back):
        ready = client.get("/readyz")
    assert (ready.status_code, ready.json["degraded"]) == (status, True)
    assert told in ready.json["parts"]["database"]
    assert client.get("/readyz").json["parts"]["database"] == "ok"


def test_requests_are_counted_by_route_and_status(client: FlaskClient, phone: Callable[..., Phone]) -> None:
    before = counted(client)
    phone().become_green()
    client.get("/api/v1/code?secret=1")
    client.get("/no-such-address-1")
    client.get("/no-such-address-2")
    after = counted(client)
    more = {line: after[line] - before.get(line, 0) for line in after if after[line] != before.get(line, 0)}
    assert more['http_request_duration_seconds_count{method="POST",route="/api/v1/accounts",status="201"}'] == 1
    assert more['http_request_duration_seconds_count{method="POST",route="/api/v1/declarations",status="201"}'] == 1
    assert more['http_request_duration_seconds_count{method="GET",route="/api/v1/code",status="401"}'] == 1
    assert more['http_request_duration_seconds_count{method="GET",route="none",status="404"}'] == 2, (
        "made-up addresses are one line"
    )
    assert not any("secret" in line or "no-such" in line for line in after)
