"""How often WeChat lets itself be called: by the minute, by the day in Beijing, and as documented."""

import pytest
import requests

from acting import SEND, WeChat

STABLE = "/cgi-bin/stable_token"


def test_the_documented_limits_are_in_force(wechat: WeChat) -> None:
    rates = {rate["path"]: (rate["per_minute"], rate["per_day"]) for rate in wechat.control("GET", "/rates")}
    assert rates[STABLE] == (10_000, 500_000)
    assert rates[SEND] == (None, 10_000_000)
    assert rates["/wxa/getwxacodeunlimit"] == (5_000, None)


def test_too_many_calls_in_a_minute_are_told_to_come_back_in_the_next(wechat: WeChat) -> None:
    wechat.control("PUT", "/rates", {"path": STABLE, "per_minute": 2})
    assert [wechat.stable().get("errcode", 0) for _ in range(4)] == [0, 0, 45011, 45011]
    assert "access_token" in wechat.plain(), "every path has a count of its own"
    wechat.clock.advance(seconds=60)
    assert "access_token" in wechat.stable()


def test_too_many_calls_in_a_day_are_refused_until_midnight_in_beijing(wechat: WeChat) -> None:
    wechat.control("PUT", "/rates", {"path": STABLE, "per_day": 1})
    assert [wechat.stable().get("errcode", 0) for _ in range(2)] == [0, 45009]
    wechat.clock.advance(hours=8, minutes=59)  # the clock of the tests starts at 15:00 in Beijing
    assert wechat.stable()["errcode"] == 45009
    wechat.clock.advance(minutes=1)
    assert "access_token" in wechat.stable()


def test_a_reset_brings_the_documented_limits_back(wechat: WeChat) -> None:
    wechat.control("PUT", "/rates", {"path": STABLE, "per_minute": 1})
    wechat.control("POST", "/reset")
    assert {"path": STABLE, "per_minute": 10_000, "per_day": 500_000} in wechat.control("GET", "/rates")


@pytest.mark.parametrize("wrong", [{"path": "nowhere"}, {"path": STABLE, "per_minute": 0}, {"path": STABLE, "a": 1}])
def test_a_limit_that_cannot_be_is_refused(wechat: WeChat, wrong: dict[str, object]) -> None:
    assert requests.put(wechat.url + "/sandbox/rates", json=wrong, timeout=10).status_code == 400
