"""The whole system on a Valkey Cluster does what it does on one Valkey."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from app import create_app
from app.codes.cache.color_cache import ColorCache
from app.codes.cache.records import CacheRecord
from app.codes.cache.scripts import RECORDS_PER_KEY
from app.codes.states import State
from app.core.redis_client import ClusterRedis, servers_of
from app.runtime import Services
from app.stations import rollup
from app.worker.cache import keep_cache
from tests.support.clock import StandingClock
from tests.support.codes import fever, lease_for_long, open_green_code, tell, without_database
from tests.support.jobs import run_worker
from tests.support.people import Phone, Station

pytestmark = pytest.mark.slow


@pytest.fixture
def citizen(host: Services, phone: Callable[..., Phone]) -> Phone:
    citizen = phone()
    citizen.client = create_app(host).test_client()
    return citizen.become_green()


@pytest.fixture
def there(host: Services, citizen: Phone, station: Station) -> Station:
    return Station(citizen.client, station.session)


def test_colors_are_read_from_the_cluster_without_the_database(host: Services) -> None:
    serial = open_green_code(host)
    lease_for_long(host)
    assert host.current_code(serial).record.state == State.GREEN
    alone = without_database(host)
    assert (alone.current_code(serial).record.state, alone.current_code(serial).stale) == (State.GREEN, False)
    tell(host, serial, fever(host.clock.now()))
    assert (alone.current_code(serial).record.state, alone.current_code(serial).stale) == (State.YELLOW, False)


def test_records_are_spread_over_the_masters_and_dropped_on_all_of_them(client_of_cluster: ClusterRedis) -> None:
    cache = ColorCache(client_of_cluster)
    record = CacheRecord(State.GREEN, 1, 0, 1, 0, 2**32 - 1)
    serials = [string * RECORDS_PER_KEY + string for string in range(192)]
    assert cache.put((serial, record) for serial in serials) == len(serials)
    assert [cache.get(serial) for serial in serials] == [record] * len(serials)
    assert cache.blocks() == list(range(192))
    shares = [sum(1 for _ in server.scan_iter("jx:codes:*")) for server in servers_of(client_of_cluster)]
    assert len(shares) == 3 and all(57 <= share <= 72 for share in shares), "a test before has moved a slot"
    cache.forget(serials[:2])
    assert cache.get(serials[0]).state == State.EMPTY
    cache.drop()
    assert cache.blocks() == []


def test_a_part_that_was_emptied_is_filled_again_and_the_others_are_left(host: Services) -> None:
    serial = open_green_code(host)
    keep_cache(host)
    other = host.cache.parts[5]
    kept = host.cache.generations_of([other])
    emptied = host.cache.parts.of_serial(serial)
    host.cache.connections.execute("DEL", emptied.generation_key)
    host.lease.renew()
    assert host.cache.get(serial).state == State.EMPTY
    keep_cache(host)
    assert host.cache.get(serial).state == State.GREEN
    assert host.cache.generations_of([other]) == kept


def test_a_station_counts_a_token_once_and_the_counts_come_into_the_database(
    host: Services, citizen: Phone, there: Station, clock: StandingClock
) -> None:
    token = citizen.code()["token"]
    assert [there.check(token).json["action"] for _ in range(3)] == ["pass"] * 3  # type: ignore[index]
    assert rollup.day_counts(host, 1, clock.now())["pass"] == 1
    for station in range(1, 3):
        rollup.roll_up_stations(host, [station], rollup.last_hours(clock.now(), 1))
    with host.engine.connect() as connection:
        assert connection.scalar(text("select sum(number) from station_counts where action = 'pass'")) == 1


def test_an_inspector_who_logs_out_is_turned_away_at_once(there: Station, citizen: Phone) -> None:
    token = citizen.code()["token"]
    assert there.check(token).status_code == 200
    assert there.post("/api/v1/stations/logout", {}).status_code == 204
    assert there.check(token).status_code == 401


def test_wrong_log_ins_are_limited_for_all_machines_together(host: Services) -> None:
    limits = host.settings.limits.model_copy(update={"login": "3 per minute"})
    settings = host.settings.model_copy(update={"limits": limits})
    clients = [create_app(replace(host, settings=settings)).test_client() for _ in range(2)]
    body = {"username": "nobody", "password": "a-wrong-Password-1"}
    answers = [client.post("/api/v1/stations/login", json=body).status_code for client in clients * 2]
    assert answers == [401, 401, 401, 429]


def test_a_notice_is_sent_with_an_access_token_that_is_kept_in_the_cluster(
    host: Services, citizen: Phone, there: Station
) -> None:
    citizen.subscribe()
    assert there.measure(citizen.code()["token"], 38.0).json["color"] == "YELLOW"  # type: ignore[index]
    run_worker(host)
    assert len(citizen.messages()) == 1
    assert list(host.redis.scan_iter("wechat:*access_token"))


def test_a_whole_cluster_is_ready(host: Services) -> None:
    lease_for_long(host)
    ready = create_app(host).test_client().get("/readyz")
    assert (ready.json["parts"]["redis"], ready.json["parts"]["cache"]) == ("ok", "ok")  # type: ignore[index]
