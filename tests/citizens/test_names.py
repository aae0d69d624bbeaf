"""Names, numbers and phones at registration and declaration, as people bring them; the platform compares letters."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import text

from app.runtime import Services
from tests.support.people import Phone, as_pasted

NAME, PHONE = "阿卜杜拉·买买提", "13800138000"
Tell = Callable[..., None]


@pytest.fixture
def visitor(phone: Callable[..., Phone]) -> Phone:
    """Somebody inside WeChat who has not registered yet."""
    visitor = phone("示例甲")
    visitor.log_in_with_wechat()
    return visitor


@pytest.fixture
def platform(platform_url: str) -> Tell:
    """Tells the platform what it knows of a person."""

    def tell(person: Phone, **known: Any) -> None:
        url = f"{platform_url}/sandbox/people/{person.document}"
        requests.put(url, json=known, timeout=5).raise_for_status()

    return tell


def register(visitor: Phone, **changes: Any) -> Any:
    answer = visitor.post("/api/v1/accounts", {**visitor.registration(), **changes})
    visitor.session = answer.json["session"] if answer.status_code == 201 else visitor.session  # type: ignore[index]
    return answer


def refusals(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [error["pointer"] for error in answer.json.get("errors", [])]


def kept(services: Services) -> tuple[str, ...]:
    """Name, number and phone of the one citizen, as they are kept."""
    columns = ("name", "document", "phone")
    with services.engine.connect() as connection:
        row = connection.execute(text("select " + ", ".join(f"{one}_ciphertext" for one in columns) + " from citizens"))
        return tuple(
            services.encryption.decrypt(f"citizens.{column}", bytes(value))
            for column, value in zip(columns, row.one(), strict=True)
        )


@pytest.mark.parametrize(
    ("name", "typed_phone", "known"),
    [
        ("阿卜杜拉 \u30fb 买买提", "+86 138-0013-8000", NAME),
        ("阿卜杜拉.买买提\u200b", "\u202a０１３８００１３８０００\u202c", NAME),
        ("Ａnna-Maria  O\u2019Example", "0086 138 0013 8000", "ANNA-MARIA O'EXAMPLE"),
    ],
)
def test_whoever_writes_their_name_and_phone_otherwise_is_the_person_whom_the_platform_knows(
    visitor: Phone, platform: Tell, services: Services, name: str, typed_phone: str, known: str
) -> None:
    platform(visitor, name=known, phone=PHONE)
    document = {"type": "id-card", "number": as_pasted(visitor.document)}
    assert register(visitor, name=name, phone=typed_phone, document=document).status_code == 201
    assert kept(services) == (known, visitor.document, PHONE)
    assert visitor.declare().json["color"] == "GREEN"  # type: ignore[index]


@pytest.mark.parametrize("name", ["甲", "示" * 30, "\U00033479", "Wolfeschlegelstein " * 4 + "Example"])
def test_a_name_may_be_short_long_or_newer_than_the_interpreter(visitor: Phone, name: str) -> None:
    answer = register(visitor, name=name)
    assert answer.status_code == 201, answer.text
    assert answer.json["account"]["name"].strip("*") != name


@pytest.mark.parametrize(
    ("known", "pointers"),
    [
        ({"name": "示例乙", "phone": PHONE}, ["/name"]),
        ({"name": "示例甲", "phone": "13800138001"}, ["/phone"]),
        ({"name": "示例乙", "phone": "13800138001"}, ["/name", "/phone"]),
        ({"result": "identity-mismatch"}, []),
    ],
)
def test_what_the_platform_knows_otherwise_is_named(
    visitor: Phone, platform: Tell, known: dict[str, str], pointers: list[str]
) -> None:
    platform(visitor, **known)
    answer = register(visitor, phone=PHONE)
    assert refusals(answer) == (422, pointers)
    assert answer.json["type"] == "/problems/identity-mismatch"
    assert all(part in answer.json["title"] for part in ("姓名", "证件号码", "手机号"))


def test_a_phone_of_wechat_that_the_platform_does_not_know_is_named_as_such(
    visitor: Phone, platform: Tell, wechat_url: str
) -> None:
    user = f"{wechat_url}/sandbox/users/{visitor.name}"
    number = {"number": f"86{PHONE}", "country_code": "86"}  # with the country before it once more
    requests.patch(user, json=number, timeout=5).raise_for_status()
    form = {key: value for key, value in visitor.registration().items() if key != "phone"}
    code = lambda: requests.post(f"{user}/phone-code", timeout=5).json()["code"]  # noqa: E731
    platform(visitor, phone="13800138001")
    assert refusals(visitor.post("/api/v1/accounts", {**form, "phone_code": code()})) == (422, ["/phone_code"])
    platform(visitor, phone=PHONE)
    assert visitor.post("/api/v1/accounts", {**form, "phone_code": code()}).status_code == 201


def test_a_name_and_a_phone_from_before_are_asked_in_the_spelling_of_today(
    visitor: Phone, platform: Tell, services: Services
) -> None:
    register(visitor)
    old = {"name": "阿卜杜拉•买买提", "phone": f"+86{PHONE}"}
    with services.engine.begin() as connection:
        for column, value in old.items():
            sealed = services.encryption.encrypt(f"citizens.{column}", value)
            connection.execute(text(f"update citizens set {column}_ciphertext = :sealed"), {"sealed": sealed})
    platform(visitor, name=NAME, phone="13800138001")
    assert refusals(visitor.declare()) == (422, ["/phone"])
    platform(visitor, name=NAME, phone=PHONE)
    assert visitor.declare().json["color"] == "GREEN"  # type: ignore[index]


def test_a_birth_certificate_alone_registers_nobody(visitor: Phone) -> None:
    answer = register(visitor, document={"type": "birth-certificate", "number": "X220101001"})
    assert refusals(answer) == (422, ["/document/type"])


def test_an_old_number_is_refused_with_the_next_step(visitor: Phone) -> None:
    answer = register(visitor, document={"type": "id-card", "number": "110105491231002"})
    assert refusals(answer) == (422, ["/document/number"])
    assert "18 位" in answer.text
