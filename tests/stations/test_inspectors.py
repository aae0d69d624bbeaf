"""Inspectors are stopped at once, also on the fast path: by administrators at the console, and by operators."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import AuditEvent
from app.cli import base, main
from app.runtime import Services
from app.stations import rollup
from app.stations.models import Inspector
from app.stations.models import Station as Place
from tests.support.desk import Desk, make_officer, text_of
from tests.support.people import PASSWORD, Phone, Station

NAME = "inspector-1"
GIVEN = {"JIXIANG_NEW_PASSWORD": PASSWORD}


@pytest.fixture
def desk(services: Services, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desk]:
    """Makes administrators, logged in."""

    def sit(username: str = "officer-1", district: str | None = None, role: str = "administrator") -> Desk:
        make_officer(services, username, role, district=district)
        return Desk(app, services, username).ensure_logged_in()

    return sit


@pytest.fixture
def jixiang(services: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `jixiang stations …` on these services."""
    monkeypatch.setattr(base, "services", lambda: services)
    return lambda *words, **options: CliRunner().invoke(main, ["stations", *words], **options)


def other_place(services: Services, name: str = "示例查验点二", district: str = "长春市") -> int:
    with services.begin() as session:
        place = Place(name=name, district=district, created_at=services.clock.now())
        session.add(place)
        session.flush()
        return place.id


def log_in(client: FlaskClient, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/api/v1/stations/login", json={"username": NAME, "password": password, **more})


def deeds(services: Services) -> list[tuple[str, str]]:
    with services.sessions() as session:
        events = session.scalars(
            select(AuditEvent)
            .where(AuditEvent.action.like("inspector-%"), AuditEvent.action != "inspector-logged-in")
            .order_by(AuditEvent.id)
        )
        return [(event.actor.split(":")[0], event.action) for event in events][1:]


def stopped_on_both_ways(station: Station, token: str) -> bool:
    """Whether the session is refused, where the fast path had answered it before."""
    return [station.check(token).status_code, station.post("/api/v1/stations/logout", {}).status_code] == [401, 401]


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["disable", "end-sessions", "reset-password", "move"])
@pytest.mark.parametrize("by", ["console", "command"])
def test_a_session_ends_with_the_next_request(
    services: Services, app: Flask, client: FlaskClient, station: Station, phone: Callable[..., Phone],
    desk: Callable[..., Desk], jixiang: Callable[..., Result], verb: str, by: str,
) -> None:  # fmt: skip
    token = phone("示例甲").become_green().code()["token"]
    assert station.check(token).status_code == 200
    other_place(services)
    if by == "console":
        path = "/console/inspectors/1" + ("" if verb == "move" else f"/{verb}")
        assert desk().send(path, {"station": "示例查验点二"} if verb == "move" else {}).status_code in (200, 303)
    else:
        command = {"end-sessions": "end-inspector-sessions", "reset-password": "reset-inspector-password"}
        words = [command.get(verb, f"{verb}-inspector"), "--username", NAME]
        assert jixiang(*words, *(["--station", "示例查验点二"] if verb == "move" else [])).exit_code == 0
    assert stopped_on_both_ways(station, token)
    assert log_in(client).status_code == (401 if verb in ("disable", "reset-password") else 200)
    action = {"disable": "disabled", "reset-password": "password-reset", "move": "moved"}.get(verb, "sessions-ended")
    assert deeds(services) == [("officer" if by == "console" else "operator", f"inspector-{action}")]


def test_who_was_closed_can_be_opened_again(
    services: Services, client: FlaskClient, station: Station, desk: Callable[..., Desk]
) -> None:
    me = desk()
    for verb, status, word in (("disable", 401, "已停用"), ("disable", 401, "已停用"), ("enable", 200, "正常")):
        assert me.send(f"/console/inspectors/1/{verb}").status_code == 303
        assert log_in(client).status_code == status
        assert word in text_of(me.get("/console/inspectors"))
    assert station.post("/api/v1/stations/logout", {}).status_code == 401, "the session of before stays ended"
    assert [action for _, action in deeds(services)] == ["inspector-disabled", "inspector-enabled"]


