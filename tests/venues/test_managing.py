"""The manager of a venue and its inspectors: added, moved, closed, cut off at once; those of no other venue, ever."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app import create_app
from app.audit import Actor, AuditEvent
from app.core.errors import Problem
from app.devices.models import Device as DeviceRow
from app.privacy import retention
from app.runtime import Services
from app.staff import inspectors
from app.staff.context import OPERATOR, begin_as
from app.stations import rollup
from app.stations.models import Inspector, Venue
from app.stations.models import Station as StationRow
from app.venues import entrances
from tests.support.claims import slug
from tests.support.clock import StandingClock
from tests.support.desk import Desk
from tests.support.devices import Device
from tests.support.people import PASSWORD, Phone, Station
from tests.support.stations import today
from tests.support.venues import (
    EVERY_DAY,
    NEW_PASSWORD,
    VENUES,
    add_inspector,
    apply,
    log_in,
    manage,
    open_venue,
    overview,
    start_shift,
)
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture
def other(green_citizens: list[Phone]) -> Phone:
    return green_citizens[1]


def inspector_of(manager: Phone, username: str = "gate-one") -> Any:
    return next(one for one in overview(manager)["venues"][0]["inspectors"] if one["username"] == username)


def lines(services: Services) -> list[str]:
    with services.sessions() as session:
        acts = select(AuditEvent).where(AuditEvent.actor == "citizen:1", AuditEvent.action.like("inspector-%"))
        return [event.action for event in session.scalars(acts.order_by(AuditEvent.id))]


def test_an_inspector_chooses_a_password_checks_and_is_moved_and_closed(
    client: FlaskClient, manager: Phone, other: Phone, venue: Any, services: Services
) -> None:
    given = add_inspector(manager, venue, "gate-one")
    assert slug(log_in(client, "gate-one", given["password"])) == "must-change-password"
    assert inspector_of(manager)["state"] == "new"
    opened = log_in(client, "gate-one", given["password"], new_password=NEW_PASSWORD)
    station = Station(client, opened.json["session"])  # type: ignore[index]
    assert opened.json["station"] == "示例商场 东门"  # type: ignore[index]
    assert station.check(other.code()["token"]).json["action"] == "pass"  # type: ignore[index]
    assert inspector_of(manager)["state"] == "active"
    west = venue["entrances"][1]["id"]
    body = {"venue": venue["id"], "inspector": given["id"]}
    assert manage(manager, "inspectors/move", **body, entrance=west).status_code == 204
    assert station.check(other.code()["token"]).status_code == 401, "they log in anew there"
    again = log_in(client, "gate-one", NEW_PASSWORD)
    assert again.json["station"] == "示例商场 西门"  # type: ignore[index]
    assert manage(manager, "inspectors/disable", **body).status_code == 204
    assert log_in(client, "gate-one", NEW_PASSWORD).status_code == 401
    assert manage(manager, "inspectors/enable", **body).status_code == 204
    password = manage(manager, "inspectors/password", **body).json["password"]  # type: ignore[index]
    assert log_in(client, "gate-one", NEW_PASSWORD).status_code == 401
    assert log_in(client, "gate-one", password, new_password="yet-Another-2020").status_code == 200
    acts = ["added", "moved", "disabled", "enabled", "password-reset"]
    assert lines(services) == [f"inspector-{act}" for act in acts]


def test_a_lost_phone_is_cut_off_in_every_process_and_the_other_phone_goes_on(
    client: FlaskClient, manager: Phone, other: Phone, venue: Any, services: Services
) -> None:
    lost = start_shift(client, manager, venue, "gate-one")
    kept = Station(client, log_in(client, "gate-one", NEW_PASSWORD).json["session"])  # type: ignore[index]
    processes = [client, create_app(services).test_client()]
    token = other.code()["token"]
    everywhere = [[Station(one, phone.session) for one in processes] for phone in (lost, kept)]
    assert {station.check(token).status_code for phone in everywhere for station in phone} == {200}
    listed = inspector_of(manager)
    assert len(listed["sessions"]) == 2
    body = {"venue": venue["id"], "inspector": listed["id"], "session": listed["sessions"][-1]["id"]}
    assert manage(manager, "inspectors/sessions/end", **body).status_code == 204
    assert [{one.check(token).status_code for one in phone} for phone in everywhere] == [{401}, {200}]
    assert [one["id"] for one in inspector_of(manager)["sessions"]] == [listed["sessions"][0]["id"]]
    assert manage(manager, "inspectors/sessions/end", **body).status_code == 204, "again changes nothing"
    assert slug(manage(manager, "inspectors/sessions/end", **{**body, "session": 99})) == "not-found"
    services.cache.drop()  # the database says the same
    assert [{one.check(token).status_code for one in phone} for phone in everywhere] == [{401}, {200}]
    assert lines(services)[-1:] == ["inspector-session-ended"]


def test_nobody_of_another_venue_is_touched_shown_or_counted(
    client: FlaskClient, manager: Phone, other: Phone, desk: Desk, venue: Any, station: Station, services: Services
) -> None:
    theirs = open_venue(other, desk, name="示例医院", kind="hospital", address="示例大街 9 号")
    start_shift(client, other, theirs, "ward-one")
    inspector = overview(other)["venues"][0]["inspectors"][0]
    body = {"venue": venue["id"], "inspector": inspector["id"]}
    entrance = theirs["entrances"][0]["id"]
    tried = {
        "inspectors/move": {"entrance": venue["entrances"][0]["id"]},
        "inspectors/disable": {},
        "inspectors/enable": {},
        "inspectors/password": {},
        "inspectors/sessions/end": {"session": inspector["sessions"][0]["id"]},
    }
    with services.engine.connect() as connection:
        state = text("select * from inspectors, inspector_sessions order by inspectors.id, inspector_sessions.id")
        before = connection.execute(state).all()
    for act, more in tried.items():
        assert slug(manage(manager, act, **body, **more)) == "inspector-not-found", act
        assert slug(manage(manager, act, **{**body, "inspector": 1}, **more)) == "inspector-not-found", "of no venue"
        assert slug(manage(manager, act, **{**body, "venue": theirs["id"]}, **more)) == "venue-not-found"
    refused = manage(manager, "inspectors", venue=venue["id"], entrance=entrance, username="gate-nine")
    assert refused.json["errors"][0]["pointer"] == "/entrance"  # type: ignore[index]
    for act, more in {"entrances": {"name": "北门"}, "close": {}, "handovers/end": {}}.items():
        assert slug(manage(manager, act, venue=theirs["id"], **more)) == "venue-not-found"
    assert manager.put(f"{VENUES}/hours", {"venue": theirs["id"], "hours": EVERY_DAY}).status_code == 404
    assert manager.get(f"{VENUES}/counts?venue={theirs['id']}").status_code == 404
    assert "示例医院" not in str(overview(manager)) and "ward-one" not in str(overview(manager))
    with services.engine.connect() as connection:
        assert connection.execute(state).all() == before


def test_a_venue_has_so_many_inspectors_and_entrances_at_most(
    manager: Phone, venue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_inspector(manager, venue, "gate-one")
    taken = manage(manager, "inspectors", venue=venue["id"], entrance=venue["entrances"][0]["id"], username="gate-0ne")
    assert slug(taken) == "username-taken"
    monkeypatch.setattr("app.venues.management.MOST_INSPECTORS", 1)
    body = {"venue": venue["id"], "entrance": venue["entrances"][0]["id"], "username": "gate-two"}
    assert slug(manage(manager, "inspectors", **body)) == "venue-inspectors-too-many"
    one = {"venue": venue["id"], "inspector": 1}
    assert manage(manager, "inspectors/disable", **one).status_code == 204
    assert manage(manager, "inspectors", **body).status_code == 201, "closed ones do not count"
    assert slug(manage(manager, "inspectors/enable", **one)) == "venue-inspectors-too-many"
    assert manage(manager, "entrances", venue=venue["id"], name="北门").status_code == 201
    assert manage(manager, "entrances", venue=venue["id"], name="北门").status_code == 422
    monkeypatch.setattr(entrances, "MAX_ENTRANCES", 3)
    assert manage(manager, "entrances", venue=venue["id"], name="南门").status_code == 422


def test_a_closed_venue_has_no_inspectors_at_work_and_takes_none(
    client: FlaskClient, manager: Phone, other: Phone, desk: Desk, venue: Any
) -> None:
    station = start_shift(client, manager, venue, "gate-one")
    assert manage(manager, "close", venue=venue["id"]).status_code == 204
    assert station.check(other.code()["token"]).status_code == 401
    assert log_in(client, "gate-one", NEW_PASSWORD).status_code == 401
    assert overview(manager)["venues"] == []
    assert apply(manager).status_code == 201, "its names are free again"
    refused = desk.send("/console/inspectors/1/enable")
    assert refused.status_code == 409 and "场所已关闭" in refused.text
    assert "示例商场 东门" not in desk.get("/console/inspectors/1").text.split("<select")[1]


def test_outside_the_opening_hours_a_check_is_answered_and_the_inspector_is_warned(
    client: FlaskClient, manager: Phone, other: Phone, venue: Any, clock: StandingClock, station: Station
) -> None:
    at_venue = start_shift(client, manager, venue, "gate-one")
    assert (today(at_venue).json["hours"], today(at_venue).json["outside_hours"]) == ("08:00-22:00", False)
    assert manager.put(f"{VENUES}/hours", {"venue": venue["id"], "hours": ["09:00-10:00"] * 7}).status_code == 204
    assert today(at_venue).json["outside_hours"] is True
    assert at_venue.check(other.code()["token"]).json["action"] == "pass"  # type: ignore[index]
    assert today(at_venue).json["passed"] == 1
    assert (today(station).json["hours"], today(station).json["outside_hours"]) == (None, False)


def test_a_manager_reads_counts_by_entrance_and_hour_with_small_numbers_hidden(
    client: FlaskClient, manager: Phone, other: Phone, green_citizens: list[Phone], venue: Any, services: Services,
    clock: StandingClock,
) -> None:  # fmt: skip
    doors = [start_shift(client, manager, venue, f"gate-{place}", place) for place in (0, 1)]
    doors[0].check(other.code()["token"])
    rollup.roll_up(services, rollup.recent_hours(clock.now()))
    with services.begin() as session:
        place = session.get_one(Inspector, 2).station_id
        session.execute(
            text(
                "insert into station_counts (station_id, hour, state, action, number, seen, run)"
                " values (:place, :hour, 1, 'pass', 27, 0, ''), (:place, :hour, 2, 'pass', 8, 0, '')"
            ),
            {"place": place, "hour": clock.now()},
        )
    read = manager.get(f"{VENUES}/counts?venue={venue['id']}&date=2020-03-20").json
    east, west = read["entrances"]  # type: ignore[index]
    at_noon = {"hour": 12, "open": True, "measured": "0", "stopped": "0", "scanned": "0"}
    assert east["hours"] == [{**at_noon, "passed": "<10"}]
    assert west["hours"] == [{**at_noon, "passed": "30"}], "35, rounded down"
    assert (east["passed"], west["passed"]) == ("≥1", "≥30")
    assert manager.get(f"{VENUES}/counts?venue={venue['id']}&date=2020-13-01").status_code == 422
    assert manager.get(f"{VENUES}/counts?venue={venue['id']}&date=2020-03-19").json["entrances"][0]["hours"] == []  # type: ignore[index]
    assert other.get(f"{VENUES}/counts?venue={venue['id']}").status_code == 404


def test_sessions_of_inspectors_end_with_the_shift_and_go_after_ninety_days(
    client: FlaskClient, manager: Phone, venue: Any, clock: StandingClock, services: Services
) -> None:
    start_shift(client, manager, venue, "gate-one")
    clock.advance(hours=services.settings.sessions.inspector_hours, seconds=1)
    assert inspector_of(manager)["sessions"] == []
    for days, number in ((89, 0), (2, 1)):
        clock.advance(days=days)
        with services.begin() as session:
            assert retention.delete_staff_sessions(session, clock.now(), 10) == number
    assert log_in(client, "gate-one", PASSWORD).status_code == 401


def test_devices_end_with_their_venue_and_none_is_added_to_a_closed_one(
    client: FlaskClient, manager: Phone, desk: Desk, venue: Any, services: Services
) -> None:
    there = [Device.add(client, services, lane=lane, station="示例商场 东门") for lane in ("1", "2")]
    processes = [client, create_app(services).test_client()]
    everywhere = [Device(one, services, device.id, device.secret) for one in processes for device in there]
    assert {device.get("me").status_code for device in everywhere} == {200}
    assert manage(manager, "close", venue=venue["id"]).status_code == 204
    assert {slug(device.get("me")) for device in everywhere} == {"device-revoked"}
    with services.sessions() as session:
        assert list(session.scalars(select(DeviceRow.revoked_at.is_(None)))) == [False, False]
        revoked = select(AuditEvent).filter_by(action="device-revoked", actor="citizen:1")
        assert len(session.scalars(revoked).all()) == 2
        closed = session.scalars(select(StationRow.name).order_by(StationRow.id)).all()[0]
    with pytest.raises(Problem, match="invalid-request"):
        Device.add(client, services, station=closed)


def test_an_account_that_is_opened_while_its_venue_closes_waits_and_stays_closed(
    client: FlaskClient, manager: Phone, venue: Any, services: Services
) -> None:
    """Neither stands in the way of the other: an officer waits for the venue before they touch its inspector."""
    added = add_inspector(manager, venue, "gate-one")["id"]
    waits = text(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )

    def enable() -> str:
        with pytest.raises(Problem) as refused, begin_as(services, OPERATOR) as context:
            inspectors.enable_inspector(context, added)
        return refused.value.slug

    with ThreadPoolExecutor(1) as pool:
        with services.begin() as session:
            closing = session.scalars(select(Venue).with_for_update()).one()
            opening = pool.submit(enable)
            with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
                wait_until(lambda: watching.scalar(waits))
            session.execute(text("set local lock_timeout = '2s'"))
            entrances.close(session, closing, Actor("operator"), services.clock.now())
        assert opening.result(PATIENCE) == "venue-closed"
    assert log_in(client, "gate-one", NEW_PASSWORD).status_code == 401
