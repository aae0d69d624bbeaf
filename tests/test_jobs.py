"""The worker: periodic tasks run once, missed work is caught up with, failed jobs are retried."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import procrastinate
import pytest
import requests
from procrastinate.jobs import Job
from procrastinate.periodic import PeriodicDeferrer
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.codes import ledger
from app.codes.evidence import new_id
from app.codes.models import EvidenceRow
from app.codes.states import State
from app.core import queue
from app.core.queue import DELIVER_NOTICES, REEVALUATE, REFRESH_CACHE, defer, defer_notices
from app.runtime import Services
from app.worker.app import NOTICE_CONCURRENCY
from app.worker.app import run_worker as run_process
from app.worker.due import evaluate_due
from app.worker.retry import BackOff
from app.worker.schedule import RESCUE, SCHEDULE
from tests.support import codes as acts
from tests.support.clock import START, StandingClock
from tests.support.codes import (
    contact,
    decisions,
    everything,
    fever,
    open_code,
    open_green_code,
    state,
    tell,
    write_config,
)
from tests.support.jobs import run_worker
from tests.support.people import Phone
from tests.support.waiting import wait_until

Work = Callable[[], None]


def put(services: Services, task: str, **options: object) -> None:
    """Defer one job."""
    with services.begin() as session:
        defer(session, task, **options)  # type: ignore[arg-type]


def statuses(services: Services, task: str) -> list[str]:
    """Return the states of the jobs of one task, in their order."""
    query = text("select status from procrastinate_jobs where task_name = :task order by id")
    with services.engine.connect() as connection:
        return list(connection.scalars(query, {"task": task}))


def due(services: Services) -> int:
    with services.sessions() as session:
        found = ledger.lease_due(session, services.clock.now(), services.clock.now() + timedelta(minutes=2), 1000)
        session.rollback()
    return len(found)


# --- putting jobs -------------------------------------------------------------------------------------------------


def test_a_job_leaves_with_the_commit_and_not_without_it(services: Services) -> None:
    with services.sessions() as session:
        defer(session, REFRESH_CACHE, serial=1)
        assert acts.jobs(services) == [], "nobody else sees it before the commit"
        session.rollback()
    assert acts.jobs(services) == []
    put(services, REFRESH_CACHE, serial=1)
    assert acts.jobs(services) == [(REFRESH_CACHE, 1)]


def test_a_job_names_a_code_and_nothing_else_about_the_person(services: Services, work: Work) -> None:
    serial = open_green_code(services)
    tell(services, serial, fever(START))
    evaluate_due(services)
    with services.engine.connect() as connection:
        arguments = list(connection.scalars(text("select args from procrastinate_jobs")))
    assert arguments
    assert all(given == {"serial": serial} for given in arguments)


def test_a_postponed_job_waits(services: Services) -> None:
    serial = open_green_code(services)
    run_worker(services)
    services.cache.drop()
    put(services, REFRESH_CACHE, serial=serial, wait=3600)
    run_worker(services)
    assert services.cache.get(serial).state == State.EMPTY
    assert acts.jobs(services) == [(REFRESH_CACHE, serial)]


# --- periodic tasks -----------------------------------------------------------------------------------------------


def test_the_periodic_task_finds_all_that_is_due_in_as_many_batches_as_it_takes(
    services: Services, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.due.BATCH", 3)
    serials = [open_code(services) for _ in range(8)]
    for serial in serials:
        tell(services, serial, contact(START))
    clock.advance_to("2020-04-03 00:00")
    run_worker(services, "settle-due")
    for serial in serials:
        assert [row.rule for row in decisions(services, serial)] == ["ORANGE-CONTACT", "ORANGE-REVERIFY"]
    assert due(services) == 0


def test_only_those_about_whom_the_platform_is_to_be_asked_get_a_job_each(
    services: Services, green_citizen: Phone, clock: StandingClock, work: Work
) -> None:
    citizen, unknown = serial_of(services, green_citizen), open_code(services)
    tell(services, unknown, contact(START))
    work()
    clock.advance_to("2020-04-03 00:00")
    assert evaluate_due(services) == 2
    assert [job for job in acts.jobs(services) if job[0] == REEVALUATE] == [(REEVALUATE, citizen)]
    assert decisions(services, unknown)[-1].rule == "ORANGE-REVERIFY"
    assert len(decisions(services, citizen)) == 2, "left as it is until the platform has answered"
    work()
    assert [row.rule for row in decisions(services, citizen)][1:] == ["GREEN-VERIFIED"] * 2


def test_a_code_that_cannot_be_evaluated_delays_no_other(services: Services, clock: StandingClock, work: Work) -> None:
    serials = [open_code(services) for _ in range(3)]
    for serial in serials:
        tell(services, serial, contact(START))
    with services.begin() as session:
        row = {"kind": "rumor", "at": START, "facts": {}, "authority": "", "reference": "", "recorded_at": START}
        session.add(EvidenceRow(id=new_id(), serial=serials[1], recorded_by="nobody", **row))
    clock.advance_to("2020-04-03 00:00")
    work()
    rules = [decisions(services, serial)[-1].rule for serial in serials]
    assert rules == ["ORANGE-REVERIFY", "ORANGE-CONTACT", "ORANGE-REVERIFY"]
    assert acts.jobs(services) == [(REEVALUATE, serials[1])], "tried again"


def test_before_its_moment_nothing_is_due(services: Services, clock: StandingClock) -> None:
    serial = open_code(services)
    tell(services, serial, contact(START))
    clock.advance_to("2020-04-02 23:59")
    assert evaluate_due(services) == 0
    clock.advance(minutes=1)
    assert evaluate_due(services) == 1
    assert evaluate_due(services) == 0, "a job has it in hand"


def test_a_worker_that_was_down_for_weeks_catches_up(
    services: Services, green_citizens: list[Phone], clock: StandingClock, work: Work
) -> None:
    green, orange, _ = green_citizens
    serial = serial_of(services, orange)
    tell(services, serial, contact(START))
    clock.advance(days=20)
    assert orange.color() == "ORANGE", "nothing gets milder because nobody looked"
    work()
    assert (green.color(), orange.color()) == ("UNVERIFIED", "ORANGE")
    assert [item["id"] for item in orange.code()["missing"]] == ["declaration"]
    assert due(services) == 0
    before = everything(services)
    work()
    assert everything(services) == before, "and then it is done"


def serial_of(services: Services, citizen: Phone) -> int:
    query = text("select serial from accounts where username = :name")
    with services.engine.connect() as connection:
        return int(connection.scalars(query, {"name": citizen.username}).one())


def test_a_job_that_was_lost_after_the_lease_is_deferred_again(
    services: Services, green_citizen: Phone, clock: StandingClock, work: Work
) -> None:
    serial = serial_of(services, green_citizen)
    work()
    clock.advance(days=7)
    assert evaluate_due(services) == 1
    with services.engine.begin() as connection:
        connection.execute(text("delete from procrastinate_jobs"))
    work()
    assert len(decisions(services, serial)) == 2
    clock.advance(minutes=2)
    work()
    assert len(decisions(services, serial)) == 3, "verified anew"


def test_a_batch_that_breaks_off_is_found_again_whole(services: Services, clock: StandingClock, work: Work) -> None:
    serials = [open_code(services) for _ in range(3)]
    for serial in serials:
        tell(services, serial, contact(START))
    work()
    clock.advance_to("2020-04-03 00:00")
    before = everything(services)

    def refuse(_: object) -> None:
        raise KeyboardInterrupt

    event.listen(Session, "before_commit", refuse)
    try:
        with pytest.raises(KeyboardInterrupt):
            evaluate_due(services)
    finally:
        event.remove(Session, "before_commit", refuse)
    assert everything(services) == before
    assert evaluate_due(services) == len(serials)
    for serial in serials:
        assert [row.rule for row in decisions(services, serial)] == ["ORANGE-CONTACT", "ORANGE-REVERIFY"]


def _rows_but_hourly(services: Services) -> dict[str, list[str]]:
    """Return every row but of jobs, and of the counts that a worker rolls up at the end of each real hour."""
    left_out = ("procrastinate_jobs", "statistic_counts")
    return {name: some for name, some in everything(services).items() if name not in left_out}


def test_a_job_done_twice_changes_nothing_the_second_time(services: Services, clock: StandingClock, work: Work) -> None:
    serial = open_green_code(services)
    tell(services, serial, contact(START))
    clock.advance_to("2020-04-03 00:00")
    work()
    rows = _rows_but_hourly(services)
    for task in (REEVALUATE, REFRESH_CACHE, DELIVER_NOTICES):
        put(services, task, serial=serial)
        put(services, task, serial=serial)
    work()
    assert acts.jobs(services) == []
    assert _rows_but_hourly(services) == rows


def test_two_workers_together_do_each_job_once(
    services: Services, phone: Callable[..., Phone], clock: StandingClock, work: Work
) -> None:
    serials = [open_code(services) for _ in range(10)]
    for serial in serials:
        tell(services, serial, contact(START))
    verified = [serial_of(services, phone(f"示例{name}").become_green()) for name in "甲乙丙"]
    work()
    before = len(statuses(services, REEVALUATE))
    clock.advance_to("2020-04-03 00:00")

    def evaluate_and_work() -> None:
        evaluate_due(services)
        run_worker(services)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(evaluate_and_work) for _ in range(2)]:
            done.result(60)
    work()
    for serial in serials:
        assert [row.rule for row in decisions(services, serial)] == ["ORANGE-CONTACT", "ORANGE-REVERIFY"]
    for serial in verified:
        assert [row.rule for row in decisions(services, serial)][1:] == ["GREEN-VERIFIED"] * 2
    assert statuses(services, REEVALUATE)[before:] == ["succeeded"] * 3


def test_a_platform_that_is_away_is_asked_again_later_and_not_at_once(
    services: Services, green_citizen: Phone, clock: StandingClock, work: Work, platform_url: str
) -> None:
    citizen = green_citizen
    clock.advance(days=7)
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    work()
    assert citizen.color() == "GREEN", "it stands while only the platform is lacking"
    assert due(services) == 0
    clock.advance(seconds=services.settings.platform.retry_seconds)
    assert due(services) == 1
    requests.put(f"{platform_url}/sandbox/switch", json={"on": True}, timeout=5).raise_for_status()
    services.redis.delete("jx:platform-pause")
    work()
    [reason] = citizen.code()["reasons"]
    assert reason["until"] == "2020-04-03T12:00:00+08:00", "verified anew; the declaration itself holds fourteen days"


# --- the queue of notices -----------------------------------------------------------------------------------------


def test_a_single_change_is_sent_before_an_earlier_batch_change(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MANY", 2)
    with services.begin() as session:
        defer_notices(session, [1, 2, 3, 4, 5], bulk=True)
    with services.begin() as session:
        defer_notices(session, [6], bulk=False)
    run_worker(services)
    assert in_order_of_work(services) == [{"serial": 6}, {"serials": [1, 2]}, {"serials": [3, 4]}, {"serials": [5]}]


def in_order_of_work(services: Services) -> list[dict[str, object]]:
    """Return the arguments of the finished jobs, the first one first."""
    query = text(
        "select args from procrastinate_jobs j join procrastinate_events e on e.job_id = j.id "
        "where e.type = 'succeeded' and queue_name = 'notices' order by e.id"
    )
    with services.engine.connect() as connection:
        return list(connection.scalars(query))


def test_a_batch_change_without_codes_defers_no_job(services: Services) -> None:
    with services.begin() as session:
        defer_notices(session, [], bulk=True)
    assert acts.jobs(services) == []


WORKER = """
from app.core.settings import load_settings
from app.worker.app import run_worker
from app.runtime import make_services
from tests.support.clock import StandingClock