def test_a_new_password_is_shown_once_and_works(
    client: FlaskClient, station: Station, desk: Callable[..., Desk], jixiang: Callable[..., Result]
) -> None:
    shown = desk().send("/console/inspectors/1/reset-password")
    [password] = re.findall(r"<code>([^<]+)</code>", shown.text)
    assert log_in(client, password, new_password="another-Word-2020").status_code == 200
    printed = jixiang("reset-inspector-password", "--username", NAME).stdout.splitlines()[-1]
    assert log_in(client, password).status_code == 401
    assert log_in(client, printed).json["type"].endswith("must-change-password")


def test_a_password_that_somebody_else_knows_opens_nothing_and_is_changed_at_the_log_in(
    client: FlaskClient, services: Services, station: Station, jixiang: Callable[..., Result]
) -> None:
    given = jixiang("reset-inspector-password", "--username", NAME).stdout.splitlines()[-1]
    own = "another-Word-2020"
    asked = log_in(client, given)
    assert (asked.status_code, "session" in asked.json) == (403, False)
    for new, slug in ((given, "password-same"), ("short", "password-short")):
        refused = log_in(client, given, new_password=new)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json["errors"]] == ["/new_password"], slug
    opened = Station(client, log_in(client, given, new_password=own).json["session"])
    assert opened.post("/api/v1/stations/logout", {}).status_code == 204
    assert [log_in(client, word).status_code for word in (given, own)] == [401, 200]
    assert [action for _, action in deeds(services)] == ["inspector-password-reset", "inspector-password-changed"]
    assert log_in(client, "wrong", new_password="yet-Another-2020").status_code == 401


@pytest.mark.parametrize("username", ["Ab", "1inspector", "查验员一号", "inspector 1"])
def test_an_inspectors_user_name_has_the_form_of_an_officers(jixiang: Callable[..., Result], username: str) -> None:
    options = ["--station", "示例", "--district", "长春市", "--username", username]
    told = jixiang("add-inspector", *options, env=GIVEN)
    assert told.exit_code == 1 and "/username must be 4 to 32" in told.stderr


def test_all_of_an_inspector_is_checked_before_their_password_is_asked_for(
    station: Station, jixiang: Callable[..., Result]
) -> None:
    def told(place: str, district: str, username: str) -> str:
        words = ("--station", place, "--district", district, "--username", username)
        refused = jixiang("add-inspector", *words, input=f"{PASSWORD}\n{PASSWORD}\n")
        assert refused.exit_code == 1 and "Password" not in refused.output
        return refused.stderr

    wrong = told(" ", "示例市", "Ab")
    assert all(field in wrong for field in ("/username", "/station", "/district"))
    assert "/station" in told("示" * 61, "长春市", "inspector-9")
    assert "/district" in told("示例查验点", "吉林市", "inspector-9"), "it is in another one"
    assert "/username" in told("示例查验点", "长春市", NAME)


def test_a_password_is_no_argument(services: Services, jixiang: Callable[..., Result]) -> None:
    words = ("--station", "示例", "--district", "长春市", "--username", "inspector-9")
    assert jixiang("add-inspector", *words, "--password", PASSWORD).exit_code == 2
    typed = jixiang("add-inspector", *words, input=f"{PASSWORD}\n{PASSWORD}\n")
    assert typed.exit_code == 0 and PASSWORD not in typed.output


def test_who_has_moved_counts_at_the_other_station(
    services: Services, client: FlaskClient, station: Station, phone: Callable[..., Phone], desk: Callable[..., Desk]
) -> None:
    place = other_place(services)
    assert desk().send("/console/inspectors/1", {"station": "示例查验点二"}).status_code == 303
    moved = Station(client, log_in(client).json["session"])
    assert moved.check(phone("示例甲").become_green().code()["token"]).status_code == 200
    now = services.clock.now()
    counted = [rollup.day_counts(services, id_, now).total() for id_ in (1, place)]
    assert counted == [0, 1]


