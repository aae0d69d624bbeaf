"""Check stations: scans and temperatures, with every kind of code and token."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.audit import Actor
from app.codes.cache.color_cache import ColorCache
from app.core.clock import rfc3339
from app.core.errors import Problem
from app.runtime import Services, connect_redis
from app.stations.accounts import NewInspector, add_inspector
from tests.support.clock import StandingClock
from tests.support.codes import with_short_lease
from tests.support.people import PASSWORD, Phone, Station

Work = Callable[[], None]


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


# --- log-in -----------------------------------------------------------------------------------------------------


def test_an_inspector_logs_in_for_a_shift_at_their_station(client: FlaskClient, station: Station) -> None:
    body = {"username": " Inspector-1 ", "password": PASSWORD}
    answer = client.post("/api/v1/stations/login", json=body)
    assert answer.status_code == 200
    assert answer.json["station"] == "示例查验点"
    assert answer.json["expires_at"] == "2020-03-21T00:00:00+08:00"


def test_a_wrong_password_and_an_unknown_inspector_get_the_same_answer(client: FlaskClient, station: Station) -> None:
    answers = [
        client.post("/api/v1/stations/login", json={"username": name, "password": "wrong"})
        for name in ("inspector-1", "inspector-2")
    ]
    assert answers[0].status_code == 401
    assert answers[0].data == answers[1].data


def test_logging_out_ends_every_session_of_this_inspector_and_of_no_other(
    client: FlaskClient, services: Services, station: Station
) -> None:
    other = Station.open(client, services, "inspector-2")
    body = {"username": "inspector-1", "password": PASSWORD}
    second = Station(client, client.post("/api/v1/stations/login", json=body).json["session"])
    assert station.post("/api/v1/stations/logout", None).status_code == 204
    assert [slug(who.check("x")) for who in (station, second)] == ["session-expired"] * 2
    assert slug(other.check("x")) == "token-malformed"
    again = client.post("/api/v1/stations/login", json=body)
    assert slug(Station(client, again.json["session"]).check("x")) == "token-malformed"


# --- scans ------------------------------------------------------------------------------------------------------


def test_a_check_tells_the_color_what_to_do_and_nothing_about_the_person(citizen: Phone, station: Station) -> None:
    answer = station.check(citizen.code()["token"])
    assert answer.json == {
        "state": "GREEN",
        "color": "GREEN",
        "word": "绿码",
        "action": "pass",
        "instruction": "可以通行。",
        "as_of": "2020-03-20T12:00:00+08:00",
        "stale": False,
        "issuer": None,
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_inspector_may_read_english(citizen: Phone, station: Station, client: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {station.session}", "Accept-Language": "en"}
    answer = client.post("/api/v1/checks", json={"token": citizen.code()["token"]}, headers=headers)
    assert (answer.json["word"], answer.json["instruction"]) == ("Green", "The person may pass.")


def test_a_text_that_is_no_token_is_refused(citizen: Phone, station: Station) -> None:
    token = citizen.code()["token"]
    for odd in ("", "x", token + "0", token.lower(), token[4:], "\r\n", f"{token}\n0", f"\v{token}"):
        answer = station.check(odd)
        assert answer.status_code == 422, odd
        assert slug(answer) == ("token-malformed" if odd else "invalid-request")


@pytest.mark.parametrize("text_", ["https://example.org/", "JX1:", "🙂" * 213, " " * 213, "JX1:" + "长" * 209])
def test_a_qr_code_of_something_else_is_not_ours(station: Station, text_: str) -> None:
    assert slug(station.check(text_)) == "token-malformed"


def test_what_a_scanner_adds_to_a_code_is_no_part_of_it(citizen: Phone, station: Station, services: Services) -> None:
    scanned = "\ufeff " + citizen.code()["token"] + "\t\r\n"
    assert station.check(scanned).json["action"] == "pass"
    assert station.measure(scanned, 36.5).json["action"] == "pass"
    entry = {"id": str(uuid4()), "token": scanned, "at": rfc3339(services.clock.now()), "celsius": None}
    assert station.post("/api/v1/checks/offline", {"checks": [entry]}).json["results"][0]["result"] == "known"


SIGNATURE = 115  # characters before it


def test_a_token_that_was_changed_is_refused(citizen: Phone, station: Station) -> None:
    token = citizen.code()["token"]
    outcomes = set()
    for place in range(4, SIGNATURE, 7):
        changed = token[:place] + ("0" if token[place] != "0" else "1") + token[place + 1 :]
        answer = station.check(changed)
        assert answer.status_code in (422, 410), (place, answer.json)
        outcomes.add(slug(answer))
    assert "token-forged" in outcomes
    assert outcomes <= {"token-forged", "token-malformed", "token-unknown-key", "token-expired", "token-not-yet-valid"}


def test_a_token_is_known_by_its_pseudonym_and_its_signature_is_for_evidence_and_for_those_without_network(
    citizen: Phone, station: Station
) -> None:
    token = citizen.code()["token"]
    changed = token[:150] + ("0" if token[150] != "0" else "1") + token[151:]
    assert station.check(changed).json["action"] == "pass"
    assert slug(station.measure(changed, 36.5)) == "token-forged"


def test_a_token_is_worth_a_minute_and_a_few_seconds_of_clock_difference(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    token = citizen.code()["token"]
    clock.advance(seconds=69)
    assert station.check(token).json["action"] == "pass"
    clock.advance(seconds=2)
    answer = station.check(token)
    assert (answer.status_code, slug(answer)) == (410, "token-expired")


def test_the_color_is_that_of_this_moment_not_that_of_the_token(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    token = citizen.code()["token"]
    clock.advance(seconds=5)
    station.measure(token, 38.2)
    assert station.check(token).json["color"] == "YELLOW", "the screen still shows green"


def test_an_unverified_holder_is_measured(phone: Callable[..., Phone], station: Station, platform_url: str) -> None:
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5)
    citizen = phone()
    citizen.register()
    citizen.declare()
    answer = station.check(citizen.code()["token"])
    assert (answer.json["state"], answer.json["color"], answer.json["action"]) == ("UNVERIFIED", None, "measure")
    answer = station.measure(citizen.code()["token"], 36.5)
    assert (answer.json["state"], answer.json["action"]) == ("UNVERIFIED", "pass")
    assert answer.json["instruction"] == "体温正常，可以通行；吉祥码尚未核验完成，无需再次测量。"
    answer = station.measure(citizen.code()["token"], 37.3)
    assert (answer.json["color"], answer.json["action"]) == ("YELLOW", "measure")


def test_a_station_keeps_no_trace_of_who_was_scanned(citizen: Phone, station: Station, services: Services) -> None:
    def everything() -> str:
        with services.engine.connect() as connection:
            tables = connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")).all()
            query = "select string_agg(t::text, ';' order by t::text) from {} t"
            return "\n".join(str(connection.scalar(text(query.format(name)))) for name in tables)

    token = citizen.code()["token"]
    before = everything()
    for _ in range(3):
        station.check(token)
    assert everything() == before


# --- temperatures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("celsius", "status"),
    [(34.0, 200), (36, 200), (43.0, 200), *((odd, 422) for odd in (33.9, 43.1, 36.65, 0, -1, 98.6, 1e9))],
)
def test_a_temperature_is_one_that_a_living_person_can_have(
    citizen: Phone, station: Station, celsius: float, status: int
) -> None:
    answer = station.measure(citizen.code()["token"], celsius)
    assert answer.status_code == status
    if status == 422:
        assert [error["pointer"] for error in answer.json["errors"]] == ["/celsius"]


def test_measuring_takes_its_time(citizen: Phone, station: Station, clock: StandingClock) -> None:
    token = citizen.code()["token"]
    clock.advance(minutes=11)
    assert slug(station.check(token)) == "token-expired"
    assert station.measure(token, 36.6).status_code == 200, "scanned in time, measured a little later"
    clock.advance(seconds=11)
    assert slug(station.measure(token, 36.6)) == "token-expired"


def test_a_temperature_names_its_station_in_the_holders_history(citizen: Phone, station: Station) -> None:
    station.measure(citizen.code()["token"], 38.0)
    [evidence] = [item for item in citizen.history()[0]["evidence"] if item["kind"] == "temperature"]
    assert evidence["authority"] == "示例查验点"
    assert evidence["facts"] == {"celsius": "38.0"}
    assert "inspector" not in str(citizen.history())


def test_a_normal_temperature_leaves_a_green_code_as_it_is(citizen: Phone, station: Station) -> None:
    before = citizen.history()
    assert station.measure(citizen.code()["token"], 36.6).json["action"] == "pass"
    assert citizen.history() == before


def test_a_fever_that_stays_is_one_change_and_one_notice(
    citizen: Phone, station: Station, clock: StandingClock, work: Work
) -> None:
    for celsius in (37.8, 38.4, 37.3):
        clock.advance(minutes=1)
        assert station.measure(citizen.code()["token"], celsius).json["color"] == "YELLOW"
    work()
    assert [notice["state"] for notice in citizen.inbox()] == ["YELLOW", "GREEN"]


def test_symptoms_and_a_fever_both_have_to_go(citizen: Phone, station: Station, clock: StandingClock) -> None:
    station.measure(citizen.code()["token"], 38.0)
    clock.advance(minutes=1)
    citizen.declare(("cough",))
    clock.advance(minutes=1)
    assert station.measure(citizen.code()["token"], 36.5).json["color"] == "YELLOW"
    assert citizen.code()["reasons"][0]["rule"] == "YELLOW-SYMPTOMS"
    clock.advance(minutes=1)
    assert citizen.declare().json["color"] == "GREEN"


def test_with_redis_away_a_check_still_tells_the_present_color(
    citizen: Phone, station: Station, services: Services
) -> None:
    services = with_short_lease(services)
    redis = services.settings.redis.model_copy(update={"url": "redis://127.0.0.1:1/0"})
    nowhere = connect_redis(services.settings.model_copy(update={"redis": redis}))
    client = create_app(replace(services, redis=nowhere, cache=ColorCache(nowhere))).test_client()
    token = citizen.code()["token"]
    elsewhere = Station(client, station.session)
    assert elsewhere.measure(token, 38.0).json["color"] == "YELLOW"
    answer = elsewhere.check(token)
    assert (answer.json["color"], answer.json["stale"]) == ("YELLOW", False)


def test_a_given_password_of_an_inspector_ends_unless_it_is_used_in_time(
    client: FlaskClient, services: Services, station: Station, clock: StandingClock
) -> None:
    with services.begin() as session:
        new = NewInspector("示例查验点", "长春市", "inspector-idle", PASSWORD)
        add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())
    clock.advance(days=7)
    bodies = [{"username": name, "password": PASSWORD} for name in ("inspector-1", "inspector-idle")]
    assert [client.post("/api/v1/stations/login", json=body).status_code for body in bodies] == [200, 401]


@pytest.mark.parametrize("password", ["a", "123456789012", "jixiangma2020", "my-inspector-9-word"])
def test_a_bad_password_of_an_inspector_is_refused(services: Services, password: str) -> None:
    new = NewInspector("示例查验点", "长春市", "inspector-9", password)
    with pytest.raises(Problem, match="invalid-request"), services.begin() as session:
        add_inspector(session, new, actor=Actor("operator"), now=services.clock.now())
