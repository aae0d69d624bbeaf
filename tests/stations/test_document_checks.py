"""Checks by identity document: the color and no more, whoever is not found alike, and read by the person alone."""

import random
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis.connection import AbstractConnection
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import create_app
from app.citizens.document_checks import identities, trail
from app.core.settings import DocumentCheckSettings
from app.runtime import Services
from app.worker.due import add_identities, sum_failed_logins
from app.worker.retention import purge_personal_data
from tests.support.clock import StandingClock
from tests.support.codes import without_redis
from tests.support.desk import Desk, make_officer
from tests.support.people import PASSWORD, Phone, Station, as_pasted, id_number
from tests.support.statements import count_statements

PATH = "/api/v1/checks/document"
WIDE = DocumentCheckSettings(ceiling="100000 per minute", ceiling_not_found="100000 per minute")


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def document(person: Phone, **changed: Any) -> dict[str, Any]:
    return {"type": "id-card", "number": person.document, "name": person.name, **changed}


def seen(person: Phone) -> list[dict[str, Any]]:
    """What the person reads of checks of their document."""
    checks: list[dict[str, Any]] = person.get("/api/v1/record/access").json["document_checks"]  # type: ignore[index]
    return checks


def at(station: Station, services: Services, **changed: Any) -> Station:
    """The inspector at another application, with other settings of document checks."""
    settings = services.settings.model_copy(update={"document_checks": WIDE.model_copy(update=changed)})
    return Station(create_app(replace(services, settings=settings)).test_client(), station.session)


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


# --- outcomes -----------------------------------------------------------------------------------------------------


def test_a_check_by_document_gives_color_and_action_and_no_more(citizen: Phone, station: Station) -> None:
    answer = station.post(PATH, document(citizen))
    by_token = station.check(citizen.code()["token"]).json
    assert {**answer.json, "issuer": None} == {"outcome": "green", **by_token}


@pytest.mark.parametrize(("declared", "outcome", "action"), [(("cough",), "yellow", "measure"), ((), "green", "pass")])
def test_the_outcome_is_the_color_of_this_moment(
    citizen: Phone, station: Station, declared: tuple[str, ...], outcome: str, action: str
) -> None:
    station.post(PATH, document(citizen))  # what Redis knows of a document is who it belongs to, not a color
    citizen.declare(symptoms=declared)
    answer = station.post(PATH, document(citizen)).json
    assert (answer["outcome"], answer["action"]) == (outcome, action)


def test_a_declaration_that_has_ended_is_an_outcome_of_its_own(
    citizen: Phone, station: Station, client: FlaskClient, clock: StandingClock, work: Callable[[], None]
) -> None:
    clock.advance(days=30)
    work()
    body = {"username": "inspector-1", "password": PASSWORD}
    station = Station(client, client.post("/api/v1/stations/login", json=body).json["session"])
    answer = station.post(PATH, document(citizen)).json
    assert (answer["outcome"], answer["state"], answer["color"]) == ("expired", "UNVERIFIED", None)
    assert (answer["word"], answer["action"]) == ("申报已过期", "measure")
    assert answer["instruction"].endswith("请提醒其重新申报。")


def test_whoever_is_not_found_is_one_answer(citizen: Phone, phone: Callable[..., Phone], station: Station) -> None:
    undeclared = phone("示例乙")
    undeclared.register()
    nobody = [
        document(citizen, number=id_number(998)),  # an unknown number
        document(citizen, name="示例丙"),  # a wrong name
        document(citizen, name="示例"),
        document(undeclared),
    ]
    answers = [station.post(PATH, body) for body in nobody]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert len({tuple(answer.headers) for answer in answers}) == 1
    answer = answers[0].json
    assert (answer["outcome"], answer["state"], answer["color"], answer["action"]) == ("not-found", None, None, "ask")
    assert "出示吉祥码" in answer["instruction"] and "服务窗口" in answer["instruction"]


def test_what_a_reader_adds_is_no_part_of_a_document(phone: Callable[..., Phone], station: Station) -> None:
    citizen = phone("Mia Sample-Ö'Neill").become_green()
    read = document(citizen, number=f"{as_pasted(citizen.document)}\t\r\n", name="  MIA  sample-ö'neill \r\n")
    assert station.post(PATH, read).json["outcome"] == "green"