def test_a_district_administers_its_own_stations_alone(
    services: Services, client: FlaskClient, station: Station, desk: Callable[..., Desk]
) -> None:
    other_place(services, "示例江边", "吉林市")
    elsewhere, own = desk("officer-2", "吉林市"), desk("officer-3", "长春市")
    assert NAME not in elsewhere.get("/console/inspectors").text
    for verb in ("", "/disable", "/enable", "/end-sessions", "/reset-password"):
        answer = elsewhere.send(f"/console/inspectors/1{verb}", {"station": "示例江边"} if not verb else {})
        assert answer.status_code == 404, verb
    assert own.send("/console/inspectors/1", {"station": "示例江边"}).status_code == 422
    assert NAME in own.get("/console/inspectors").text
    assert deeds(services) == [] and log_in(client).status_code == 200


def test_an_auditor_stops_nobody(client: FlaskClient, station: Station, desk: Callable[..., Desk]) -> None:
    auditor = desk(role="auditor")
    assert auditor.send("/console/inspectors/1/disable").status_code == 403
    assert log_in(client).status_code == 200


def test_the_list_of_operators(station: Station, jixiang: Callable[..., Result]) -> None:
    assert json.loads(jixiang("list-inspectors", "--json").stdout) == {
        "username": NAME, "station": "示例查验点", "district": "长春市", "closed": False,
    }  # fmt: skip


@pytest.mark.parametrize("words", [["disable-inspector"], ["move-inspector", "--station", "x"]])
def test_nobody_is_told_in_one_line(jixiang: Callable[..., Result], words: list[str]) -> None:
    told = jixiang(*words, "--username", "nobody")
    assert told.exit_code == 1 and "no such inspector" in told.stderr and told.stderr.count("\n") == 1


def test_a_station_that_is_not_there_is_refused(station: Station, jixiang: Callable[..., Result]) -> None:
    told = jixiang("move-inspector", "--username", NAME, "--station", "nowhere")
    assert told.exit_code == 1 and "/station names no station" in told.stderr


@pytest.mark.parametrize("password", ["a", "1234567", "aaaaaaaa", "inspector-9", "xinspector-9x"])
def test_a_poor_password_is_refused(services: Services, jixiang: Callable[..., Result], password: str) -> None:
    options = ["--station", "示例", "--district", "长春市", "--username", "inspector-9"]
    told = jixiang("add-inspector", *options, env={"JIXIANG_NEW_PASSWORD": password})
    assert told.exit_code == 1 and "/password" in told.stderr
    with services.sessions() as session:
        assert session.scalars(select(Inspector)).all() == []


def test_an_inspector_is_moved_to_a_station_by_the_name_that_was_typed_for_it(
    services: Services, jixiang: Callable[..., Result]
) -> None:
    for username, station in (("inspector-8", "示例站（东）"), ("inspector-9", "示例站（西）")):
        options = ["--station", station, "--district", "长春市", "--username", username]
        assert jixiang("add-inspector", *options, env=GIVEN).exit_code == 0
    told = jixiang("move-inspector", "--username", "inspector-8", "--station", "示例站（西）")
    assert told.exit_code == 0, told.output
    with services.sessions() as session:
        assert len(set(session.scalars(select(Inspector.station_id)))) == 1


def test_an_inspector_of_before_names_were_folded_can_still_be_stopped(
    client: FlaskClient, services: Services, jixiang: Callable[..., Result]
) -> None:
    options = ["--station", "示例站", "--district", "长春市", "--username", "inspector-9"]
    assert jixiang("add-inspector", *options, env=GIVEN).exit_code == 0
    former = "ｉnspector-9"
    with services.begin() as session:
        inspector = session.scalars(select(Inspector)).one()
        inspector.username, inspector.must_change_password = former, False
    login = {"username": former, "password": PASSWORD}
    assert client.post("/api/v1/stations/login", json=login).status_code == 200
    assert jixiang("disable-inspector", "--username", former).exit_code == 0
    assert client.post("/api/v1/stations/login", json=login).status_code == 401
