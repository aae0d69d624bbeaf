"""Bindings: a citizen sees which WeChat users open their account, and ends another's."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.claims import slug
from tests.support.clock import START, StandingClock
from tests.support.people import PASSWORD, Phone

PATH = "/api/v1/accounts/me/bindings"


def log_in_by_password(person: Phone, owner: Phone) -> None:
    person.session = person.session or (person.log_in_with_wechat() and person.session)
    answer = person.post("/api/v1/accounts/login", {"username": owner.username, "password": PASSWORD})
    assert answer.status_code == 200
    person.session = answer.json["session"]  # type: ignore[index]


def bindings(person: Phone) -> list[dict[str, Any]]:
    answer = person.get(PATH)
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["bindings"]  # type: ignore[index]
    return found


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


@pytest.fixture
def second(phone: Callable[..., Phone], citizen: Phone, clock: StandingClock) -> Phone:
    """Another WeChat user, who has the password."""
    clock.advance(minutes=1)
    second = phone("示例乙")
    log_in_by_password(second, citizen)
    return second


def test_a_citizen_sees_who_is_bound_and_since_when_and_not_who_it_is(citizen: Phone, second: Phone) -> None:
    first = {"number": 1, "bound_at": "2020-03-20T12:00:00+08:00", "registered": True, "can_end": False}
    other = {"number": 2, "bound_at": "2020-03-20T12:01:00+08:00", "registered": False}
    assert bindings(citizen) == [{**other, "this": False, "can_end": True}, {**first, "this": True}]
    assert bindings(second) == [{**other, "this": True, "can_end": False}, {**first, "this": False}]
    assert START.isoformat().startswith("2020-03-20")


def test_a_citizen_ends_the_binding_of_another(citizen: Phone, second: Phone) -> None:
    citizen.subscribe()
    before = citizen.session
    answer = citizen.post(f"{PATH}/end", {"number": 2})
    assert (answer.status_code, answer.json["account"]["username"]) == (200, citizen.username)  # type: ignore[index]
    assert slug(second.get("/api/v1/code")) == "session-expired"
    assert second.log_in_with_wechat().json["account"] is None  # type: ignore[index]
    assert slug(citizen.get("/api/v1/code")) == "session-expired", "the session of before has ended too"
    citizen.session = answer.json["session"]  # type: ignore[index]
    assert citizen.session != before and citizen.color() == "GREEN" and citizen.balance() == 1
    assert [one["this"] for one in bindings(citizen)] == [True]
    done = [one["what"]["action"] for one in citizen.get("/api/v1/record/access").json["entries"]]  # type: ignore[index]
    assert done[:2] == ["wechat-unbound", "sessions-ended"]
    log_in_by_password(second, citizen)
    assert bindings(citizen)[0]["number"] == 3, "a number is never given again"


@pytest.mark.parametrize(("number", "status", "problem"), [(3, 404, "binding-not-found"), (1, 409, "binding-stays"),
                                                           (2, 409, "binding-stays")])  # fmt: skip
def test_who_registered_stays_and_nobody_unbinds_themselves_here(
    citizen: Phone, second: Phone, number: int, status: int, problem: str
) -> None:
    answer = second.post(f"{PATH}/end", {"number": number})
    assert (answer.status_code, slug(answer)) == (status, problem)
    assert len(bindings(citizen)) == 2


def test_a_binding_of_another_account_or_of_an_earlier_holder_is_not_there(
    citizen: Phone, second: Phone, phone: Callable[..., Phone]
) -> None:
    other = phone("示例丙").become_green()
    assert len(bindings(other)) == 1
    assert slug(other.post(f"{PATH}/end", {"number": 2})) == "binding-not-found"
    assert slug(phone("示例访客").get(PATH)) == "session-missing"
