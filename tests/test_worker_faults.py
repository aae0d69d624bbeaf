"""The worker in trouble: it loses the database, is paused until it is taken for dead, leaves jobs behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from sqlalchemy import create_engine, make_url, text

from app.codes.states import State
from app.core.queue import DELIVER_NOTICES, HANDLE_CALLBACK, REFRESH_CACHE, defer
from app.runtime import Services
from tests.support.codes import contact, open_green_code, tell, write_config
from tests.support.disk import fill_with_jobs, small_disk, table_on
from tests.support.jobs import run_worker
from tests.support.people import Phone
from tests.support.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[1]
WORKER = """
import sys
from app.cli import main
from app.runtime import make_services
from app.worker import stalled
from app.worker.app import run_worker
from app.core.settings import load_settings
from app.web import logs
from tests.support.clock import StandingClock

stalled.CHECK_SECONDS = 0.5
settings = load_settings()
logs.configure("INFO")
run_worker(make_services(settings, StandingClock()), concurrency=4)
"""


class WorkerProcess:
    """A worker process as in production, but for its clock, how often it looks at its jobs, and who watches it."""

    def __init__(self, services: Services, directory: Path) -> None:
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.bind(str(directory / "notify"))
        self.systemd.settimeout(PATIENCE)
        watched = {"NOTIFY_SOCKET": str(directory / "notify"), "WATCHDOG_USEC": "300000000"}
        file = write_config(services.settings, directory / "config.toml", wechat={"read_timeout_seconds": 20})
        self.output = directory / "worker.log"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", WORKER],
                cwd=ROOT,
                env={"JIXIANG_CONFIG": str(file), **watched},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)


@pytest.fixture
def worker(services: Services, tmp_path: Path) -> Iterator[WorkerProcess]:
    one = WorkerProcess(services, tmp_path)
    try:
        yield one
    finally:
        one.process.send_signal(signal.SIGCONT)
        one.process.kill()
        one.process.wait(PATIENCE)
        one.systemd.close()


def ask(services: Services, query: str, **values: object) -> list[object]:
    """Return the first column of what a statement returns, once it is committed."""
    with services.engine.begin() as connection:
        result = connection.execute(text(query), values)
        return list(result.scalars()) if result.returns_rows else []


def statuses(services: Services, task: str) -> list[object]:
    return ask(services, "select cast(status as text) from procrastinate_jobs where task_name = :t order by id", t=task)


def put(services: Services, task: str, **arguments: object) -> None:
    with services.begin() as session:
        defer(session, task, **arguments)  # type: ignore[arg-type]


def works(services: Services, serial: int) -> bool:
    """Put a job, and wait until a worker has done it; by its clock, the real one, the code may be due meanwhile."""
    services.cache.drop()
    put(services, REFRESH_CACHE, serial=serial)
    wait_until(lambda: services.cache.get(serial).state != State.EMPTY)
    return True


@contextmanager
def database_lost(services: Services) -> Iterator[None]:
    """Close every connection to the database, and let nobody in meanwhile."""
    url = make_url(services.settings.database.url)
    admin = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'alter database "{url.database}" with allow_connections false'))
        connection.execute(
            text("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = :name"),
            {"name": url.database},
        )
        try:
            yield
        finally:
            connection.execute(text(f'alter database "{url.database}" with allow_connections true'))
    admin.dispose()


@pytest.mark.slow
def test_a_worker_that_loses_the_database_waits_for_it_and_works_on(services: Services, worker: WorkerProcess) -> None:
    serial = open_green_code(services)
    assert works(services, serial)
    with database_lost(services):
        wait_until(lambda: worker.said().count("worker-interrupted") >= 2)
        assert worker.process.poll() is None
    assert works(services, serial)
    assert worker.systemd.recv(64) == b"WATCHDOG=1"
    assert worker.stop() == 0
    assert "Traceback" not in worker.said()


@pytest.mark.slow
def test_a_worker_without_a_database_still_ends_by_a_signal(services: Services, worker: WorkerProcess) -> None:
    assert works(services, open_green_code(services))
    with database_lost(services):
        wait_until(lambda: "worker-interrupted" in worker.said())
        assert worker.stop() == 0
    assert "Traceback" not in worker.said()


def pause_until_taken_for_dead(services: Services, worker: WorkerProcess) -> None:
    """Stop a worker, let its last heartbeat be long ago, and let another one start, which removes and rescues."""
    worker.process.send_signal(signal.SIGSTOP)
    ask(services, "update procrastinate_workers set last_heartbeat = now() - interval '2 minutes'")
    put(services, "rescue", timestamp=0)
    run_worker(services)


@pytest.mark.slow
def test_a_worker_that_was_taken_for_dead_registers_anew(services: Services, worker: WorkerProcess) -> None:
    serial = open_green_code(services)
    assert works(services, serial)
    pause_until_taken_for_dead(services, worker)
    assert ask(services, "select id from procrastinate_workers") == []
    worker.process.send_signal(signal.SIGCONT)
    wait_until(lambda: len(ask(services, "select id from procrastinate_workers")) == 2)
    assert works(services, serial)
    assert worker.stop() == 0
    assert "Traceback" not in worker.said()


@pytest.mark.slow
def test_a_worker_notices_that_one_of_its_rows_is_gone(services: Services, worker: WorkerProcess) -> None:
    for place in (0, 1):
        wait_until(lambda: len(ask(services, "select id from procrastinate_workers")) == 2)
        ids = sorted(map(str, ask(services, "select id from procrastinate_workers")))
        ask(services, "delete from procrastinate_workers where id = :id", id=int(ids[place]))
        wait_until(lambda ids=ids: not {*ids} & {*map(str, ask(services, "select id from procrastinate_workers"))})
    seen = worker.said()  # whichever comes first: a look at its rows, or a job that it cannot take
    assert "WorkerForgotten" in seen or "ForeignKeyViolation" in seen


@pytest.mark.slow
def test_a_worker_that_is_paused_within_a_transaction_keeps_no_other_from_starting(
    services: Services, worker: WorkerProcess
) -> None:
    serial = open_green_code(services)
    assert works(services, serial)
    waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%procrastinate%'"
    with services.begin() as session:
        session.execute(text("lock table procrastinate_jobs in exclusive mode"))
        defer(session, REFRESH_CACHE, serial=serial)
        wait_until(lambda: ask(services, waits))
        worker.process.send_signal(signal.SIGSTOP)
    idle = "select 1 from pg_stat_activity where state = 'idle in transaction' and query like '%procrastinate%'"
    wait_until(lambda: ask(services, idle))
    services.cache.drop()
    pause_until_taken_for_dead(services, worker)
    run_worker(services)
    assert services.cache.get(serial).state != State.EMPTY, "its job was done by another"
    worker.process.send_signal(signal.SIGCONT)
    assert works(services, serial)


@pytest.mark.slow
def test_a_notice_that_a_paused_worker_held_is_sent_once(
    services: Services, phone: Callable[..., Phone], wechat_url: str, worker: WorkerProcess
) -> None:
    citizen = phone().become_green()
    citizen.subscribe()
    [serial] = ask(services, "select serial from accounts where username = :name", name=citizen.username)
    assert isinstance(serial, int)
    order = {"path": "/cgi-bin/message/subscribe/send", "delay": 3}
    requests.put(f"{wechat_url}/sandbox/failures", json=order, timeout=5).raise_for_status()
    tell(services, serial, contact(services.clock.now()))
    wait_until(lambda: statuses(services, DELIVER_NOTICES) == ["doing"])
    wait_until(lambda: ask(services, "select 1 from notices where delivery = 'sending'"))
    pause_until_taken_for_dead(services, worker)
    worker.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "doing" not in statuses(services, DELIVER_NOTICES))
    wait_until(lambda: len(ask(services, "select id from procrastinate_workers")) == 2)
    time.sleep(1)
    assert len(citizen.messages()) == 1
    assert worker.process.poll() is None


def give(services: Services, task: str, worker: object, queueing_lock: str | None = None, **arguments: object) -> None:
    """Put a job that a worker has taken and does not do."""
    taken = "update procrastinate_jobs set status = 'doing', worker_id = :worker, queueing_lock = :lock"
    with services.begin() as session:  # at once: the worker of the test must not take it first
        defer(session, task, **arguments)  # type: ignore[arg-type]
        values = {"worker": worker, "lock": queueing_lock}
        session.execute(text(f"{taken} where id = currval('procrastinate_jobs_id_seq')"), values)


def test_stalled_jobs_are_rescued_one_by_one_and_those_of_the_clock_are_ended(services: Services) -> None:
    for _ in range(8):
        give(services, "settle-due", None, "settle-due", timestamp=0)
    give(services, HANDLE_CALLBACK, None, receipt=1)
    with services.begin() as session:
        defer(session, "settle-due", timestamp=2)
    ask(services, "update procrastinate_jobs set queueing_lock = 'settle-due' where status = 'todo'")
    put(services, "rescue", timestamp=0)
    run_worker(services)
    assert statuses(services, "settle-due")[:9] == ["aborted"] * 8 + ["succeeded"], "beside those of the clock"
    assert statuses(services, HANDLE_CALLBACK) == ["succeeded"]


@pytest.mark.slow
def test_a_job_that_a_living_worker_does_not_run_any_more_is_done(services: Services, worker: WorkerProcess) -> None:
    serial = open_green_code(services)
    assert works(services, serial)
    services.cache.drop()
    [living] = ask(services, "select min(id) from procrastinate_workers")
    give(services, REFRESH_CACHE, living, serial=serial)
    give(services, "count-colors", living, "count-colors", timestamp=0)
    wait_until(lambda: services.cache.get(serial).state != State.EMPTY)
    wait_until(lambda: "doing" not in statuses(services, "count-colors"))
    assert statuses(services, "count-colors").count("aborted") == 1, "beside those of the worker's own clock"


@pytest.mark.slow
def test_a_long_job_is_left_to_the_worker_that_runs_it(
    services: Services, phone: Callable[..., Phone], wechat_url: str, worker: WorkerProcess
) -> None:
    citizen = phone().become_green()
    citizen.subscribe()
    [serial] = ask(services, "select serial from accounts where username = :name", name=citizen.username)
    order = {"path": "/cgi-bin/message/subscribe/send", "delay": 4}
    requests.put(f"{wechat_url}/sandbox/failures", json=order, timeout=5).raise_for_status()
    tell(services, int(str(serial)), contact(services.clock.now()))
    wait_until(lambda: statuses(services, DELIVER_NOTICES) == ["succeeded"])
    assert ask(services, "select attempts from procrastinate_jobs where task_name = :t", t=DELIVER_NOTICES) == [1]
    assert "job-rescued" not in worker.said()


# --- periodic tasks that fail -------------------------------------------------------------------------------------


@contextmanager
def unreadable(services: Services, table: str) -> Iterator[None]:
    ask(services, f"alter table {table} rename to gone")
    try:
        yield
    finally:
        ask(services, f"alter table gone rename to {table}")


def tick(services: Services, task: str, hour: int) -> None:
    """Let the clock strike for a task, and work."""
    with services.begin() as session:
        defer(session, task, timestamp=hour * 3600)
    run_worker(services)


def test_a_periodic_task_that_fails_ends_for_a_second_one_may_wait_already(services: Services) -> None:
    with unreadable(services, "entries"):
        tick(services, "lapse-urgent", 0)
    assert set(statuses(services, "lapse-urgent")) == {"failed"}, "neither waits again nor stays as it was"


def test_what_is_done_once_a_day_is_tried_each_hour_until_it_is_done(services: Services) -> None:
    day = 24 * 18_000
    with unreadable(services, "audit"):
        tick(services, "verify-audit", day + 4)
    tick(services, "verify-audit", day + 5)
    with unreadable(services, "audit"):
        tick(services, "verify-audit", day + 6)
        assert statuses(services, "verify-audit") == ["failed", "succeeded", "succeeded"], "done: it was not read again"
        tick(services, "verify-audit", day + 24 + 4)
    assert statuses(services, "verify-audit")[-1] == "failed", "the next day"


# --- a log that cannot be written ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_worker_whose_log_cannot_be_written_works_and_ends_in_order(services: Services, tmp_path: Path) -> None:
    file = write_config(services.settings, tmp_path / "config.toml")
    with open("/dev/full", "wb") as full, (tmp_path / "errors").open("wb") as errors:
        worker = subprocess.Popen(
            [sys.executable, "-m", "app", "worker"],
            cwd=ROOT,
            env={"JIXIANG_CONFIG": str(file)},
            stdout=full,
            stderr=errors,
        )
    try:
        assert works(services, open_green_code(services))
        put(services, REFRESH_CACHE, serial=999_999)
        wait_until(lambda: ask(services, "select 1 from procrastinate_jobs where attempts > 0 and status = 'todo'"))
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
    finally:
        worker.kill()
        worker.wait(PATIENCE)
    told = (tmp_path / "errors").read_text()
    assert told.count("\n") == 1 and "jixiang_log_lines_lost_total" in told


@pytest.mark.slow
def test_a_worker_whose_database_has_no_space_waits_for_it(services: Services, worker: WorkerProcess) -> None:
    serial = open_green_code(services)
    assert works(services, serial)
    with small_disk(1024) as disk, table_on(services, disk, "procrastinate_jobs"):
        disk.fill()
        fill_with_jobs(services)
        wait_until(lambda: "worker-interrupted" in worker.said())
        assert worker.process.poll() is None
        disk.free()
        assert works(services, serial)
    assert works(services, serial)
    assert worker.stop() == 0
    assert "Traceback" not in worker.said()
