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
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


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
    both = fields(change(citizen, current="wrong", new="kite"))
    assert [pointer for pointer, _ in both] == ["/current", "/password"], "all that is wrong at once"
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
        ("Ab1-xyz", "must have at least 8 characters"),
        ("", "is required: choose a password"),
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


# --- the first ones


def register_without(person: Phone) -> Any:
    """Register by name, document and phone alone."""
    person.log_in_with_wechat()
    form = {key: value for key, value in person.registration().items() if key not in ("username", "password")}
    answer = person.post("/api/v1/accounts", form)
    assert answer.status_code == 201, answer.json
    person.session = answer.json["session"]  # type: ignore[index]
    return answer


def choose(citizen: Phone, username: str = "chosen.later", password: str = PASSWORD) -> Any:
    headers = {"Authorization": f"Bearer {citizen.session}", "Accept-Language": "en"}
    body = {"username": username, "password": password}
    return citizen.client.put("/api/v1/accounts/me/credentials", json=body, headers=headers)


def test_who_registered_without_a_password_chooses_one_later_and_logs_in_with_it(
    client: FlaskClient, phone: Callable[..., Phone]
) -> None:
    person = phone("示例丙", username="chosen.later")
    assert register_without(person).json["account"]["username"] == ""
    assert person.log_in_with_wechat().json["account"]["username"] == "", "WeChat is enough"  # type: ignore[index]
    assert person.declare().json["color"] == "GREEN"  # type: ignore[index]
    assert slug(change(person)) == "wrong-credentials", "there is none to change"
    answer = choose(person, "Chosen.LATER")
    assert (answer.status_code, answer.json["account"]["username"]) == (200, "chosen.later")
    person.session = answer.json["session"]
    assert person.color() == "GREEN"
    assert log_in(client, person, PASSWORD).status_code == 200
    assert slug(choose(person, "another.name")) == "credentials-chosen"
    newest = person.get("/api/v1/record/access").json["entries"][0]  # type: ignore[index]
    assert (newest["what"]["action"], newest["who"]["role"]) == ("credentials-chosen", "citizen")


def test_nobody_logs_in_to_an_account_without_a_password(client: FlaskClient, phone: Callable[..., Phone]) -> None:
    person = phone("示例丙", username="chosen.later")
    register_without(person)
    for username in ("chosen.later", " ", "None", "null"):
        body = {"username": username, "password": PASSWORD}
        assert client.post("/api/v1/accounts/login", json=body).status_code == 401


def test_what_is_wrong_with_the_first_user_name_and_password_is_reported_at_once(
    citizen: Phone, phone: Callable[..., Phone]
) -> None:
    people = [phone("示例丙"), phone("示例丁")]
    for person in people:
        register_without(person)
    for username, password, wrong in (
        ("", "", [("/username", "is required: choose a user name"), ("/password", "is required: choose a password")]),
        ("1a", "kite", [("/username", "must be 4"), ("/password", "must have at least 8")]),
    ):
        found = fields(choose(people[0], username, password))
        assert [pointer for pointer, _ in found] == [pointer for pointer, _ in wrong]
        assert all(told.startswith(begin) for (_, told), (_, begin) in zip(found, wrong, strict=True))
    assert slug(choose(people[0], citizen.username)) == "username-taken"
    assert choose(people[0]).status_code == 200
    assert slug(choose(people[1])) == "username-taken"
