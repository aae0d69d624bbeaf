"""Log-in with WeChat: with a valid code, and when WeChat refuses or cannot be reached."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import text

from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.people import Phone
from tests.support.settings import SECRET

LOGIN = "/sns/jscode2session"


def slug(answer: Any) -> str:
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def fail(wechat_url: str, **how: Any) -> None:
    requests.put(f"{wechat_url}/sandbox/failures", json={"path": LOGIN, **how}, timeout=5).raise_for_status()


def users(services: Services) -> list[dict[str, Any]]:
    with services.engine.connect() as connection:
        return [dict(row) for row in connection.execute(text("select * from wechat_users order by id")).mappings()]


def test_a_first_log_in_opens_a_session_without_an_account(phone: Callable[..., Phone]) -> None:
    answer = phone().log_in_with_wechat()
    assert answer.status_code == 200
    assert set(answer.json) == {"session", "expires_at", "account"}
    assert answer.json["account"] is None
    assert answer.json["expires_at"] == "2020-04-19T12:00:00+08:00"
    assert answer.headers["Cache-Control"] == "no-store"


def test_one_phone_is_one_user_however_often_it_logs_in(
    phone: Callable[..., Phone], services: Services, clock: StandingClock
) -> None:
    citizen = phone()
    for _ in range(3):
        citizen.log_in_with_wechat()
        clock.advance(minutes=1)
    phone("示例乙").log_in_with_wechat()
    assert len(users(services)) == 2


def test_openid_and_session_key_are_neither_answered_nor_readable(
    phone: Callable[..., Phone], services: Services, wechat_url: str, wechat_sandbox: Flask
) -> None:
    citizen = phone()
    answer = citizen.log_in_with_wechat()
    [known] = requests.get(f"{wechat_url}/sandbox/users", timeout=5).json()
    everything = str(users(services))
    for private in (known["openid"], SECRET):
        assert private not in answer.text
        assert private not in everything
    assert "session_key" not in everything
    with wechat_sandbox.extensions["wechat-sandbox"].look() as state:
        assert state.phone_with_openid(known["openid"]).unionid not in everything + answer.text


@pytest.mark.parametrize("code", ["", "0", "x" * 32, "x" * 128, "&appid=wx1&secret=x", "../../", "代码"])
def test_a_code_that_wechat_did_not_give_is_refused(phone: Callable[..., Phone], code: str) -> None:
    answer = phone().post("/api/v1/wechat/login", {"code": code})
    assert answer.status_code == 422
    assert slug(answer) == ("wechat-code-refused" if code else "invalid-request")


def test_a_user_whom_wechat_blocks_is_refused(phone: Callable[..., Phone], wechat_url: str) -> None:
    citizen = phone("示例甲")
    requests.patch(f"{wechat_url}/sandbox/users/示例甲", json={"blocked": True}, timeout=5).raise_for_status()
    answer = citizen.log_in_with_wechat()
    assert (answer.status_code, slug(answer)) == (403, "wechat-user-blocked")


@pytest.mark.parametrize(
    "how",
    [
        {"errcode": -1},
        {"errcode": 45011},
        {"errcode": 40164},
        {"errcode": 40013},
        {"errcode": 41002},
        {"status": 500},
        {"drop": "before"},
        {"drop": "after"},
        {"delay": 1.3},
    ],
)
def test_a_wechat_that_does_not_answer_is_reported_as_unavailable(
    phone: Callable[..., Phone], services: Services, wechat_url: str, how: dict[str, Any]
) -> None:
    fail(wechat_url, **how)
    answer = phone().log_in_with_wechat()
    assert (answer.status_code, slug(answer)) == (503, "wechat-unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert str(how.get("errcode", "errcode")) not in answer.text
    assert users(services) == []


def test_a_code_is_spent_once_even_when_wechat_was_busy_at_first(phone: Callable[..., Phone], wechat_url: str) -> None:
    fail(wechat_url, errcode=-1, times=1)
    assert phone().log_in_with_wechat().status_code == 200, "busy means that nothing was done: asked again at once"


def test_the_language_of_the_last_log_in_is_that_of_the_notices(
    phone: Callable[..., Phone], services: Services
) -> None:
    citizen = phone(language="en-GB,en;q=0.8")
    citizen.log_in_with_wechat()
    assert users(services)[0]["language"] == "en"
    citizen.language = "zh-Hans-CN"
    citizen.log_in_with_wechat()
    assert users(services)[0]["language"] == "zh"


def test_a_bound_user_gets_their_account_and_a_session_of_it(green_citizen: Phone) -> None:
    citizen = green_citizen
    answer = citizen.log_in_with_wechat()
    assert answer.json["account"]["username"] == citizen.username
    assert "*" in answer.json["account"]["name"]
    assert citizen.color() == "GREEN"


def test_two_phones_never_share_an_account_by_themselves(phone: Callable[..., Phone]) -> None:
    phone("示例甲").become_green()
    assert phone("示例乙").log_in_with_wechat().json["account"] is None
