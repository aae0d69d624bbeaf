"""Counts over restarts of Redis: without data, with older data, emptied, and one after the other; never twice."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from app.codes.cache.color_cache import ColorCache
from app.core.clock import SystemClock
from app.core.redis_client import connect
from app.runtime import Services
from app.stations import rollup
from tests.support.clock import StandingClock
from tests.support.codes import write_config
from tests.support.jobs import run_worker
from tests.support.people import Phone, Station
from tests.support.stations import elsewhere, numbers
from tests.support.valkey import valkey_with
from tests.support.waiting import PATIENCE, wait_until

SECONDS = "roll-up-counts"  # the task that runs every two seconds


class Place:
    """A station whose Redis is killed and started again, with the snapshot that was taken last or with none."""

    def __init__(self, directory: Path, services: Services, station: Station, citizen: Phone) -> None:
        self._directory, self._first, self._inspector, self._citizen = directory, services, station, citizen
        self._server = ExitStack()
        self._start()

    def _start(self) -> None:
        self.url = self._server.enter_context(valkey_with(self._directory))
        redis = connect(self.url, 2)
        self.services = replace(self._first, redis=redis, cache=ColorCache(redis))
        self.station = elsewhere(self._inspector, self.services)
        self.services.refresh_cache([1])

    def check(self, times: int) -> None:
        for _ in range(times):
            assert self.station.check(self._citizen.code()["token"]).status_code == 200

    def measure(self) -> None:
        self.station.measure(self._citizen.code()["token"], 36.5)

    def roll_up(self) -> None:
        run_worker(self.services, SECONDS)

    def snapshot(self) -> None:
        self.services.redis.save()

    def restart(self, *, lost: bool = False) -> None:
        """Kill Redis and start it with its snapshot, or without any data when it is `lost`."""
        os.kill(int(self.services.redis.info("server")["process_id"]), signal.SIGKILL)
        self.close()
        if lost:
            (self._directory / "dump.rdb").unlink(missing_ok=True)
        self._start()

    @property
    def passed(self) -> int:
        return numbers(self.station)[0]

    @property
    def stored(self) -> int:
        with self.services.engine.connect() as connection:
            query = "select coalesce(sum(number), 0) from station_counts where action = 'pass'"
            return int(connection.scalar(text(query)) or 0)

    def close(self) -> None:
        self.services.redis.close()
        self._server.close()


@pytest.fixture
def place(tmp_path: Path, services: Services, station: Station, green_citizen: Phone) -> Iterator[Place]:
    place = Place(tmp_path / "valkey", services, station, green_citizen)
    yield place
    place.close()


def test_what_was_rolled_up_stays_when_redis_starts_with_nothing(place: Place) -> None:
    place.check(5)
    place.roll_up()
    place.check(2)
    assert place.passed == 7
    place.restart(lost=True)
    assert place.passed == 5, "what was counted since the last roll-up is lost, and nothing else"
    place.check(3)
    assert place.passed == 8, "at once, without waiting for a roll-up"
    place.roll_up()
    assert (place.passed, place.stored) == (8, 8)


def test_a_snapshot_older_than_the_roll_up_takes_nothing_back_and_doubles_nothing(place: Place) -> None:
    place.check(3)
    place.snapshot()
    place.check(4)
    place.roll_up()
    place.restart()
    assert place.passed == 7
    place.roll_up()
    assert (place.passed, place.stored) == (7, 7)
    place.check(2)
    assert place.passed == 9
    place.roll_up()
    place.roll_up()
    assert (place.passed, place.stored) == (9, 9)


def test_a_snapshot_newer_than_the_roll_up_brings_what_was_not_yet_rolled_up(place: Place) -> None:
    place.check(3)
    place.roll_up()
    place.check(4)
    place.snapshot()
    place.check(1)
    place.restart()
    assert place.passed == 7
    place.check(1)
    place.roll_up()
    assert (place.passed, place.stored) == (8, 8)


def test_a_redis_that_somebody_emptied_loses_what_was_not_rolled_up(place: Place) -> None:
    place.check(5)
    place.roll_up()
    place.services.redis.flushall()
    place.services.refresh_cache([1])
    place.check(2)
    assert place.passed == 7
    place.roll_up()
    assert (place.passed, place.stored) == (7, 7)


def test_a_snapshot_of_before_redis_was_emptied_is_not_counted_again(place: Place) -> None:
    place.check(5)
    place.roll_up()
    place.snapshot()
    place.services.redis.flushall()
    place.services.refresh_cache([1])
    place.check(2)
    place.roll_up()
    place.restart()
    assert place.passed == 7
    place.roll_up()
    place.check(1)
    place.roll_up()
    assert (place.passed, place.stored) == (8, 8)


def test_a_snapshot_of_an_earlier_start_without_data_is_not_taken_for_new_counts(place: Place) -> None:
    place.restart(lost=True)
    place.check(4)
    place.roll_up()
    place.snapshot()
    place.restart()
    place.roll_up()
    place.restart()
    place.roll_up()
    assert (place.passed, place.stored) == (4, 4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_over_any_restarts_a_count_is_between_what_was_rolled_up_and_what_was_checked(place: Place, seed: int) -> None:
    dice, checked, least, gap = random.Random(seed), 0, 0, 0
    for _ in range(12):
        new = dice.randint(0, 4)
        place.check(new)
        checked, gap = checked + new, gap + new
        step = dice.choice(["roll_up", "snapshot", "restart", "lost", "flush", "nothing"])
        if step == "roll_up":
            place.roll_up()
            least, gap = place.stored, 0
        elif step == "snapshot":
            place.snapshot()
        elif step in ("restart", "lost"):
            place.restart(lost=step == "lost")
        elif step == "flush":
            place.services.redis.flushall()
            place.services.refresh_cache([1])
        assert least <= place.stored <= place.passed <= checked, step
    place.roll_up()
    assert place.passed == place.stored


def test_temperatures_are_as_many_as_their_evidence_whatever_happens_to_redis(place: Place) -> None:
    for number in range(6):
        place.measure()
        place.restart(lost=number % 2 == 0)
    place.roll_up()
    with place.services.engine.connect() as connection:
        evidence = connection.scalar(text("select count(*) from evidence where kind = 'temperature'"))
    assert (numbers(place.station)[3], evidence) == (6, 6)


def test_two_workers_at_once_roll_nothing_up_twice(place: Place) -> None:
    hours = rollup.last_hours(place.services.clock.now(), 1)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            place.check(3)
            list(threads.map(lambda _: rollup.roll_up(place.services, hours), range(8)))
    assert place.stored == 15


def test_a_transaction_that_fails_rolls_the_same_up_later(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.check(2)
    with place.services.engine.begin() as connection:
        connection.execute(text("alter table station_counts add constraint refused check (number < 0) not valid"))
    with pytest.raises(Exception, match="refused"):
        rollup.roll_up(place.services, rollup.last_hours(place.services.clock.now(), 1))
    with place.services.engine.begin() as connection:
        connection.execute(text("alter table station_counts drop constraint refused"))
    place.roll_up()
    assert place.stored == 2


def test_a_count_is_kept_for_400_days(place: Place, clock: StandingClock) -> None:
    place.check(1)
    place.roll_up()
    clock.advance(days=399)
    run_worker(place.services, "fold-all-counts")
    assert place.stored == 1
    clock.advance(days=2)
    run_worker(place.services, "fold-all-counts")
    assert place.stored == 0


@pytest.mark.slow
def test_a_running_worker_stores_counts_within_seconds(place: Place, tmp_path: Path) -> None:
    ahead = place.services.clock.now() - SystemClock().now()  # the worker's day is that of the test
    (tmp_path / "clock").write_text(str(int(ahead.total_seconds())))
    ours = {"redis": {"url": place.url}, "clock": {"file": str(tmp_path / "clock")}}
    file = write_config(place.services.settings, tmp_path / "config.toml", **ours)
    place.check(3)
    worker = subprocess.Popen([sys.executable, "-m", "app", "worker"], env={**os.environ, "JIXIANG_CONFIG": str(file)})
    try:
        wait_until(lambda: place.stored >= 3)
        place.check(2)
        wait_until(lambda: place.stored >= 5)
        assert place.stored == 5
    finally:
        worker.terminate()
        worker.wait(PATIENCE)
