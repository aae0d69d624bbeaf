"""The counts of a station today: which actions, when, for which station, and that they contain nobody."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from app.core.clock import rfc3339
from app.rules import Contact
from app.runtime import Services
from app.stations import rollup
from app.stations.inspector_cache import inspector_key
from app.stations.models import Inspector
from app.stations.models import Station as Place
from tests.support.clock import StandingClock
from tests.support.codes import new_id, tell, with_short_lease, without_database, without_redis
from tests.support.people import Phone, Station
from tests.support.stations import again, counted_at, elsewhere, move, numbers, today

FIRST = 1  # the serial of the first code


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


# --- what counts ------------------------------------------------------------------------------------------------


def test_a_day_without_a_check_is_all_zeros_and_tells_the_threshold(station: Station) -> None:
    answer = today(station)
    assert answer.json == {
        "station": "示例查验点",
        "date": "2020-03-20",
        "passed": 0,
        "measured": 0,
        "stopped": 0,
        "foreign": 0,
        "foreign_actions": {
            "UNVERIFIED": "measure",
            "GREEN": "pass",
            "YELLOW": "measure",
            "ORANGE": "stop",
            "RED": "stop",
        },
        "temperatures": 0,
        "fever_celsius": 37.3,
        "ending": None,
        "as_of": "2020-03-20T12:00:00+08:00",
        "hours": None,
        "outside_hours": False,
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_checks_count_by_what_they_were_answered_and_temperatures_for_themselves(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    for _ in range(2):
        assert station.check(citizen.code()["token"]).json["action"] == "pass"
    assert station.measure(citizen.code()["token"], 38.0).json["action"] == "measure"
    assert numbers(station) == (2, 0, 0, 1), "a temperature is no check"
    assert station.check(citizen.code()["token"]).json["action"] == "measure"
    clock.advance(minutes=1)
    assert station.measure(citizen.code()["token"], 36.5).json["action"] == "pass"
    assert numbers(station) == (2, 1, 0, 2), "who passes after a measurement was measured"
    tell(services, FIRST, Contact(id=new_id(), at=clock.now(), exposed_on=date(2020, 3, 19)))
    assert station.check(citizen.code()["token"]).json["action"] == "stop"
    assert numbers(station) == (2, 1, 1, 2)


def test_what_is_refused_does_not_count(citizen: Phone, station: Station, clock: StandingClock) -> None:
    token = citizen.code()["token"]
    station.check("x")
    station.measure(token, 44.0)
    station.measure(token, 36.65)
    clock.advance(minutes=2)
    station.check(token)
    assert numbers(station) == (0, 0, 0, 0)


def test_a_day_begins_at_midnight_in_beijing(citizen: Phone, station: Station, clock: StandingClock) -> None:
    clock.advance_to("2020-03-20 23:59")
    station.check(citizen.code()["token"])
    assert numbers(station) == (1, 0, 0, 0)
    clock.advance_to("2020-03-21 00:00")
    station = again(station)
    assert (today(station).json["date"], numbers(station)) == ("2020-03-21", (0, 0, 0, 0))
    station.check(citizen.code()["token"])
    clock.advance_to("2020-03-21 09:30")
    station.check(citizen.code()["token"])
    assert numbers(station) == (2, 0, 0, 0)


def test_the_threshold_is_that_of_the_policy_of_now(station: Station, services: Services, clock: StandingClock) -> None:
    [(since, old)] = services.policy.parameters
    later = (clock.now() + timedelta(hours=1), replace(old, fever_celsius=Decimal("37.5")))
    policy = replace(services.policy, parameters=((since, old), later))
    there = elsewhere(station, replace(services, policy=policy))
    assert today(there).json["fever_celsius"] == 37.3
    clock.advance(hours=1)
    assert today(there).json["fever_celsius"] == 37.5


# --- whose ------------------------------------------------------------------------------------------------------


def test_colleagues_count_together_and_other_stations_for_themselves(
    citizen: Phone, station: Station, client: FlaskClient, services: Services
) -> None:
    colleague = Station.open(client, services, "inspector-2")
    Station.open(client, services, "inspector-3")
    other = move(client, services, "inspector-3", "另一查验点")
    for who in (station, colleague, colleague, other):
        who.check(citizen.code()["token"])
    assert [numbers(who)[0] for who in (station, colleague, other)] == [3, 3, 1]
    assert today(other).json["station"] == "另一查验点"


def test_an_inspector_who_moves_counts_at_the_new_station_from_the_next_log_in(
    citizen: Phone, station: Station, client: FlaskClient, services: Services
) -> None:
    colleague = Station.open(client, services, "inspector-2")
    station.check(citizen.code()["token"])
    moved = move(client, services, "inspector-1", "另一查验点")
    assert station.check(citizen.code()["token"]).status_code == 401, "the old session has ended"
    moved.check(citizen.code()["token"])
    moved.measure(citizen.code()["token"], 38.0)
    assert (numbers(colleague), numbers(moved)) == ((1, 0, 0, 0), (1, 0, 0, 1))
    [evidence] = [item for item in citizen.history()[0]["evidence"] if item["kind"] == "temperature"]
    assert evidence["authority"] == "另一查验点"


def test_a_move_of_which_redis_does_not_know_counts_once_redis_has_forgotten_the_inspector(
    citizen: Phone, station: Station, client: FlaskClient, services: Services
) -> None:
    station.check(citizen.code()["token"])
    with services.begin() as session:
        place = Place(name="另一查验点", district="长春市", created_at=services.clock.now())
        session.add(place)
        session.flush()
        session.get_one(Inspector, 1).station_id = place.id
    services.cache.delete_values([inspector_key(1, 1)])
    assert today(station).json["station"] == "另一查验点"


# --- how it is kept ---------------------------------------------------------------------------------------------


def test_an_hour_of_a_station_is_one_hash_by_state_and_deed_and_goes_after_three_days(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    station.check(citizen.code()["token"])
    station.measure(citizen.code()["token"], 38.0)
    station.check(citizen.code()["token"])
    clock.advance(hours=1)
    station.check(citizen.code()["token"])
    redis = services.redis
    first = {b"GREEN/pass": b"1", b"YELLOW/measure": b"1"}  # temperatures are counted with their evidence
    assert redis.hgetall(counted_at(services, "2020032012")) == first
    assert redis.hgetall(counted_at(services, "2020032013")) == {b"YELLOW/measure": b"1"}
    assert 0 < redis.ttl(counted_at(services, "2020032012")) <= 3 * 24 * 3600


def test_a_token_counts_once_at_a_station_with_network_and_without(
    citizen: Phone, station: Station, client: FlaskClient, services: Services, clock: StandingClock
) -> None:
    token, noon = citizen.code()["token"], clock.now()
    changed = token[:150] + ("0" if token[150] != "0" else "1") + token[151:]  # another signature, which is not read
    for _ in range(3):
        assert [station.check(one).status_code for one in (token, changed)] == [200, 200]
    for hours in (0, 23):
        clock.advance(hours=hours)
        told = [{"id": str(uuid4()), "token": token, "at": rfc3339(noon), "celsius": None} for _ in range(50)]
        answer = again(station).post("/api/v1/checks/offline", {"checks": told})
        assert {one["result"] for one in answer.json["results"]} == {"known"}  # type: ignore[index]
    assert numbers(again(station)) == (0, 0, 0, 0), "it is the next day"
    assert rollup.day_counts(services, 1, noon).total() == 1


def test_a_hundred_ids_of_one_token_count_once_and_then_its_check_does_not(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    token = citizen.code()["token"]
    told = [{"id": str(uuid4()), "token": token, "at": rfc3339(clock.now()), "celsius": None} for _ in range(100)]
    answer = station.post("/api/v1/checks/offline", {"checks": told})
    assert [one["result"] for one in answer.json["results"]] == ["counted", *["known"] * 99]  # type: ignore[index]
    assert station.check(token).status_code == 200
    assert numbers(station) == (1, 0, 0, 0)
    station.check(citizen.code()["token"])
    assert numbers(station) == (2, 0, 0, 0), "another token of the same person"


def test_redis_holds_numbers_and_nothing_of_who_was_checked(
    citizen: Phone, phone: Callable[..., Phone], station: Station, services: Services
) -> None:
    other = phone("示例乙").become_green()

    def kept() -> dict[bytes, Any]:
        return {key: services.redis.hgetall(key) for key in services.redis.scan_iter(counted_at(services, "2*"))}

    station.check(citizen.code()["token"])
    one = kept()
    services.redis.delete(*one)
    station.check(other.code()["token"])
    assert kept() == one, "two people leave the same"
    station.check(other.code()["token"])
    [tokens] = [services.redis.smembers(key) for key in services.redis.scan_iter(counted_at(services, "seen:*"))]
    assert len(tokens) == 3, "a number for each token, and no two of one person are alike"
    assert (
        services.redis.object("encoding", next(services.redis.scan_iter(counted_at(services, "seen:*")))) == b"intset"
    )


def test_a_check_asks_no_database_for_its_station(citizen: Phone, station: Station, services: Services) -> None:
    token = citizen.code()["token"]
    services.lease.renew()
    today(station)  # the inspector's session is known from now on
    there = elsewhere(station, without_database(services))
    assert there.check(token).json["action"] == "pass"
    assert numbers(station) == (1, 0, 0, 0)


def test_while_redis_is_away_checks_and_temperatures_go_on_and_the_numbers_are_out_of_reach(
    citizen: Phone, station: Station, services: Services
) -> None:
    services = with_short_lease(services)
    away, token = elsewhere(station, without_redis(services)), citizen.code()["token"]
    assert away.check(token).json["action"] == "pass"
    assert away.measure(token, 38.0).json["color"] == "YELLOW"
    answer = today(away)
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert numbers(station) == (0, 0, 0, 1), "checks are not counted, and nothing made up for them"