def test_every_mistake_is_named_at_once_and_nothing_is_half_written(
    citizen: Phone, station: Station, services: Services
) -> None:
    answer = station.post(f"{PATH}/temperature", document(citizen, number="22", name="7", celsius=99.5))
    assert [one["pointer"] for one in answer.json["errors"]] == ["/number", "/name", "/celsius"]
    assert services.redis.exists("jx:document-checks") == 0
    empty = station.post(PATH, document(citizen, number=" \r\n", name=""))
    assert [one["detail"] for one in empty.json["errors"]] == ["请填写证件号码", "请填写姓名"]


def test_a_database_that_is_away_or_slow_is_told_apart_from_nobody(
    citizen: Phone, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Canceled(Exception):
        sqlstate = "57014"

    station.check("x")  # the inspector is in Redis
    for cause, expected in ((Exception(), (503, "check-failed")), (Canceled(), (504, "time-out"))):

        def away(*_: Any, cause: Exception = cause) -> None:
            raise OperationalError(None, None, cause)

        monkeypatch.setattr(identities, "find_stored", away)
        answer = station.post(PATH, document(citizen, name="示例丙"))
        assert (answer.status_code, slug(answer)) == expected
        assert answer.headers["Retry-After"] == "5"
        assert "吉祥码" in answer.json["detail"]


# --- temperatures -------------------------------------------------------------------------------------------------


def test_a_temperature_by_document_is_the_evidence_that_it_is_by_code(
    citizen: Phone, station: Station, clock: StandingClock
) -> None:
    answer = station.post(f"{PATH}/temperature", document(citizen, celsius=37.5)).json
    assert (answer["outcome"], answer["action"]) == ("yellow", "measure")
    assert citizen.color() == "YELLOW"
    [fact] = [one for one in citizen.history()[0]["evidence"] if one["kind"] == "temperature"]
    assert (fact["facts"], fact["authority"]) == ({"celsius": "37.5"}, "示例查验点")
    clock.advance(minutes=15)
    assert station.post(f"{PATH}/temperature", document(citizen, celsius=36.5)).json["outcome"] == "green"
    assert station.client.get(
        "/api/v1/stations/today", headers={"Authorization": f"Bearer {station.session}"}
    ).json["temperatures"] == 2  # fmt: skip


def test_a_temperature_of_nobody_is_not_registered(citizen: Phone, station: Station, services: Services) -> None:
    answer = station.post(f"{PATH}/temperature", document(citizen, name="示例丙", celsius=39.0)).json
    assert (answer["outcome"], answer["action"]) == ("not-found", "ask")
    with services.sessions() as session:
        assert session.scalar(text("select count(*) from evidence where kind = 'temperature'")) == 0


# --- who is found -------------------------------------------------------------------------------------------------


def test_an_erased_person_is_found_no_more_and_whoever_registers_again_is_by_the_new_name(
    citizen: Phone, phone: Callable[..., Phone], station: Station
) -> None:
    assert station.post(PATH, document(citizen)).json["outcome"] == "green"
    assert citizen.post("/api/v1/accounts/me/erasure", {"password": PASSWORD}).status_code == 200
    assert station.post(PATH, document(citizen)).json["outcome"] == "not-found"
    again = phone("示例新名")
    again.document = citizen.document
    again.become_green()
    assert station.post(PATH, document(again)).json["outcome"] == "green"
    assert station.post(PATH, document(citizen)).json["outcome"] == "not-found"


def test_who_registered_before_there_were_identities_is_found_once_the_worker_has_added_theirs(
    citizen: Phone, station: Station, services: Services
) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("update citizens set identity_fingerprint = null"))
    for key in services.redis.scan_iter("jx:cached:*identity:*"):
        services.redis.delete(key)
    assert station.post(PATH, document(citizen)).json["outcome"] == "not-found"
    add_identities(services)
    assert station.post(PATH, document(citizen)).json["outcome"] == "green"


# --- what it takes, and what it tells -----------------------------------------------------------------------------


