"""The roll-up of counts into the database: complete, once, and never less than before."""

from datetime import datetime

import pytest
from redis import RedisError
from sqlalchemy import select

from app.codes.states import State
from app.core.redis_client import servers_of
from app.runtime import Services
from app.stations import rollup
from app.stations.models import Station, StationCount
from tests.support.clock import StandingClock
from tests.support.codes import without_redis
from tests.support.jobs import run_worker
from tests.support.people import Phone
from tests.support.people import Station as StationApp

Numbers = dict[tuple[int, datetime, str, str], int]


def kept(services: Services) -> Numbers:
    with services.sessions() as session:
        rows = session.scalars(select(StationCount))
        return {(row.station_id, row.hour, State(row.state).name, row.action): row.number for row in rows}


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def test_the_job_writes_down_what_a_station_did_by_hour_color_and_deed(
    services: Services, citizen: Phone, station: StationApp, clock: StandingClock
) -> None:
    hour = clock.now().replace(minute=0, second=0)
    station.check(citizen.code()["token"])
    station.check(citizen.code()["token"])
    station.measure(citizen.code()["token"], 37.5)
    run_worker(services, "fold-counts")
    assert kept(services) == {(1, hour, "GREEN", "pass"): 2, (1, hour, "YELLOW", "temperature"): 1}


def test_folding_again_changes_nothing_and_what_came_since_is_added(
    services: Services, citizen: Phone, station: StationApp, clock: StandingClock
) -> None:
    station.check(citizen.code()["token"])
    for expected in (1, 1, 2):
        if expected == 2:
            station.check(citizen.code()["token"])
        rollup.roll_up(services, rollup.last_hours(clock.now(), 2))
        assert list(kept(services).values()) == [expected]


def test_a_redis_that_was_emptied_takes_nothing_away(
    services: Services, citizen: Phone, station: StationApp, clock: StandingClock
) -> None:
    station.check(citizen.code()["token"])
    station.check(citizen.code()["token"])
    rollup.roll_up(services, rollup.last_hours(clock.now(), 1))
    services.redis.flushdb()
    station.check(citizen.code()["token"])
    rollup.roll_up(services, rollup.last_hours(clock.now(), 1))
    assert list(kept(services).values()) == [3], "and what came since is added"


def test_the_last_minutes_of_an_hour_are_folded_after_it(
    services: Services, citizen: Phone, station: StationApp, clock: StandingClock
) -> None:
    clock.advance(minutes=59)
    station.check(citizen.code()["token"])
    clock.advance(minutes=6)
    run_worker(services, "fold-counts")
    assert list(kept(services).values()) == [1]


def test_a_worker_that_stood_still_for_two_days_misses_nothing(
    services: Services, citizen: Phone, station: StationApp, clock: StandingClock
) -> None:
    station.check(citizen.code()["token"])
    clock.advance(days=2, hours=12)
    run_worker(services, "fold-counts")
    assert kept(services) == {}
    run_worker(services, "fold-all-counts")
    assert list(kept(services).values()) == [1]


def test_without_redis_what_is_written_stays(
    services: Services, citizen: Phone, station: StationApp, clock: StandingClock
) -> None:
    station.check(citizen.code()["token"])
    rollup.roll_up(services, rollup.last_hours(clock.now(), 1))
    with pytest.raises(RedisError):
        rollup.roll_up(without_redis(services), rollup.last_hours(clock.now(), 1))
    assert list(kept(services).values()) == [1]


def test_stations_that_count_nothing_cost_no_round_trips_of_their_own(services: Services, clock: StandingClock) -> None:
    names = [f"示例站 {at}" for at in range(rollup.BATCH)]
    with services.begin() as session:
        session.add_all(Station(name=name, district="长春市", created_at=clock.now()) for name in names)

    def received() -> int:
        """How often the servers have received something."""
        return sum(server.info("stats")["total_reads_processed"] for server in servers_of(services.redis))

    before = received()
    rollup.roll_up(services, rollup.last_hours(clock.now(), 1))
    assert received() - before < rollup.BATCH / 5
