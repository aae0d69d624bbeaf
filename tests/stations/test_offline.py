"""What was checked without network and is told afterwards: each entry by itself, each once, each as of its moment."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.audit import Actor
from app.codes.states import State
from app.codes.tokens import CodeTokens
from app.core.clock import rfc3339
from app.core.keys import create_keys, load_keys, rotate
from app.privacy.erasure import erase
from app.runtime import Services
from app.wechat.models import WeChatUser
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell, with_short_lease, without_database, without_redis
from tests.support.people import Phone, Station
from tests.support.stations import again, counted_at, elsewhere, move, numbers, today
from tests.support.waiting import PATIENCE

Work = Callable[[], None]
FIRST = 1  # the serial of the first code


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def entry(token: str, at: datetime, celsius: float | None = None, **changes: Any) -> dict[str, Any]:
    """A check, or with `celsius` a temperature, as a phone keeps it."""
    return {"id": str(uuid4()), "token": token, "at": rfc3339(at), "celsius": celsius, **changes}


def send(station: Station, *entries: dict[str, Any], language: str = "zh-CN") -> Any:
    headers = {"Authorization": f"Bearer {station.session}", "Accept-Language": language}
    return station.client.post("/api/v1/checks/offline", json={"checks": list(entries)}, headers=headers)


def results(station: Station, *entries: dict[str, Any]) -> list[str]:
    answer = send(station, *entries)
    assert answer.status_code == 200, answer.json
    assert [result["id"] for result in answer.json["results"]] == [told["id"] for told in entries]
    return [result["result"] for result in answer.json["results"]]


def temperatures(services: Services) -> list[tuple[str, str]]:
    """Every temperature that is evidence: when it was in Beijing, and how high."""
    query = "select at, facts->>'celsius' from evidence where kind = 'temperature' order by at, id"
    with services.engine.connect() as connection:
        return [(rfc3339(at)[11:16], celsius) for at, celsius in connection.execute(text(query))]


# --- what becomes of an entry -------------------------------------------------------------------------------------


def test_a_check_is_counted_and_a_temperature_registered(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    token, noon = citizen.code()["token"], clock.now()
    clock.advance(hours=2)
    check, fever = entry(token, noon), entry(token, noon + timedelta(seconds=90), 38.0)
    answer = send(station, check, fever)
    assert answer.json["results"] == [
        {"id": check["id"], "result": "counted", "detail": "已计入当时的查验数", "state": "GREEN", "word": "绿码"},
        {
            "id": fever["id"],
            "result": "registered",
            "detail": "体温已按测量时间登记",
            "state": "GREEN",
            "word": "绿码",
        },
    ]
    assert answer.headers["Cache-Control"] == "no-store"
    assert temperatures(services) == [("12:01", "38.0")]
    assert citizen.color() == "YELLOW"
    assert numbers(station) == (1, 0, 0, 1)


def test_a_check_counts_in_the_hour_in_which_it_was_by_the_state_that_was_seen(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    clock.advance_to("2020-03-20 23:50")
    station, at, seen = again(station), clock.now(), {}
    for state in (State.UNVERIFIED, State.GREEN, State.YELLOW, State.ORANGE, State.RED):
        seen[state] = services.tokens.mint(FIRST, state, at)
    clock.advance_to("2020-03-21 00:10")
    assert results(station, *[entry(token, at) for token in seen.values()]) == ["counted"] * 5
    assert numbers(station) == (0, 0, 0, 0), "that was yesterday"
    assert services.redis.hgetall(counted_at(services, "2020032023")) == {
        b"UNVERIFIED/measure": b"1",
        b"GREEN/pass": b"1",
        b"YELLOW/measure": b"1",
        b"ORANGE/stop": b"1",
        b"RED/stop": b"1",
    }


def test_a_fever_told_afterwards_reaches_its_holder_like_any_other(
    citizen: Phone, station: Station, clock: StandingClock, work: Work
) -> None:
    citizen.subscribe()
    token, noon = citizen.code()["token"], clock.now()
    clock.advance(hours=1)
    assert results(station, entry(token, noon, 38.5)) == ["registered"]
    work()
    assert [notice["state"] for notice in citizen.inbox()] == ["YELLOW", "GREEN"]
    assert len(citizen.messages()) == 1
    assert citizen.code()["reasons"][0]["since"] == "2020-03-20T12:00:00+08:00"
    assert station.check(citizen.code()["token"]).json["color"] == "YELLOW"


def test_its_holder_reads_station_and_that_it_came_afterwards_and_the_audit_names_the_inspector(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    token, noon = citizen.code()["token"], clock.now()
    clock.advance(hours=1)
    results(station, entry(token, noon, 38.5))
    [evidence] = [item for item in citizen.history()[0]["evidence"] if item["kind"] == "temperature"]
    assert (evidence["authority"], evidence["reference"]) == ("示例查验点", "station 1, offline")
    assert evidence["at"] == "2020-03-20T12:00:00+08:00"
    query = "select actor, serial, at, detail->>'evidence' from audit where action = 'told-afterwards'"
    with services.engine.connect() as connection:
        assert connection.execute(text(query)).all() == [("inspector:1", FIRST, clock.now(), evidence["id"])]


def test_nobody_learns_from_an_old_token_what_a_color_is_now(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    token, noon = citizen.code()["token"], clock.now()
    clock.advance(hours=1)
    tell(services, FIRST, contact(clock.now()))
    answer = send(station, entry(token, noon), entry(token, noon, 36.5))
    assert [result["state"] for result in answer.json["results"]] == ["GREEN", "GREEN"]
    assert citizen.color() == "ORANGE"


def test_the_answer_speaks_the_inspectors_language(citizen: Phone, station: Station, clock: StandingClock) -> None:
    token, noon = citizen.code()["token"], clock.now()
    told = [entry(token, noon), entry(token, noon, 36.5), entry("x", noon), entry(token, noon + timedelta(hours=-1))]
    answer = send(station, *told, language="en")
    assert [(result["detail"], result["word"]) for result in answer.json["results"]] == [
        ("Counted in the hour of the check", "Green"),
        ("The temperature is registered at the time of its measurement", "Green"),
        ("This is not a Jixiang code", None),
        ("The check is earlier than the code; check the clock of this phone", None),
    ]


# --- beside what came before and after ----------------------------------------------------------------------------


def test_a_fever_of_ten_told_at_twelve_leaves_a_code_green_that_was_normal_at_eleven(
    citizen: Phone, station: Station, services: Services, clock: StandingClock, work: Work
) -> None:
    token, ten = citizen.code()["token"], clock.now()
    clock.advance(hours=1)
    assert station.measure(citizen.code()["token"], 36.5).json["color"] == "GREEN"
    before = citizen.history()
    clock.advance(hours=1)
    assert results(station, entry(token, ten, 38.0)) == ["registered"]
    work()
    assert citizen.color() == "GREEN"
    assert citizen.history() == before
    assert [notice["state"] for notice in citizen.inbox()] == ["GREEN"]
    assert temperatures(services) == [("12:00", "38.0"), ("13:00", "36.5")]


def test_a_normal_temperature_ends_a_fever_before_it_and_none_after_it(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    early = citizen.code()["token"], clock.now()
    clock.advance(hours=1)
    station.measure(citizen.code()["token"], 38.0)
    clock.advance(hours=1)
    late = citizen.code()["token"], clock.now()
    clock.advance(hours=1)
    assert results(station, entry(*early, 36.5)) == ["registered"]
    assert citizen.color() == "YELLOW"
    assert results(station, entry(*late, 36.5)) == ["registered"]
    assert citizen.color() == "GREEN"


@pytest.mark.slow
def test_in_whatever_order_temperatures_are_told_the_last_one_measured_decides(
    phone: Callable[..., Phone], station: Station, clock: StandingClock
) -> None:
    chance = random.Random(20200320)
    for name in "甲乙丙丁戊己":
        citizen, measured = phone(f"示例{name}").become_green(), []
        for _ in range(5):
            clock.advance(minutes=20)
            celsius = chance.choice((36.5, 38.0))
            if chance.random() < 0.3:
                station.measure(citizen.code()["token"], celsius)
            else:
                measured.append(entry(citizen.code()["token"], clock.now(), celsius))
        chance.shuffle(measured)
        cut = chance.randrange(len(measured) + 1)
        for part in (measured[:cut], measured[cut:]):
            assert not part or set(results(station, *part)) == {"registered"}
        assert citizen.color() == ("YELLOW" if celsius == 38.0 else "GREEN")


# --- what is refused ----------------------------------------------------------------------------------------------


def test_each_refused_entry_says_why_and_spoils_no_other(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    clock.advance_to("2020-03-21 14:00")
    station, start = again(station), clock.now()
    old = services.tokens.mint(FIRST, State.GREEN, start - timedelta(hours=25))
    token = services.tokens.mint(FIRST, State.GREEN, start - timedelta(hours=1))
    at = start - timedelta(hours=1)
    changed = token[:-20] + ("0" if token[-20] != "0" else "1") + token[-19:]
    key = {
        "JX1:RRQT 9P60GO0NB7UW6HOC4R68CK%+6FN0F.B048WY0F.BU28Z-0C24%5Q3 8185$ 5SLNNYJ/$J4/0//TO-U:FF8CAFYK%8W514"
        "UTB1000001J0 78LMK%C7D*CY-CGB4P/D7*HM+8EU3S%CCQ2O+MJFP0*P-J2K.PGQ2O0D:M16JOO+F:X9:BM-B14KN 55STN0CPJWOW53/"
        "C720"
    }.pop()  # of docs/reference/token.md
    refused = {
        "token-malformed": entry("https://example.org/", at),
        "token-unknown-key": entry(key, at),
        "token-forged": entry(changed, at),
        "token-expired": entry(token, at + timedelta(seconds=71)),
        "token-not-yet-valid": entry(token, at - timedelta(seconds=11)),
        "check-too-old": entry(old, start - timedelta(hours=25)),
        "check-in-future": entry(token, start + timedelta(seconds=11)),
        "temperature-form": entry(token, at, 43.1),
    }
    told: list[dict[str, Any]] = []
    for bad in refused.values():
        told += [bad, entry(token, at, 36.5)]
    assert results(station, *told)[::2] == list(refused)
    assert results(station, *told)[1::2] == ["known"] * len(refused), "and the others were registered"
    assert len(temperatures(services)) == len(refused)
    assert numbers(station) == (0, 0, 0, len(refused))


@pytest.mark.parametrize("celsius", [0, -1, 33.9, 43.1, 36.65, 98.6, 1e9, 1e300, 5e-324])
def test_a_temperature_that_nobody_can_have_is_not_registered(
    citizen: Phone, station: Station, services: Services, clock: StandingClock, celsius: float
) -> None:
    assert results(station, entry(citizen.code()["token"], clock.now(), celsius)) == ["temperature-form"]
    assert temperatures(services) == []


def test_a_token_counts_in_its_minute_and_a_temperature_a_little_longer(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    token, start = citizen.code()["token"], clock.now()
    clock.advance(hours=3)

    def told(seconds: int, celsius: float | None = None) -> str:
        return results(station, entry(token, start + timedelta(seconds=seconds), celsius))[0]

    assert [told(-11), told(-10), told(70), told(71)] == ["token-not-yet-valid", "counted", "known", "token-expired"]
    assert [told(-11, 36.5), told(-10, 36.5)] == ["token-not-yet-valid", "registered"]
    assert [told(670, 36.5), told(671, 36.5)] == ["registered", "token-expired"]


def test_a_day_is_as_long_as_an_entry_may_wait(citizen: Phone, station: Station, clock: StandingClock) -> None:
    token, start = citizen.code()["token"], clock.now()
    clock.advance(hours=24)
    station = again(station)
    assert results(station, entry(token, start), entry(token, start, 36.5)) == ["counted", "registered"]
    clock.advance(seconds=1)
    assert results(station, entry(token, start), entry(token, start, 36.5)) == ["check-too-old"] * 2


def test_no_evidence_is_dated_ahead_by_a_phone_whose_clock_is(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    ahead = clock.now() + timedelta(seconds=10)
    assert results(station, entry(citizen.code()["token"], ahead, 38.0)) == ["registered"]
    with services.engine.connect() as connection:
        at = connection.scalar(text("select at from evidence where kind = 'temperature'"))
    assert at == clock.now()


@pytest.mark.parametrize(
    ("at", "result"),
    [
        ("0001-01-01T00:00:00+14:00", "check-too-old"),
        ("9999-12-31T23:59:59-12:00", "check-in-future"),
        ("2020-03-20T04:00:00Z", "registered"),
        ("2020-03-19T23:00:00.25-05:00", "registered"),
        ("2020-03-20T12:00:00+00:00", "check-in-future"),
    ],
)
def test_a_moment_may_have_any_offset(
    citizen: Phone, station: Station, clock: StandingClock, at: str, result: str
) -> None:
    assert results(station, {**entry(citizen.code()["token"], clock.now(), 36.5), "at": at}) == [result]


def test_a_key_that_has_been_retired_still_reads_the_tokens_of_its_time(
    citizen: Phone, station: Station, services: Services, clock: StandingClock, tmp_path: Path
) -> None:
    directory, settings = tmp_path / "keys", services.settings.tokens
    create_keys(directory, clock.now() - timedelta(days=30))
    before = CodeTokens(load_keys(directory), settings.life, settings.skew)
    rotate(directory, clock.now() + timedelta(hours=1))
    after = CodeTokens(load_keys(directory), settings.life, settings.skew)
    there, start = elsewhere(station, replace(services, tokens=after)), clock.now()
    token = before.mint(FIRST, State.GREEN, start)
    late = before.mint(FIRST, State.GREEN, start + timedelta(hours=1))
    clock.advance(hours=5)
    [old] = [key["kid"] for key in before.key_set(start)["keys"]]
    assert old not in [key["kid"] for key in after.key_set(clock.now())["keys"]], "stations have it no longer"
    assert results(there, entry(token, start), entry(token, start, 36.5)) == ["counted", "registered"]
    assert results(there, entry(late, start + timedelta(hours=1))) == ["token-unknown-key"], "made after its time"


# --- once ---------------------------------------------------------------------------------------------------------


def test_what_is_sent_again_is_known_and_nothing_is_done_twice(
    citizen: Phone, station: Station, services: Services, clock: StandingClock, work: Work
) -> None:
    told = [entry(citizen.code()["token"], clock.now()), entry(citizen.code()["token"], clock.now(), 38.0)]
    assert results(station, *told) == ["counted", "registered"]
    history = citizen.history()
    for _ in range(2):
        assert results(station, *told) == ["known", "known"]
    work()
    assert (citizen.history(), len(citizen.inbox())) == (history, 2)
    assert temperatures(services) == [("12:00", "38.0")]
    assert numbers(station) == (1, 0, 0, 1)


def test_an_id_counts_once_within_one_call_and_however_it_is_written(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    token, id_ = citizen.code()["token"], str(uuid4())
    told = [entry(token, clock.now(), celsius, id=id_) for celsius in (36.5, 36.6)]
    loud = entry(token, clock.now(), 36.7, id=id_.upper())
    assert results(station, *told, loud) == ["registered", "known", "known"]
    assert temperatures(services) == [("12:00", "36.5")]


def test_the_token_of_a_check_is_remembered_for_as_long_as_it_may_be_told(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    told = entry(citizen.code()["token"], clock.now() + timedelta(seconds=10))
    results(station, told)
    day = 24 * 3600
    [seen] = services.redis.scan_iter(counted_at(services, "seen:*"))
    assert day + 70 <= services.redis.ttl(seen) <= day + 80


def test_a_temperature_stays_known_when_it_has_become_too_old_to_be_told(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    told = entry(citizen.code()["token"], clock.now(), 36.5)
    assert results(station, told) == ["registered"]
    clock.advance(hours=30)
    assert results(again(station), told) == ["known"]


def test_of_many_who_send_the_same_at_once_one_is_answered_first_and_the_others_know_it(
    green_citizens: list[Phone], station: Station, services: Services, clock: StandingClock
) -> None:
    people = green_citizens
    told = [entry(person.code()["token"], clock.now(), celsius) for person in people for celsius in (None, 38.0, 36.5)]
    app, threads = create_app(services), 6
    start = Barrier(threads)

    def send_all(seed: int) -> dict[str, str]:
        order = random.Random(seed).sample(told, len(told))
        start.wait(PATIENCE)
        heard = results(Station(app.test_client(), station.session), *order)
        return {each["id"]: result for each, result in zip(order, heard, strict=True)}

    with ThreadPoolExecutor(threads) as pool:
        heard = list(pool.map(send_all, range(threads)))
    for each in told:
        first = "counted" if each["celsius"] is None else "registered"
        assert Counter(answer[each["id"]] for answer in heard) == {first: 1, "known": threads - 1}
    assert len(temperatures(services)) == 6
    assert numbers(station) == (3, 0, 0, 6)


def test_the_ids_of_one_station_are_nothing_to_another(
    citizen: Phone, station: Station, client: FlaskClient, services: Services, clock: StandingClock
) -> None:
    Station.open(client, services, "inspector-2")
    other = move(client, services, "inspector-2", "另一查验点")
    told = [entry(citizen.code()["token"], clock.now()), entry(citizen.code()["token"], clock.now(), 36.5)]
    for who in (station, other):
        assert results(who, *told) == ["counted", "registered"]


def test_a_colleague_may_send_what_a_first_answer_was_lost_for(
    citizen: Phone, station: Station, client: FlaskClient, services: Services, clock: StandingClock
) -> None:
    colleague = Station.open(client, services, "inspector-2")
    told = [entry(citizen.code()["token"], clock.now()), entry(citizen.code()["token"], clock.now(), 36.5)]
    assert results(station, *told) == ["counted", "registered"]
    assert results(colleague, *told) == ["known", "known"]


def test_what_an_inspector_checked_before_a_move_counts_where_it_was_and_nothing_counts_where_they_were_not(
    citizen: Phone, station: Station, client: FlaskClient, services: Services, clock: StandingClock
) -> None:
    colleague, there = Station.open(client, services, "inspector-2"), today(station).json["station"]
    token, noon = citizen.code()["token"], clock.now()
    before = [entry(token, noon, station=there), entry(token, noon, 38.0, station=there)]
    clock.advance(minutes=5)
    moved = move(client, services, "inspector-1", "另一查验点")
    clock.advance(minutes=5)
    after = [
        entry(citizen.code()["token"], clock.now(), station=name) for name in (there, "示例没有的站", "另一查验点")
    ]
    assert results(moved, after[0], *before, *after[1:]) == [
        "checked-elsewhere", "counted", "registered", "checked-elsewhere", "counted",
    ]  # fmt: skip
    assert results(moved, *before) == results(colleague, *before) == ["known", "known"]
    assert (numbers(colleague), numbers(moved)) == ((1, 0, 0, 1), (1, 0, 0, 0))
    clock.advance(hours=25)
    assert results(again(moved), after[0]) == ["check-too-old"], "it does not wait for ever"


# --- when parts are away --------------------------------------------------------------------------------------------


def test_while_redis_is_away_temperatures_are_registered_and_the_counts_are_asked_for_again(
    citizen: Phone, station: Station, services: Services, clock: StandingClock, work: Work
) -> None:
    away = elsewhere(station, without_redis(with_short_lease(services)))
    told = [entry(citizen.code()["token"], clock.now()), entry(citizen.code()["token"], clock.now(), 38.0)]
    answer = send(away, *told)
    assert (answer.status_code, answer.json["type"]) == (503, "/problems/unavailable")
    assert temperatures(services) == [("12:00", "38.0")], "evidence does not wait for a count"
    assert results(station, *told) == ["counted", "known"]
    assert results(away, told[1]) == ["known"]
    work()
    assert citizen.color() == "YELLOW"


def test_what_redis_has_forgotten_may_count_again_but_is_no_second_temperature(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    told = [entry(citizen.code()["token"], clock.now()), entry(citizen.code()["token"], clock.now(), 38.0)]
    results(station, *told)
    services.redis.flushdb()
    assert results(station, *told) == ["counted", "known"]
    assert len(temperatures(services)) == 1


def test_without_the_database_nothing_is_settled_and_all_may_be_sent_again(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    away = elsewhere(station, without_database(services))
    told = [entry(citizen.code()["token"], clock.now()), entry(citizen.code()["token"], clock.now(), 38.0)]
    assert send(away, *told).status_code == 503
    assert results(station, *told) == ["counted", "registered"]


# --- who holds the code ---------------------------------------------------------------------------------------------


def test_what_was_measured_on_an_earlier_holder_is_not_told_to_a_later_one_who_is_not_confirmed(
    phone: Callable[..., Phone], station: Station, services: Services, clock: StandingClock, platform_url: str
) -> None:
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5)
    person = phone("示例甲")
    person.register()
    person.declare()
    token, noon = person.code()["token"], clock.now()
    with services.begin() as session:
        erase(session, session.get_one(WeChatUser, 1), actor=Actor("citizen"), now=clock.now())
    clock.advance(minutes=1)
    stranger = phone("示例乙", document=person.document)
    stranger.register()
    stranger.declare()
    clock.advance(minutes=1)
    assert results(station, entry(token, noon, 38.0)) == ["registered"]
    assert stranger.color() == "UNVERIFIED"
    assert "YELLOW" not in str(stranger.history()) + str(stranger.inbox())


# --- the form of the call -------------------------------------------------------------------------------------------


def test_a_hundred_entries_fit_in_one_call_and_no_more(citizen: Phone, station: Station, clock: StandingClock) -> None:
    told = [entry(citizen.code()["token"], clock.now()) for _ in range(101)]
    assert set(results(station, *told[:100])) == {"counted"}
    for some in (told, []):
        answer = send(station, *some)
        assert (answer.status_code, [error["pointer"] for error in answer.json["errors"]]) == (422, ["/checks"])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "id",
            ["", "1", "x" * 36, str(UUID(int=1)).replace("-", ""), f"{{{UUID(int=1)}}}", f"urn:uuid:{UUID(int=1)}", 1],
        ),
        ("at", ["", "2020-03-20", "2020-03-20T12:00:00", "soon", "2020-03-20T12:00:00+99:00", 1584676800, None]),
        ("token", ["", None, 1, "x" * 1025]),
        ("celsius", ["36.5", True, [], "NaN"]),
    ],
)
def test_a_form_that_no_phone_sends_is_refused_with_its_place(
    citizen: Phone, station: Station, services: Services, clock: StandingClock, name: str, values: list[Any]
) -> None:
    token = citizen.code()["token"]
    for value in values:
        answer = send(station, entry(token, clock.now(), 36.5), {**entry(token, clock.now(), 36.5), name: value})
        assert answer.status_code == 422, value
        assert [error["pointer"] for error in answer.json["errors"]] == [f"/checks/1/{name}"], value
    assert temperatures(services) == []


def test_an_inspector_tells_so_often_and_no_more(
    citizen: Phone, station: Station, client: FlaskClient, services: Services, clock: StandingClock
) -> None:
    colleague = Station.open(client, services, "inspector-2")
    small = services.settings.limits.model_copy(update={"offline_checks": "2 per hour"})
    limited = create_app(replace(services, settings=services.settings.model_copy(update={"limits": small})))
    token = citizen.code()["token"]

    def tell_one(who: Station) -> int:
        return int(send(Station(limited.test_client(), who.session), entry(token, clock.now())).status_code)

    assert [tell_one(station) for _ in range(3)] == [200, 200, 429]
    assert tell_one(colleague) == 200
    assert station.check(token).status_code == 200, "checking goes on"
