"""Alerts of checks: that a red or orange code was checked, on whichever way, once in a day, without place or minute."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.api.fast_path import FastPath
from app.codes.evidence import new_id
from app.codes.paper.models import PaperCard
from app.codes.tokens import Paper
from app.core.clock import rfc3339
from app.follow_ups import keeping, shown
from app.privacy import erasure
from app.rules import Diagnosis
from app.runtime import Services
from app.stations import alerts
from app.stations.models import CheckAlert
from app.wechat.models import WeChatUser
from app.worker.retention import purge_personal_data
from tests.support.clock import StandingClock
from tests.support.codes import decisions, everything, tell, without_redis
from tests.support.office import Office
from tests.support.people import PASSWORD, Phone, Station
from tests.support.rsgi import noted_rest
from tests.support.stations import elsewhere

SERIAL = 1  # of the first citizen
HERE, THERE = "长春市", "吉林市"
Check = Callable[[], Any]


@pytest.fixture
def citizen(green_citizen: Phone, station: Station, services: Services) -> Phone:
    """Somebody green, and a station that Redis knows."""
    station.check(green_citizen.code()["token"])
    return green_citizen


@pytest.fixture
def red(citizen: Phone, office: Office) -> Phone:
    """The same person, whom officers of a district have confirmed and follow up."""
    office.approve("approver", office.propose("recorder", "confirmed", [SERIAL]))
    keeping.keep(office.services)
    return citizen


@pytest.fixture
def office(services: Services) -> Office:
    return Office(services)


def stored(services: Services) -> Sequence[tuple[int, date, int]]:
    alerts.store_waiting(services)
    with services.sessions() as session:
        rows = session.scalars(select(CheckAlert).order_by(CheckAlert.serial, CheckAlert.day))
        return [(one.serial, one.day, one.hour) for one in rows]


def seen(office: Office, by: str) -> Sequence[shown.AlertHour]:
    alerts.store_waiting(office.services)
    with office.acting(by) as context:
        return shown.list_alerts(context.session, context.me, 50)


def ways(person: Phone, station: Station, services: Services) -> dict[str, Check]:
    """Every way on which a code is checked, or its holder's temperature registered."""
    code = person.code()["token"]
    assert person.post("/api/v1/paper-cards", None).status_code == 201
    with services.sessions() as session:
        card = session.scalars(select(PaperCard)).one()
        paper = services.paper_tokens.mint(Paper(card.id, card.issued_at, card.ends_at))
    at, tail = rfc3339(services.clock.now()), person.document[-4:]
    read = {"type": "id-card", "number": person.document, "name": person.name}
    bodies: dict[str, Any] = {
        "": {"token": code}, "/temperature": {"token": code, "celsius": 36.5},
        "/paper": {"token": paper, "document_tail": tail},
        "/paper/temperature": {"token": paper, "document_tail": tail, "celsius": 36.5},
        "/document": read, "/document/temperature": {**read, "celsius": 36.5},
    }  # fmt: skip
    found: dict[str, Check] = {
        path or "code": lambda path=path, body=body: station.post(f"/api/v1/checks{path}", body)
        for path, body in bodies.items()
    }
    offline = {"offline": (code, None), "offline temperature": (code, 36.5), "offline card": (paper, None)}
    for name, (token, celsius) in offline.items():
        checks = {"checks": [{"id": str(uuid4()), "token": token, "at": at, "celsius": celsius}]}
        found[name] = lambda checks=checks: station.post("/api/v1/checks/offline", checks)
    return found