@contextmanager
def count_commands(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many commands are packed for Redis in each trip of the block; not those by which a new connection greets."""
    trips: list[int] = []
    greetings = re.compile(rb"\$\d+\r\n(HELLO|CLIENT|SELECT|AUTH|INFO)\r\n")
    send = AbstractConnection.send_packed_command

    def counting(connection: Any, command: Any, *rest: Any, **more: Any) -> Any:
        if not (len(command) == 1 and greetings.search(command[0])):
            trips.append(len(command))
        return send(connection, command, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(AbstractConnection, "send_packed_command", counting)
        yield trips


def work_of(
    station: Station, body: Any, services: Services, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], list[int]]:
    with count_statements(services.engine) as statements, count_commands(monkeypatch) as trips:
        assert station.post(PATH, body).status_code == 200
    return statements, trips


def test_a_warm_check_asks_redis_alone(
    citizen: Phone, station: Station, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.post(PATH, document(citizen))
    assert work_of(station, document(citizen), services, monkeypatch)[0] == []


def test_an_unknown_number_and_a_wrong_name_take_the_same_work(
    citizen: Phone, station: Station, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.post(PATH, document(citizen))  # the person is in Redis, which a wrong name does not meet
    unknown, wrong = document(citizen, number=id_number(998)), document(citizen, name="示例丙")
    first = work_of(station, unknown, services, monkeypatch)
    assert len(first[0]) == 2 and first == work_of(station, wrong, services, monkeypatch)


@pytest.mark.slow
def test_an_unknown_number_and_a_wrong_name_take_the_same_time(
    citizen: Phone, station: Station, services: Services
) -> None:
    """By medians of interleaved requests: noise of this machine is in both alike."""
    station = at(station, services)
    unknown, wrong = document(citizen, number=id_number(998)), document(citizen, name="示例丙")
    station.post(PATH, document(citizen))
    times: dict[str, list[float]] = {"unknown": [], "wrong": []}
    turns = [("unknown", unknown), ("wrong", wrong)] * 150
    random.Random(7).shuffle(turns)
    for which, body in turns:
        begun = time.perf_counter()
        station.post(PATH, body)
        times[which].append(time.perf_counter() - begun)
    ratio = statistics.median(times["unknown"]) / statistics.median(times["wrong"])
    assert 0.8 < ratio < 1.25, ratio


def test_neither_redis_nor_table_nor_audit_tells_whose_document_was_checked_where(
    citizen: Phone, station: Station, services: Services
) -> None:
    with services.sessions() as session:
        events = session.scalar(text("select count(*) from audit"))
    station.post(PATH, document(citizen))
    told = b"".join(key + (services.redis.dump(key) or b"") for key in services.redis.scan_iter("*"))
    trail.store_waiting(services)
    with services.sessions() as session:
        rows = session.execute(text("select id, person, content_ciphertext from document_checks")).all()
        assert session.scalar(text("select count(*) from audit")) == events
    told += b"".join(bytes(row.content_ciphertext) + row.person.encode() for row in rows)
    assert len(rows) == 1
    for plain in (citizen.document, citizen.name, "示例查验点"):
        assert plain.encode() not in told
    assert services.redis.exists("jx:document-checks") == 0


# --- the person reads it ------------------------------------------------------------------------------------------


def test_the_person_reads_at_which_station_their_document_was_checked(
    citizen: Phone, phone: Callable[..., Phone], station: Station, services: Services, clock: StandingClock
) -> None:
    other = phone("示例乙").become_green()
    station.post(PATH, document(citizen))
    station.post(PATH, document(citizen, name="示例丙"))
    clock.advance(minutes=5)
    station.post(f"{PATH}/temperature", document(citizen, celsius=36.5))
    trail.store_waiting(services)
    assert [(one["at"], one["who"]["authority"], one["who"]["district"]) for one in seen(citizen)] == [
        ("2020-03-20T12:05:00+08:00", "示例查验点", "长春市"),
        ("2020-03-20T12:00:00+08:00", "示例查验点", "长春市"),
    ]
    assert "只看到颜色" in seen(citizen)[0]["what"]["words"]
    assert seen(other) == []
    assert citizen.get("/api/v1/record/access?whose=own").json["document_checks"] == []  # type: ignore[index]


def test_without_redis_it_is_stored_at_once_and_what_is_stored_twice_is_there_once(
    citizen: Phone, station: Station, services: Services
) -> None:
    apart = Station(create_app(without_redis(services)).test_client(), station.session)
    assert apart.post(PATH, document(citizen)).json["outcome"] == "green"
    assert len(seen(citizen)) == 1
    station.post(PATH, document(citizen))
    waiting = services.redis.srandmember("jx:document-checks", 1)
    trail.store_waiting(services)
    services.redis.sadd("jx:document-checks", *waiting)  # as if the worker had died before it took it out
    trail.store_waiting(services)
    assert len(seen(citizen)) == 2


def test_nobody_is_looked_up_without_a_trace(citizen: Phone, station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError(None, None, Exception())

    monkeypatch.setattr(trail, "keep", away)
    assert slug(station.post(PATH, document(citizen))) == "check-failed"


def test_an_erasure_deletes_what_is_stored_and_what_still_waits(
    citizen: Phone, station: Station, services: Services
) -> None:
    station.post(PATH, document(citizen))
    trail.store_waiting(services)
    station.post(PATH, document(citizen))
    citizen.post("/api/v1/accounts/me/erasure", {"password": PASSWORD})
    trail.store_waiting(services)
    with services.sessions() as session:
        assert session.scalar(text("select count(*) from document_checks")) == 0


def test_after_its_days_it_is_deleted(
    citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    station.post(PATH, document(citizen))
    trail.store_waiting(services)
    clock.advance(days=29)
    purge_personal_data(services)
    with services.sessions() as session:
        assert session.scalar(text("select count(*) from document_checks")) == 1
    clock.advance(days=1)
    purge_personal_data(services)
    with services.sessions() as session:
        assert session.scalar(text("select count(*) from document_checks")) == 0


# --- ceilings -----------------------------------------------------------------------------------------------------


def test_one_inspector_checks_so_many_documents_and_finds_nobody_so_often(
    citizen: Phone, station: Station, client: FlaskClient, services: Services
) -> None:
    colleague = Station.open(client, services, "inspector-2")
    limits = {"ceiling": "5 per minute; 100 per day", "ceiling_not_found": "2 per minute"}
    here, there = at(station, services, **limits), at(colleague, services, **limits)
    nobody = document(citizen, name="示例丙")
    assert [here.post(PATH, nobody).status_code for _ in range(3)] == [200, 200, 429]
    assert [there.post(PATH, document(citizen)).status_code for _ in range(6)] == [200] * 5 + [429]
    refused = here.post(f"{PATH}/temperature", document(citizen, celsius=36.5))
    assert (refused.status_code, slug(refused)) == (429, "document-checks-too-many")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert "扫描" in refused.json["detail"]
    assert station.check(citizen.code()["token"]).status_code == 200, "codes are checked as before"


def test_without_redis_each_process_counts_for_itself(citizen: Phone, station: Station, services: Services) -> None:
    settings = WIDE.model_copy(update={"ceiling": "100 per minute", "ceiling_not_found": "2 per minute"})
    apart = without_redis(
        replace(services, settings=services.settings.model_copy(update={"document_checks": settings}))
    )
    here = Station(create_app(apart).test_client(), station.session)
    found = [here.post(PATH, document(citizen)).status_code for _ in range(4)]
    missed = [here.post(PATH, document(citizen, name="示例丙")).status_code for _ in range(3)]
    assert (found, missed) == ([200] * 4, [200, 200, 429])


def test_auditors_see_who_reached_a_ceiling_and_nothing_of_the_people(
    citizen: Phone, station: Station, services: Services, app: Flask
) -> None:
    here = at(station, services, ceiling_not_found="1 per minute")
    assert [here.post(PATH, document(citizen, name="示例丙")).status_code for _ in range(4)] == [200, 429, 429, 429]
    make_officer(services, "officer-1", "auditor")
    desk = Desk(app, services).ensure_logged_in()
    for _ in range(2):  # counted, and then in the audit
        page = desk.get("/console/audit").text
        section = page.split('id="document-checks"')[1].split("</section>")[0]
        cells = re.findall(r'<td data-label="[^"]*">([^<]+)</td>', section)
        assert cells == ["inspector-1", "示例查验点", "3"]
        assert citizen.document not in page
        sum_failed_logins(services)
