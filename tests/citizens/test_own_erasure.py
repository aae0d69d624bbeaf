"""Citizens delete their own account: confirmed by the password or by WeChat, told once, and nothing of others goes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import requests
from sqlalchemy import text

from app import create_app
from app.citizens.documents import DocumentType
from app.citizens.lookup import find_or_add
from app.runtime import Services
from app.web import limits
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell
from tests.support.office import Office
from tests.support.people import PASSWORD, Phone
from tests.wechat.callbacks.endpoint import openid

ERASURE = "/api/v1/accounts/me/erasure"


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def rows(services: Services, table: str) -> list[Any]:
    with services.engine.connect() as connection:
        return list(connection.execute(text(f"select * from {table} order by 1")))


def by_wechat(person: Phone) -> Any:
    return person.post(ERASURE, {"wechat_code": person.wx_login()})


def by_password(person: Phone, password: str = PASSWORD) -> Any:
    return person.post(ERASURE, {"password": password})


@pytest.mark.parametrize("confirm", [by_wechat, by_password])
def test_who_the_person_is_goes_and_is_told_once(
    services: Services, citizen: Phone, confirm: Callable[[Phone], Any]
) -> None:
    citizen.subscribe()
    kept = {table: rows(services, table) for table in ("evidence", "decisions", "declarations", "notices")}
    hashed = services.encryption.fingerprint("openid", openid(citizen)).hex()
    citizen.language = "en"
    answer = confirm(citizen)
    assert answer.status_code == 200, answer.json
    assert answer.json["notice"].startswith("Your account is deleted")
    for table in ("accounts", "wechat_users", "subscriptions", "subscription_accepts"):
        assert rows(services, table) == []
    [row] = rows(services, "citizens")
    assert (row.name_ciphertext, row.phone_ciphertext, row.document_ciphertext) == (None, None, None)
    assert {table: rows(services, table) for table in kept} == kept, "and no notice of a change is made of it"
    assert not any(hashed in (job.lock or "") for job in rows(services, "procrastinate_jobs"))
    assert [(event.actor, event.action) for event in rows(services, "audit")][-1] == ("citizen:1", "erased")
    assert citizen.get("/api/v1/code").json["type"] == "/problems/session-expired"
    citizen.session = None
    assert citizen.log_in_with_wechat().json["account"] is None


def test_an_order_of_officers_stays_and_is_there_after_a_new_registration(
    services: Services, citizen: Phone, clock: StandingClock
) -> None:
    tell(services, 1, contact(clock.now()))
    assert by_wechat(citizen).status_code == 200
    citizen.session = None
    assert citizen.register().status_code == 201
    assert citizen.declare().json["color"] == "ORANGE"


def test_who_is_confirmed_deletes_the_document_that_officers_have_brought_too(
    services: Services, citizen: Phone
) -> None:
    office = Office(services)
    office.approve("approver", office.propose("recorder", "quarantine", [1]))
    assert by_wechat(citizen).status_code == 200
    [row] = rows(services, "citizens")
    assert row.document_ciphertext is None and row.erased_at is not None


def test_nobody_else_confirms(services: Services, citizen: Phone, phone: Callable[..., Phone]) -> None:
    other = phone("示例乙").become_green()
    for body in ({"wechat_code": other.wx_login()}, {"wechat_code": phone("示例访客").wx_login()}):
        assert citizen.post(ERASURE, body).json["type"] == "/problems/wechat-user-of-another"
    wrong = by_password(citizen, "not-the-Password-1")
    assert (wrong.status_code, [error["pointer"] for error in wrong.json["errors"]]) == (401, ["/password"])
    used = citizen.wx_login()
    citizen.post("/api/v1/wechat/login", {"code": used})
    assert citizen.post(ERASURE, {"wechat_code": used}).json["type"] == "/problems/wechat-code-refused"
    assert len(rows(services, "accounts")) == 2 and citizen.color() == "GREEN"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/password"), ({"password": PASSWORD, "wechat_code": "c"}, "/wechat_code"), ({"password": ""}, "/password")],
)
def test_it_is_confirmed_in_one_way(citizen: Phone, body: dict[str, str], pointer: str) -> None:
    refused = citizen.post(ERASURE, body)
    assert (refused.status_code, [error["pointer"] for error in refused.json["errors"]]) == (422, [pointer])


def test_while_wechat_does_not_answer_the_password_still_confirms(citizen: Phone, wechat_url: str) -> None:
    code = citizen.wx_login()
    failures = f"{wechat_url}/sandbox/failures"
    requests.put(failures, json={"path": "/sns/jscode2session", "errcode": -1}, timeout=5).raise_for_status()
    assert citizen.post(ERASURE, {"wechat_code": code}).status_code == 503
    assert by_password(citizen).status_code == 200


def test_passwords_are_not_guessed_here(services: Services, citizen: Phone) -> None:
    small = services.settings.limits.model_copy(update={"login_per_account": "3 per hour"})
    limits.limiter._storage_dead = False
    citizen.client = create_app(
        replace(services, settings=services.settings.model_copy(update={"limits": small}))
    ).test_client()
    assert [by_password(citizen, "wrong").status_code for _ in range(4)] == [401, 401, 401, 429]


def test_a_visitor_has_no_account_to_delete(phone: Callable[..., Phone]) -> None:
    visitor = phone("示例访客")
    visitor.log_in_with_wechat()
    assert by_password(visitor).json["type"] == "/problems/not-registered"


def log_in_by_password(person: Phone, owner: Phone) -> None:
    credentials = {"username": owner.username, "password": PASSWORD}
    person.session = person.post("/api/v1/accounts/login", credentials).json["session"]


@pytest.mark.parametrize("confirm", [by_wechat, by_password])
def test_other_phones_go_too_and_other_people_are_left_alone(
    services: Services, citizen: Phone, phone: Callable[..., Phone], confirm: Callable[[Phone], Any]
) -> None:
    second, other = phone("示例新机"), phone("示例乙").become_green()
    citizen.subscribe()
    other.subscribe()
    second.log_in_with_wechat()
    log_in_by_password(second, citizen)
    assert confirm(second).status_code == 200
    assert citizen.get("/api/v1/code").status_code == 401
    assert [user.serial for user in rows(services, "wechat_users")] == [2]
    assert (other.color(), other.balance(), len(rows(services, "subscription_accepts"))) == ("GREEN", 1, 1)


def test_from_a_session_without_wechat_every_phone_goes(services: Services, citizen: Phone) -> None:
    citizen.subscribe()
    citizen.session = None
    log_in_by_password(citizen, citizen)
    assert by_password(citizen).status_code == 200
    for table in ("wechat_users", "subscriptions", "subscription_accepts"):
        assert rows(services, table) == []


def test_who_registered_goes_although_unbound_by_a_new_password(
    services: Services, citizen: Phone, phone: Callable[..., Phone]
) -> None:
    citizen.subscribe()
    second = phone("示例新机")
    second.log_in_with_wechat()
    log_in_by_password(second, citizen)
    changed = second.client.put(
        "/api/v1/accounts/me/password",
        json={"current": PASSWORD, "password": "Another-Password-2"},
        headers={"Authorization": f"Bearer {second.session}"},
    )
    assert changed.status_code == 200, changed.json
    second.session = changed.json["session"]
    assert by_wechat(second).status_code == 200
    assert [rows(services, table) for table in ("wechat_users", "subscriptions")] == [[], []]


def test_whoever_took_a_document_deletes_no_record_of_officers(
    services: Services, phone: Callable[..., Phone], platform_url: str
) -> None:
    """While the platform is away, anybody can register with a number that officers have recorded."""
    office, squatter = Office(services), phone("示例丙")
    with services.begin() as session:
        found = find_or_add(session, services.encryption, DocumentType.ID_CARD, squatter.document, services.clock.now())
        serial = found.serial
    requests.put(f"{platform_url}/sandbox/switch", json={"on": False}, timeout=5).raise_for_status()
    office.approve("approver", office.propose("recorder", "quarantine", [serial]))
    assert squatter.register().status_code == 201
    assert by_wechat(squatter).status_code == 200
    [row] = rows(services, "citizens")
    assert row.document_ciphertext is not None and row.erased_at is None
    assert (row.name_ciphertext, row.phone_ciphertext, rows(services, "accounts")) == (None, None, [])