run_worker(make_services(load_settings(), StandingClock()), concurrency=4)
"""


@pytest.fixture
def worker_process(services: Services, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process as in production, but for its clock."""
    file = write_config(services.settings, tmp_path / "config.toml", wechat={"read_timeout_seconds": 20})
    root = Path(__file__).parents[1]
    process = subprocess.Popen([sys.executable, "-c", WORKER], cwd=root, env={"JIXIANG_CONFIG": str(file)})
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.slow
def test_a_slow_wechat_delays_no_other_work_and_a_stopped_worker_finishes_its_running_jobs(
    services: Services, phone: Callable[..., Phone], wechat_url: str, worker_process: subprocess.Popen[bytes]
) -> None:
    citizens = [phone(f"示例{name}").become_green() for name in "甲乙丙丁戊己庚辛壬"]
    assert len(citizens) > NOTICE_CONCURRENCY
    serials = [serial_of(services, citizen) for citizen in citizens]
    order = {"path": "/cgi-bin/message/subscribe/send", "delay": 5}
    requests.put(f"{wechat_url}/sandbox/failures", json=order, timeout=5).raise_for_status()
    for citizen, serial in zip(citizens, serials, strict=True):
        citizen.subscribe()
        tell(services, serial, contact(services.clock.now()))
    wait_until(lambda: statuses(services, DELIVER_NOTICES).count("doing") == NOTICE_CONCURRENCY)
    services.cache.drop()
    put(services, REFRESH_CACHE, serial=serials[0])
    wait_until(lambda: services.cache.get(serials[0]).state == State.ORANGE)
    assert statuses(services, DELIVER_NOTICES) == ["doing"] * 8 + ["todo"]
    worker_process.terminate()
    assert worker_process.wait(30) == 0
    assert statuses(services, DELIVER_NOTICES) == ["succeeded"] * 8 + ["todo"]
    assert [len(citizen.messages()) for citizen in citizens] == [1] * 8 + [0]


