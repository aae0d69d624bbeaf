"""Passwords of citizens: changing one's own, and which are refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.runtime import Services
from app.web import limits
from tests.support.people import PASSWORD, Phone, Station

NEW = "Kestrel-at-noon-7"


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def fields(answer: Any) -> list[tuple[str, str]]:
    return [(error["pointer"], error["detail"]) for error in answer.json["errors"]]


def change(citizen: Phone, current: str = PASSWORD, new: str = NEW, client: FlaskClient | None = None) -> Any:
    headers = {"Authorization": f"Bearer {citizen.session}", "Accept-Language": "en"}
    body = {"current": current, "password": new}
    return (client or citizen.client).put("/api/v1/accounts/me/password", json=body, headers=headers)


def log_in(client: FlaskClient, citizen: Phone, password: str, session: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    body = {"username": citizen.username, "password": password}
    return client.post("/api/v1/accounts/login", json=body, headers=headers)


@pytest.fixture
def citizen(phone: Callable[..., Phone]) -> Phone:
    return phone("示例甲").become_green()


def test_a_citizen_changes_their_password(client: FlaskClient, citizen: Phone) -> None:
    answer = change(citizen)
    assert (answer.status_code, answer.json["account"]["username"]) == (200, citizen.username)
    citizen.session = answer.json["session"]
    assert citizen.color() == "GREEN"
    assert log_in(client, citizen, PASSWORD).status_code == 401
    assert log_in(client, citizen, NEW).status_code == 200
    done = [entry["what"]["action"] for entry in citizen.get("/api/v1/record/access").json["entries"]]
    assert done[:2] == ["password-changed", "sessions-ended"]


def test_every_other_device_is_logged_out_and_its_wechat_user_unbound(
    client: FlaskClient, citizen: Phone, phone: Callable[..., Phone]
) -> None:
    thief, before = phone("示例乙"), citizen.session
    thief.log_in_with_wechat()
    thief.session = log_in(client, citizen, PASSWORD, thief.session).json["session"]
    assert thief.color() == "GREEN"
    citizen.session = change(citizen).json["session"]
    assert slug(thief.get("/api/v1/code")) == "session-expired"
    assert thief.log_in_with_wechat().json["account"] is None
    assert slug(Phone.get(replace_session(citizen, before), "/api/v1/code")) == "session-expired"
    assert citizen.log_in_with_wechat().json["account"]["username"] == citizen.username


def replace_session(citizen: Phone, session: str | None) -> Phone:
    return replace(citizen, session=session, username=citizen.username, document=citizen.document)


def test_the_current_password_is_needed(client: FlaskClient, citizen: Phone) -> None:
    answer = change(citizen, current="wrong")
    assert (answer.status_code, slug(answer)) == (401, "wrong-credentials")
    assert fields(answer) == [("/current", "is not your current password")]
    assert citizen.color() == "GREEN", "nobody was logged out"
    assert log_in(client, citizen, PASSWORD).status_code == 200


def test_who_finds_an_unlocked_phone_does_not_guess_the_password_for_long(services: Services, citizen: Phone) -> None:
    small = services.settings.limits.model_copy(update={"login_per_account": "3 per hour"})
    limits.limiter._storage_dead = False
    client = create_app(
        replace(services, settings=services.settings.model_copy(update={"limits": small}))
    ).test_client()
    assert [change(citizen, "wrong", client=client).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_in_production_no_setting_makes_guessing_free(services: Services, citizen: Phone) -> None:
    wide = services.settings.limits.model_copy(update={"login_per_account": "1000 per minute"})
    settings = services.settings.model_copy(update={"limits": wide, "environment": "production"})
    limits.limiter._storage_dead = False
    client = create_app(replace(services, settings=settings)).test_client()
    assert [change(citizen, "wrong", client=client).status_code for _ in range(21)] == [401] * 20 + [429]


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (PASSWORD, "must differ from your current one"),
        ("Ab1-xyz", "is too short"),
        ("password1", "is common or easy to guess; choose another"),
    ],
)
def test_a_bad_new_password_is_refused(citizen: Phone, new: str, told: str) -> None:
    answer = change(citizen, new=new)
    assert (answer.status_code, fields(answer)) == (422, [("/password", told)])
    assert citizen.color() == "GREEN"


def test_nobody_else_has_this_address(client: FlaskClient, station: Station, phone: Callable[..., Phone]) -> None:
    visitor = phone("示例丙")
    visitor.log_in_with_wechat()
    assert slug(change(visitor)) == "not-registered"
    visitor.session = station.session
    assert slug(change(visitor)) == "not-allowed"


@pytest.mark.parametrize(
    "password",
    ["12345678", "Password1", "PASSWORD1", "ｐａｓｓｗｏｒｄ１", "qwertyuiop", "1qaz2wsx3edc", "147258369", "iloveyou",
     "jixiangma", "JiXiangMa2020", "jixiang123", "woaini1314", "a123456789", "19900101", "abcd1234", "P@ssw0rd"],
)  # fmt: skip
def test_a_common_or_guessable_password_is_refused_at_registration(phone: Callable[..., Phone], password: str) -> None:
    visitor = phone("示例丁")
    visitor.log_in_with_wechat()
    answer = visitor.post("/api/v1/accounts", {**visitor.registration(), "password": password})
    assert answer.status_code == 422, password
    assert [error["pointer"] for error in answer.json["errors"]] == ["/password"]


@pytest.mark.parametrize("password", ["h7Rkq2mv", "示例的长密码句子", "correct horse battery", "4@8({[<3698!1|0$" * 7])
def test_an_uncommon_password_is_taken(phone: Callable[..., Phone], password: str) -> None:
    visitor = phone("示例戊")
    visitor.log_in_with_wechat()
    assert visitor.post("/api/v1/accounts", {**visitor.registration(), "password": password}).status_code == 201
