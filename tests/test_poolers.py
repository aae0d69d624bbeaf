"""PgBouncer before PostgreSQL: session pooling serves everything, and transaction pooling is refused by name."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from app import create_app
from app.core.db import make_engine, make_session_factory
from app.migrations.runner import migrate
from app.runtime import Services
from tests.support.codes import write_config
from tests.support.jobs import run_worker
from tests.support.people import Phone, Station
from tests.support.pooler import PROGRAM, start_pooler
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")


def pooled(services: Services, mode: str) -> Iterator[Services]:
    with start_pooler(services.settings.database.url, mode) as url:
        engine = make_engine(url, 10)
        database = services.settings.database.model_copy(update={"url": url})
        settings = services.settings.model_copy(update={"database": database})
        yield replace(
            services,
            settings=settings,
            engine=engine,
            sessions=make_session_factory(engine, row_digests=services.row_digests),
        )
        engine.dispose()


@pytest.fixture
def by_session(services: Services) -> Iterator[Services]:
    yield from pooled(services, "session")


@pytest.fixture
def by_transaction(services: Services) -> Iterator[Services]:
    yield from pooled(services, "transaction")


def test_session_pooling_serves_web_processes_and_the_worker(
    by_session: Services, services: Services, phone: Callable[..., Phone], station: Station
) -> None:
    client = create_app(by_session).test_client()
    parts = client.get("/readyz").json["parts"]
    assert (parts["database"], parts["redis"]) == ("ok", "ok")
    citizen = phone()
    citizen.client = client
    citizen.become_green()
    there = Station(client, station.session)
    for _ in range(10):  # from the sixth time on a statement is prepared
        assert there.measure(citizen.code()["token"], 38.0).json["color"] == "YELLOW"
    run_worker(by_session, "fold-counts", "count-figures", "seal-audit")
    with services.engine.connect() as connection:
        waiting = connection.scalar(text("select count(*) from procrastinate_jobs where status in ('todo', 'doing')"))
    assert waiting == 0, "the worker did every job, and left none behind"


def test_session_pooling_serves_many_threads_at_once(by_session: Services) -> None:
    def ask(number: int) -> int:
        with by_session.sessions() as session:
            return int(session.scalar(text("select cast(:number as int)"), {"number": number}))

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(ask, range(400))) == list(range(400))


def test_the_limit_of_a_statement_holds_behind_a_pooler(by_session: Services) -> None:
    engine = make_engine(by_session.settings.database.url, 1, statement_seconds=1)
    with engine.connect() as connection, pytest.raises(OperationalError, match="statement timeout"):
        connection.execute(text("select pg_sleep(60)"))
    engine.dispose()


def test_a_migration_runs_through_session_pooling(by_session: Services) -> None:
    migrate(by_session.settings.database.url)


def test_transaction_pooling_is_refused_by_readiness_each_time(by_transaction: Services) -> None:
    client = create_app(by_transaction).test_client()
    for _ in range(20):
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json["ready"]) == (503, False)
        assert "use session pooling" in ready.json["parts"]["database"]


@pytest.mark.slow
def test_transaction_pooling_is_refused_while_others_use_it(by_transaction: Services) -> None:
    client = create_app(by_transaction).test_client()
    url = by_transaction.settings.database.url + "?prepare_threshold=none"
    engine = make_engine(url, 8)

    def work(_: int) -> None:
        with engine.connect() as connection:
            connection.execute(text("select pg_sleep(0.003)"))

    with ThreadPoolExecutor(8) as threads:
        busy = [threads.submit(work, number) for number in range(1500)]
        told = {client.get("/readyz").json["parts"]["database"] for _ in range(20)}
        for each in busy:
            each.result()
    engine.dispose()
    assert ["use session pooling" in each for each in told] == [True]


@pytest.mark.slow
@pytest.mark.parametrize("command", [["config", "check"], ["worker"], ["web", "--port", "8999"]])
def test_transaction_pooling_is_refused_by_the_commands_in_one_line(
    by_transaction: Services, tmp_path: Path, command: list[str]
) -> None:
    file = write_config(by_transaction.settings, tmp_path / "config.toml")
    done = jixiang(file, *command)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if "database.url" in line]
    assert "use session pooling" in line


@pytest.mark.slow
def test_session_pooling_passes_the_check(by_session: Services, tmp_path: Path) -> None:
    file = write_config(by_session.settings, tmp_path / "config.toml")
    done = jixiang(file, "config", "check")
    assert (done.returncode, done.stderr) == (0, "")


def environment(file: Path) -> dict[str, str]:
    return {"JIXIANG_CONFIG": str(file), "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}


def jixiang(file: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *command],
        env=environment(file),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_the_worker_hears_of_jobs_past_the_pooler(by_session: Services, services: Services, tmp_path: Path) -> None:
    direct = make_url(services.settings.database.url).update_query_dict({"application_name": "past-the-pooler"})
    listen_url = direct.render_as_string(hide_password=False)
    file = write_config(by_session.settings, tmp_path / "config.toml", database={"listen_url": listen_url})
    worker = subprocess.Popen([sys.executable, "-m", "app", "worker"], env=environment(file), stderr=subprocess.DEVNULL)
    listening = text("select count(*) from pg_stat_activity where query like 'LISTEN%' and application_name = :name")
    try:
        with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            wait_until(
                lambda: connection.scalar(listening, {"name": "past-the-pooler"}), "nobody listens past the pooler"
            )
    finally:
        worker.terminate()
        worker.wait(PATIENCE)


@pytest.mark.slow
def test_an_address_to_listen_at_is_that_of_the_same_database(services: Services, tmp_path: Path) -> None:
    other = make_url(services.settings.database.url).set(database="postgres").render_as_string(hide_password=False)
    file = write_config(services.settings, tmp_path / "config.toml", database={"listen_url": other})
    done = jixiang(file, "config", "check")
    assert done.returncode == 1
    assert "database.listen_url: leads to another database than database.url" in done.stderr
