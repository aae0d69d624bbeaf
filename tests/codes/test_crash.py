"""A process that dies between its commit and the cache: the change stands, and its job mends the cache.

The other process is a real one, made from the same settings, and killed by a signal.
"""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.codes import ledger
from app.codes.cache.records import make_record
from app.codes.states import State
from app.core.redis_client import connect
from app.runtime import Services
from app.worker.app import make_worker_app
from devstack.embedded import start_valkey
from tests.support.clock import START, StandingClock
from tests.support.codes import (
    code,
    contact,
    decisions,
    fever,
    jobs,
    open_green_code,
    state,
    tell,
    with_redis,
    with_short_lease,
    without_redis,
    write_config,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

Work = Callable[[], None]

# Records a fever for a code. Given "after" or "before", the process kills itself right after or before the commit.
CHILD = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.orm import Session
from app.core.settings import load_settings
from app.runtime import make_services
from tests.support.codes import fever, tell
from tests.support.clock import START, StandingClock

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

serial, when, times = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
services = make_services(load_settings(), StandingClock())
if when != "never":
    event.listen(Session, f"{when}_commit", die)
for _ in range(times):
    tell(services, serial, fever(START))
services.close()
"""


@pytest.fixture
def record_elsewhere(services: Services, tmp_path: Path) -> Callable[..., int]:
    """Another process records a fever; returns how it ended."""
    file = write_config(services.settings, tmp_path / "config.toml")

    def run(serial: int, dies: str = "never", times: int = 1) -> int:
        arguments = [sys.executable, "-c", CHILD, str(serial), dies, str(times)]
        root = Path(__file__).parents[2]
        return subprocess.run(
            arguments, cwd=root, env={"JIXIANG_CONFIG": str(file)}, timeout=60, check=False
        ).returncode

    return run


def assert_cache_is_right(services: Services, serial: int) -> None:
    assert services.cache.get(serial) == make_record(code(services, serial), services.policy.rules)


# --- a process that is killed -------------------------------------------------------------------------------------


def test_a_process_killed_between_commit_and_cache_leaves_a_job_that_mends_the_cache(
    services: Services, record_elsewhere: Callable[..., int], work: Work
) -> None:
    serial = open_green_code(services)
    assert record_elsewhere(serial, dies="after") == -signal.SIGKILL
    assert state(services, serial) == State.YELLOW, "the commit stands"
    assert services.cache.get(serial).state == State.EMPTY, "marked, so that nobody reads the old color"
    assert services.current_code(serial).record.state == State.YELLOW
    work()
    assert services.cache.get(serial).state == State.YELLOW
    assert_cache_is_right(services, serial)


def test_a_process_killed_before_its_commit_has_changed_nothing(
    services: Services, record_elsewhere: Callable[..., int], work: Work
) -> None:
    serial = open_green_code(services)
    work()
    assert record_elsewhere(serial, dies="before") == -signal.SIGKILL
    assert jobs(services) == []
    work()
    assert state(services, serial) == services.current_code(serial).record.state == State.GREEN
    tell(services, serial, contact(START))
    assert state(services, serial) == State.ORANGE, "the lock went with the process"


def test_two_processes_change_one_code_one_after_the_other(
    services: Services, record_elsewhere: Callable[..., int]
) -> None:
    serial = open_green_code(services)
    before = code(services, serial).version
    with ThreadPoolExecutor(2) as pool:
        with services.begin() as session:
            ledger.lock_code(session, serial)
            running = [pool.submit(record_elsewhere, serial, times=12) for _ in range(2)]
            _wait_for_two_at_the_lock(services)
        ends = [process.result(60) for process in running]
    assert ends == [0, 0]
    versions = [row.version for row in decisions(services, serial)[1:]]
    assert len(versions) > 1
    assert versions == list(range(before + 1, before + 1 + len(versions)))
    assert code(services, serial).version == versions[-1]
    assert_cache_is_right(services, serial)


def _wait_for_two_at_the_lock(services: Services) -> None:
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        wait_until(
            lambda: connection.exec_driver_sql(waiting).scalar() == 2, "the other processes do not come to the lock"
        )


# --- Redis that is away for a while -------------------------------------------------------------------------------


def test_changes_made_while_redis_is_away_are_in_the_cache_once_it_is_back(services: Services, work: Work) -> None:
    serial = open_green_code(services)
    services = with_short_lease(services)
    away = without_redis(services)
    tell(away, serial, fever(START))
    tell(away, serial, contact(START))
    assert services.cache.get(serial).state == State.GREEN, "what Redis last knew"
    work()
    assert services.cache.get(serial).state == State.ORANGE
    assert_cache_is_right(services, serial)


def test_the_job_tries_again_until_redis_is_back(services: Services, work: Work) -> None:
    serial = open_green_code(services)
    work()
    services = with_short_lease(services)
    away = without_redis(services)
    tell(away, serial, fever(START))
    worker = make_worker_app(away)
    with worker.open():
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    assert ("refresh-cache", serial) in jobs(services), "not given up"
    assert services.cache.get(serial).state == State.GREEN
    _let_jobs_wait_no_longer(services)
    work()
    assert services.cache.get(serial).state == State.YELLOW
    assert jobs(services) == []


def _let_jobs_wait_no_longer(services: Services) -> None:
    """The seconds after which a failed job is tried again are over."""
    with services.engine.begin() as connection:
        connection.exec_driver_sql("update procrastinate_jobs set scheduled_at = null where status = 'todo'")


def test_a_redis_that_came_back_empty_is_filled_as_codes_are_read(services: Services, tmp_path: Path) -> None:
    serial = open_green_code(services)
    with start_valkey(tmp_path, persistent=False) as valkey, connect(valkey.url, 0.5) as redis:
        fresh = with_redis(services, redis)
        assert fresh.current_code(serial).record.state == State.GREEN
        assert_cache_is_right(fresh, serial)


def test_a_job_that_comes_late_does_not_undo_what_has_happened_since(
    services: Services, clock: StandingClock, work: Work
) -> None:
    serial = open_green_code(services)
    services = with_short_lease(services)
    tell(without_redis(services), serial, fever(START))
    clock.advance(minutes=5)
    tell(services, serial, fever(clock.now(), "36.5"))
    work()
    assert services.cache.get(serial).state == State.GREEN
    assert_cache_is_right(services, serial)