def test_every_way_of_a_check_is_noted_and_many_checks_are_one_alert(
    red: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    now = clock.now()
    every = ways(red, station, services)
    for name, check in every.items():
        before = decisions(services, SERIAL)
        assert check().status_code == 200, name
        assert services.redis.scard(alerts.WAITING) == 1, name
        assert [one.state for one in decisions(services, SERIAL)] == [one.state for one in before], name
        services.redis.delete(alerts.WAITING)
    for _ in range(20):
        every["code"]()
    for check in every.values():
        check()
    assert services.redis.scard(alerts.WAITING) == 1, "many scans take no more memory than one"
    assert stored(services) == [(SERIAL, now.date(), 12)]
    every["code"]()
    assert stored(services) == [(SERIAL, now.date(), 12)]


def test_the_fast_path_notes_with_the_count_and_asks_nobody_else(
    red: Phone, station: Station, services: Services, server: FastPath
) -> None:
    token = red.code()["token"]
    station.check(token)
    read = {"type": "id-card", "number": red.document, "name": red.name}
    station.post("/api/v1/checks/document", read)
    for check in (lambda: station.check(token), lambda: station.post("/api/v1/checks/document", read)):
        services.redis.delete(alerts.WAITING)
        with noted_rest(server) as passed:
            assert check().status_code == 200
        assert (passed, services.redis.scard(alerts.WAITING)) == ([], 1)


def test_a_green_code_and_one_whose_quarantine_is_over_alert_of_nothing(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    token = citizen.code()["token"]
    station.check(token)
    assert services.redis.exists(alerts.WAITING) == 0
    tell(services, SERIAL, Diagnosis(id=new_id(), at=clock.now(), status="suspected"))
    clock.advance(minutes=1)
    tell(services, SERIAL, Diagnosis(id=new_id(), at=clock.now(), status="ruled_out"))
    assert citizen.code()["state"] == "ORANGE"
    station.check(citizen.code()["token"])
    assert stored(services) == [], "ORANGE-REVERIFY: nobody has to stay anywhere"


def test_an_old_token_counts_by_the_color_of_now_also_when_it_is_submitted_later(
    red: Phone, station: Station, services: Services, office: Office, clock: StandingClock
) -> None:
    token, at = red.code()["token"], rfc3339(clock.now())
    clock.advance(seconds=1)
    office.propose("recorder", "ruled-out", [SERIAL])
    red.declare()
    assert red.color() == "GREEN"
    assert station.check(token).json["state"] == "GREEN"  # type: ignore[index]
    body = {"checks": [{"id": str(uuid4()), "token": token, "at": at, "celsius": None}]}
    assert station.post("/api/v1/checks/offline", body).status_code == 200
    assert stored(services) == []


def test_without_redis_it_is_stored_at_once_and_not_doubled(
    red: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    token = red.code()["token"]
    lost = elsewhere(station, without_redis(services))
    for _ in range(3):
        assert lost.check(token).json["action"] == "stop"  # type: ignore[index]
    station.check(token)
    services.redis.flushall()  # Redis loses all it had, and is asked again
    station.check(token)
    assert stored(services) == [(SERIAL, clock.now().date(), 12)]


def test_a_check_is_answered_where_no_alert_can_be_kept(
    red: Phone, station: Station, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OperationalError(None, None, Exception("a full disk"))

    monkeypatch.setattr(alerts, "store", refuse)
    answer = elsewhere(station, without_redis(services)).check(red.code()["token"])
    assert (answer.status_code, answer.json["action"]) == (200, "stop")  # type: ignore[index]


# --- who sees it --------------------------------------------------------------------------------------------------


def test_officers_of_the_district_see_hour_number_and_case_and_no_others(
    red: Phone, station: Station, office: Office, clock: StandingClock
) -> None:
    station.check(red.code()["token"])
    case = office.number_of(SERIAL)
    assert seen(office, "recorder") == [shown.AlertHour(clock.now().date(), 12, HERE, [case])]
    assert seen(office, "elsewhere") == []
    tables = everything(office.services)
    assert tables["check_alerts"] == ["(1,2020-03-20,12)"], "no station, no minute"


def test_it_goes_with_the_account_also_what_waits(red: Phone, station: Station, services: Services) -> None:
    token = red.code()["token"]
    station.check(token)
    assert len(stored(services)) == 1
    exported = red.post("/api/v1/accounts/me/export", {"password": PASSWORD}).json
    assert exported["checked_days"] == [{"day": "2020-03-20", "hour": 12}]  # type: ignore[index]
    assert {one["recipient"] for one in exported["follow_ups"]} == {"hospital", "community"}  # type: ignore[index]
    with services.begin() as session:
        user = session.scalars(select(WeChatUser)).one()
        erasure.erase_account(session, SERIAL, user, services.clock.now(), "示例")
    assert stored(services) == []
    services.redis.sadd(alerts.WAITING, f"{services.clock.now().date()} 12 {SERIAL}")  # checked a moment before
    assert stored(services) == []


def test_it_is_deleted_after_the_days_of_the_policy(
    red: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    station.check(red.code()["token"])
    assert len(stored(services)) == 1
    for days, left in ((6, 1), (1, 0)):
        clock.advance(days=days)
        purge_personal_data(services)
        assert len(stored(services)) == left