@pytest.mark.slow
def test_a_worker_whose_connections_to_the_database_break_works_on(
    services: Services, worker_process: subprocess.Popen[bytes]
) -> None:
    serial = open_green_code(services)
    wait_until(lambda: set(statuses(services, REFRESH_CACHE)) == {"succeeded"})
    connections = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    with services.engine.connect() as connection:
        connection.execute(text(f"select pg_terminate_backend(pid, 5000) {connections}"))
    services.cache.drop()
    put(services, REFRESH_CACHE, serial=serial)
    wait_until(lambda: services.cache.get(serial).state == State.GREEN)
    assert worker_process.poll() is None


def test_one_worker_of_a_process_asks_for_what_the_clock_repeats(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other asks for one task: with none, procrastinate would not see its heartbeat or its listener fail."""
    asked: list[set[str]] = []

    async def note(deferrer: PeriodicDeferrer) -> None:
        asked.append({name for name, _ in deferrer.registry.periodic_tasks})
        if len(asked) == 2:
            signal.raise_signal(signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setattr(PeriodicDeferrer, "worker", note)
    run_process(services, concurrency=1)
    assert sorted(asked, key=len) == [{RESCUE}, {RESCUE, *(task.name for task in SCHEDULE)}]


# --- workers that die ---------------------------------------------------------------------------------------------


def give_to_worker(services: Services, serial: int, silent_for: str) -> None:
    """Give the jobs of a code to a worker that has been silent for so long."""
    with services.engine.begin() as connection:
        worker = connection.scalar(
            text(
                "insert into procrastinate_workers (last_heartbeat) values (now() - cast(:age as interval)) "
                "returning id"
            ),
            {"age": silent_for},
        )
        connection.execute(
            text(
                "update procrastinate_jobs set status = 'doing', worker_id = :worker "
                "where status = 'todo' and args->>'serial' = :serial"
            ),
            {"worker": worker, "serial": str(serial)},
        )


def test_the_jobs_of_a_worker_that_died_are_given_to_another(services: Services, work: Work) -> None:
    serial = open_green_code(services)
    services.cache.drop()
    give_to_worker(services, serial, silent_for="2 minutes")
    run_worker(services, "rescue")
    work()
    assert services.cache.get(serial).state == State.GREEN
    assert "doing" not in statuses(services, REFRESH_CACHE) + statuses(services, DELIVER_NOTICES)


def test_the_jobs_of_a_worker_that_lives_are_left_to_it(services: Services) -> None:
    serial = open_green_code(services)
    give_to_worker(services, serial, silent_for="5 seconds")
    run_worker(services, "rescue")
    assert set(statuses(services, REFRESH_CACHE)) == {"doing"}


def test_finished_jobs_are_deleted_after_a_day_and_open_ones_never(services: Services, work: Work) -> None:
    serial = open_green_code(services)
    work()
    put(services, REFRESH_CACHE, serial=serial, wait=3600)
    with services.engine.begin() as connection:
        connection.execute(text("update procrastinate_events set at = at - interval '25 hours'"))
    run_worker(services, "rescue")
    assert statuses(services, REFRESH_CACHE) == ["todo"]
    assert statuses(services, DELIVER_NOTICES) == []


# --- jobs that fail -----------------------------------------------------------------------------------------------


def failed(attempts: int) -> Job:
    return Job(
        id=1, queue="default", lock=None, queueing_lock=None, task_name=REFRESH_CACHE, attempts=attempts, status="todo"
    )


@pytest.mark.parametrize(("attempts", "most"), [(0, 1), (1, 2), (3, 8), (5, 32), (6, 60), (1000, 60)])
def test_the_wait_before_the_next_attempt_grows_to_a_minute(attempts: int, most: int) -> None:
    now = procrastinate.utils.utcnow()
    for _ in range(20):
        decision = BackOff().get_retry_decision(exception=ConnectionError(), job=failed(attempts))
        assert decision is not None and decision.retry_at is not None
        wait = (decision.retry_at - now).total_seconds()
        assert max(1, most // 2) - 1 <= wait <= most + 5


def test_a_job_that_fails_does_not_hold_up_the_others(services: Services) -> None:
    first, second = open_green_code(services), open_green_code(services)
    services.cache.drop()
    put(services, REFRESH_CACHE, serial=999_999)  # a code that does not exist
    for serial in (first, second):
        put(services, REFRESH_CACHE, serial=serial)
    run_worker(services)
    assert [services.cache.get(serial).state for serial in (first, second)] == [State.GREEN, State.GREEN]
    assert acts.jobs(services) == [(REFRESH_CACHE, 999_999)]


def test_a_job_refreshes_the_code_that_it_names(services: Services, work: Work) -> None:
    first, second = open_green_code(services), open_green_code(services)
    work()
    services.cache.drop()
    put(services, REFRESH_CACHE, serial=second)
    run_worker(services)
    assert (services.cache.get(first).state, services.cache.get(second).state) == (State.EMPTY, State.GREEN)
    assert state(services, first) == State.GREEN
