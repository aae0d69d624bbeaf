"""Rate limits on endpoints that can be guessed at or flooded: when they refuse, whom, and that they end."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import create_app
from app.audit import AuditEvent
from app.runtime import Services, connect_redis
from app.web import limits
from app.worker import due
from tests.support.people import PASSWORD, Phone, Station


@pytest.fixture
def limited(services: Services) -> Callable[..., FlaskClient]:
    """A server with some limits made small, and with another Redis if one is named."""

    def serve(redis_url: str | None = None, proxies: int = 0, **small: str) -> FlaskClient:
        settings = services.settings
        changes: dict[str, Any] = {"limits": settings.limits.model_copy(update=small), "proxies": proxies}
        if redis_url:
            changes["redis"] = settings.redis.model_copy(update={"url": redis_url})
        settings = settings.model_copy(update=changes)
        redis = connect_redis(settings)
        limits.limiter._storage_dead = False  # what a process has seen of another Redis; here all share one process
        return create_app(replace(services, settings=settings, redis=redis, real_clock=services.clock)).test_client()

    return serve


def log_in(client: FlaskClient, username: str, password: str = "wrong", address: str = "10.0.0.1") -> Any:
    body = {"username": username, "password": password}
    return client.post("/api/v1/accounts/login", json=body, environ_base={"REMOTE_ADDR": address})


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def assert_closed(answer: Any) -> None:
    assert answer.status_code == 429
    assert slug(answer) == "too-many-requests"
    assert answer.content_type == "application/problem+json"
    assert 3500 <= int(answer.headers["Retry-After"]) <= 3601, "not a minute, which would only be refused again"


def test_an_address_that_tries_too_often_waits_and_others_do_not(limited: Callable[..., FlaskClient]) -> None:
    client = limited(login="3 per hour")
    for n in range(3):
        assert slug(log_in(client, f"nobody{n}")) == "wrong-credentials"
    assert_closed(log_in(client, "nobody4"))
    assert slug(log_in(client, "nobody4", address="10.0.0.2")) == "wrong-credentials"


def test_a_name_that_is_tried_and_an_address_are_not_kept_in_redis(
    limited: Callable[..., FlaskClient], services: Services
) -> None:
    log_in(limited(), "zhang-example-3", address="2001:db8:5::77")
    keys = b" ".join(services.redis.scan_iter())
    assert b"jx:login:" in keys
    assert not any(private in keys for private in (b"zhang-example-3", b"2001:db8", b"10.0.0.1"))


def test_right_log_ins_are_not_counted(limited: Callable[..., FlaskClient], station: Station) -> None:
    every = ("login", "login_per_account", "login_per_account_global")
    client = limited(**dict.fromkeys(every, "2 per hour"))
    assert {knock(client, PASSWORD).status_code for _ in range(9)} == {200}
    assert {client.post("/api/v1/stations/login", json={}).status_code for _ in range(9)} == {422}
    assert [knock(client, word).status_code for word in ("wrong", PASSWORD, "wrong", PASSWORD)] == [401, 200, 401, 429]


def test_an_address_that_guesses_at_many_inspectors_waits(
    limited: Callable[..., FlaskClient], station: Station
) -> None:
    client = limited(login="2 per hour")
    for n in range(2):
        assert slug(knock(client, "wrong", username=f"inspector-{n}0")) == "wrong-credentials"
    assert_closed(knock(client, PASSWORD))


def test_log_ins_of_an_inspector_that_a_limit_stops_are_summed_in_the_audit_as_those_of_officers(
    limited: Callable[..., FlaskClient], station: Station, services: Services
) -> None:
    client = limited(login="2 per hour")
    assert [knock(client, "wrong").status_code for _ in range(5)] == [401] * 2 + [429] * 3
    assert knock(client, "wrong", username="nobody-9").status_code == 429
    due.sum_failed_logins(services)
    with services.sessions() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action.like("%-login-stopped")))
        summed = {(row.actor, row.action, row.detail["number"]) for row in rows}
    assert summed == {("inspector:1", "inspector-login-stopped", 3), ("officer", "officer-login-stopped", 1)}


def knock(
    client: FlaskClient, password: str, username: str = "inspector-1", address: str = "10.0.0.1", **more: str
) -> Any:
    body = {"username": username, "password": password, **more}
    return client.post("/api/v1/stations/login", json=body, environ_base={"REMOTE_ADDR": address})


def test_declarations_are_limited_by_person_and_not_by_address(
    limited: Callable[..., FlaskClient], phone: Callable[..., Phone]
) -> None:
    one, other = phone("示例甲"), phone("示例乙")
    client = limited(declaration="2 per hour")
    for person in (one, other):
        person.register()
        person.client = client
    assert [one.declare().status_code for _ in range(2)] == [201, 201]
    assert_closed(one.declare())
    assert other.declare().status_code == 201


def test_registrations_are_limited_by_wechat_user(
    limited: Callable[..., FlaskClient], phone: Callable[..., Phone]
) -> None:
    one, other = phone("示例甲"), phone("示例乙")
    for person in (one, other):
        person.log_in_with_wechat()
        person.client = limited(registration="1 per hour")
    assert one.post("/api/v1/accounts", {**one.registration(), "phone": "12345678"}).status_code == 422
    assert_closed(one.post("/api/v1/accounts", one.registration()))
    assert other.register().status_code == 201


def test_names_and_phones_are_tried_out_a_few_times_a_day_by_one_caller_and_at_one_number(
    services: Services, limited: Callable[..., FlaskClient], phone: Callable[..., Phone], platform_url: str
) -> None:
    owner, *strangers = [phone(f"示例{name}") for name in "甲乙丙丁"]
    other = phone("示例戊").document
    for document in (owner.document, other):
        requests.put(f"{platform_url}/sandbox/people/{document}", json={"result": "identity-mismatch"}, timeout=5)
    client = limited(identity_mismatches="2 per hour")
    for person in (owner, *strangers):
        person.log_in_with_wechat()
        person.client = client

    def try_out(caller: Phone, number: str = owner.document, **changes: Any) -> TestResponse:
        body = {**caller.registration(), "document": {"type": "id-card", "number": number}, **changes}
        return caller.post("/api/v1/accounts", body)

    assert [try_out(one).status_code for one in strangers[:2]] == [422, 422]
    assert_closed(try_out(strangers[2]))
    assert_closed(try_out(strangers[2], f" {owner.document.lower()} "))
    by_wechat = try_out(owner, phone=None, phone_code="another")
    assert by_wechat.json["errors"][0]["pointer"] == "/phone_code", "the owner is not kept out"  # type: ignore[index]
    assert try_out(strangers[0], other, name="示例己").status_code == 422
    assert_closed(try_out(strangers[0], phone("示例庚").document))


def test_a_made_up_forwarding_header_is_no_new_address(limited: Callable[..., FlaskClient]) -> None:
    client = limited(login="2 per hour")
    answers = [
        client.post(
            "/api/v1/accounts/login",
            json={"username": "nobody", "password": "wrong"},
            headers={"X-Forwarded-For": f"10.9.9.{n}", "X-Real-IP": f"10.9.9.{n}"},
        )
        for n in range(3)
    ]
    assert_closed(answers[-1])


def test_behind_a_proxy_each_forwarded_address_counts_for_itself(limited: Callable[..., FlaskClient]) -> None:
    client = limited(login="1 per hour", proxies=1)

    def knock(forwarded: str) -> Any:
        body = {"username": "nobody", "password": "wrong"}
        return client.post("/api/v1/accounts/login", json=body, headers={"X-Forwarded-For": forwarded})

    assert slug(knock("10.0.0.1")) == "wrong-credentials"
    assert slug(knock("10.0.0.2")) == "wrong-credentials"
    assert_closed(knock("10.0.0.1"))
    assert_closed(knock("made.up, 10.0.0.2"))


def test_without_redis_the_endpoints_answer_and_are_still_counted(limited: Callable[..., FlaskClient]) -> None:
    client = limited(redis_url="redis://127.0.0.1:1/0", login="2 per hour")
    assert slug(log_in(client, "nobody")) == "wrong-credentials"
    assert slug(log_in(client, "nobody")) == "wrong-credentials"
    assert_closed(log_in(client, "nobody"))


def test_looking_at_ones_code_is_never_limited(
    limited: Callable[..., FlaskClient], phone: Callable[..., Phone]
) -> None:
    citizen = phone().become_green()
    every = dict.fromkeys(("login", "registration", "declaration", "login_per_account", "wechat_login"), "1 per hour")
    citizen.client = limited(**every)
    assert {citizen.get("/api/v1/code").status_code for _ in range(10)} == {200}


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(
    client: FlaskClient, phone: Callable[..., Phone]
) -> None:
    citizen = phone().become_green()
    unknown, wrong = log_in(client, "nobody-at-all"), log_in(client, citizen.username)
    assert (unknown.status_code, unknown.data) == (wrong.status_code, wrong.data) == (401, unknown.data)
