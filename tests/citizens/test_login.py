"""Log-in with user name and password, and the end of sessions."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import AuditEvent
from app.runtime import Services
from app.worker import due
from tests.support.clock import StandingClock
from tests.support.people import PASSWORD, Phone, Station
from tests.support.statements import count_statements


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def log_in(client: FlaskClient, username: str, password: str = PASSWORD, session: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    body = {"username": username, "password": password}
    return client.post("/api/v1/accounts/login", json=body, headers=headers)


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def test_the_right_password_opens_a_session_that_shows_the_code(client: FlaskClient, citizen: Phone) -> None:
    answer = log_in(client, citizen.username)
    assert answer.status_code == 200
    assert answer.json["account"]["username"] == citizen.username
    citizen.session = answer.json["session"]
    assert citizen.color() == "GREEN"


def test_user_names_are_taken_however_they_are_spelled(client: FlaskClient, citizen: Phone) -> None:
    assert log_in(client, f" {citizen.username.upper()} ").status_code == 200


@pytest.mark.parametrize("password", [PASSWORD.lower(), PASSWORD + " ", " " + PASSWORD, "x", PASSWORD[:-1]])
def test_a_wrong_password_is_refused(client: FlaskClient, citizen: Phone, password: str) -> None:
    answer = log_in(client, citizen.username, password)
    assert (answer.status_code, slug(answer)) == (401, "wrong-credentials")
    assert "session" not in answer.json


@pytest.mark.parametrize("username", ["nobody", "' or 1=1 --", "%", "*", "citizen", "x" * 64])
def test_an_unknown_name_is_refused_in_the_same_words(client: FlaskClient, citizen: Phone, username: str) -> None:
    assert log_in(client, username).data == log_in(client, citizen.username, "wrong").data


def test_a_failed_log_in_leaves_the_sessions_alone(client: FlaskClient, citizen: Phone) -> None:
    for _ in range(5):
        log_in(client, citizen.username, "wrong")
    assert citizen.color() == "GREEN"


def test_wrong_log_ins_are_summed_in_the_audit_and_the_citizen_reads_of_them(
    client: FlaskClient, citizen: Phone, station: Station, services: Services, clock: StandingClock
) -> None:
    for _ in range(7):
        log_in(client, citizen.username, "wrong")
        log_in(client, "nobody-here", "wrong")
        client.post("/api/v1/stations/login", json={"username": "inspector-1", "password": "wrong"})
    clock.advance(hours=1)
    due.sum_failed_logins(services)
    due.sum_failed_logins(services)
    with services.sessions() as session:
        found = session.execute(
            select(AuditEvent.actor, AuditEvent.serial, AuditEvent.detail["number"].as_integer())
            .where(AuditEvent.action.in_(["login-failed", "inspector-login-failed"]))
            .order_by(AuditEvent.id)
        ).all()
    assert [tuple(one) for one in found] == [("citizen", None, 7), ("citizen:1", 1, 7), ("inspector:1", None, 7)]
    newest = citizen.get("/api/v1/record/access").json["entries"][0]
    assert (newest["what"]["action"], newest["who"]["role"]) == ("login-failed", "other")


def test_a_name_that_does_not_exist_does_the_same_work(client: FlaskClient, citizen: Phone, services: Services) -> None:
    for username in (citizen.username, "nobody-here"):
        log_in(client, username, "wrong")
    work = []
    for username in (citizen.username, "nobody-here"):
        with count_statements(services.engine) as statements:
            log_in(client, username, "wrong")
        work.append(statements)
    assert work[0] == work[1]


def test_without_wechat_there_is_a_code_but_no_subscription(client: FlaskClient, citizen: Phone) -> None:
    citizen.session = log_in(client, citizen.username).json["session"]
    answer = citizen.get("/api/v1/subscriptions")
    assert (answer.status_code, slug(answer)) == (403, "wechat-session-needed")
    assert slug(citizen.post("/api/v1/subscriptions", {"demo-color-change": "accept"})) == "wechat-session-needed"


def test_with_a_wechat_session_the_new_phone_is_bound_to_the_account(
    client: FlaskClient, citizen: Phone, phone: Callable[..., Phone]
) -> None:
    new = phone("示例新机")
    new.log_in_with_wechat()
    answer = log_in(client, citizen.username, session=new.session)
    assert answer.status_code == 200
    new.session = answer.json["session"]
    assert new.color() == "GREEN"
    assert new.get("/api/v1/subscriptions").status_code == 200
    assert new.log_in_with_wechat().json["account"]["username"] == citizen.username


def test_a_wrong_password_binds_nothing(client: FlaskClient, citizen: Phone, phone: Callable[..., Phone]) -> None:
    new = phone("示例新机")
    new.log_in_with_wechat()
    assert log_in(client, citizen.username, "wrong", session=new.session).status_code == 401
    assert new.log_in_with_wechat().json["account"] is None


def test_logging_in_again_on_the_same_phone_keeps_the_session_that_is_open(client: FlaskClient, citizen: Phone) -> None:
    assert log_in(client, citizen.username, session=citizen.session).status_code == 200
    assert citizen.color() == "GREEN"


def test_a_phone_that_changes_hands_leads_to_the_one_who_logged_in_last(
    client: FlaskClient, citizen: Phone, phone: Callable[..., Phone]
) -> None:
    other = phone("示例乙").become_green()
    assert log_in(client, other.username, session=citizen.session).status_code == 200
    assert citizen.log_in_with_wechat().json["account"]["username"] == other.username


def test_an_inspectors_session_binds_nothing(client: FlaskClient, citizen: Phone, station: Station) -> None:
    answer = log_in(client, citizen.username, session=station.session)
    assert answer.status_code == 200
    citizen.session = answer.json["session"]
    assert slug(citizen.get("/api/v1/subscriptions")) == "wechat-session-needed"


def test_citizens_do_not_enter_at_the_station_nor_inspectors_as_citizens(
    client: FlaskClient, citizen: Phone, station: Station
) -> None:
    body = {"username": citizen.username, "password": PASSWORD}
    refused = client.post("/api/v1/stations/login", json=body)
    assert slug(refused) == "wrong-credentials"
    assert "场所负责人" in refused.json["detail"], "who cannot log in at a station has another way out than a citizen"
    assert slug(log_in(client, "inspector-1")) == "wrong-credentials"


def test_after_a_log_out_one_can_log_in_again(client: FlaskClient, citizen: Phone) -> None:
    answer = citizen.post("/api/v1/accounts/logout", None)
    assert (answer.status_code, answer.data) == (204, b"")
    assert slug(citizen.post("/api/v1/accounts/logout", None)) == "session-expired"
    citizen.session = log_in(client, citizen.username).json["session"]
    assert citizen.color() == "GREEN"


def test_a_visitor_can_log_out_as_well(phone: Callable[..., Phone]) -> None:
    visitor = phone()
    visitor.log_in_with_wechat()
    assert visitor.post("/api/v1/accounts/logout", None).status_code == 204
    assert slug(visitor.get("/api/v1/subscriptions")) == "session-expired"
    assert visitor.log_in_with_wechat().status_code == 200


def test_sessions_of_one_person_are_all_different(client: FlaskClient, citizen: Phone, clock: StandingClock) -> None:
    sessions = {citizen.session}
    for _ in range(3):
        clock.advance(seconds=1)
        sessions.add(log_in(client, citizen.username).json["session"])
    assert len(sessions) == 4


def test_a_session_says_nothing_to_its_bearer(citizen: Phone, services: Services) -> None:
    assert citizen.session is not None
    assert citizen.username not in citizen.session
    assert len(citizen.session) == 58
