"""Trouble on order: WeChat fails as it was told to, as often as it was told to."""

import pytest
import requests

from acting import SEND, Start, WeChat


def test_an_ordered_errcode_comes_as_often_as_ordered(wechat: WeChat) -> None:
    openid = wechat.user(accepts=1)
    wechat.control("PUT", "/failures", {"path": SEND, "errcode": -1, "times": 2})
    assert [wechat.send(openid)["errcode"] for _ in range(3)] == [-1, -1, 0]
    assert wechat.control("GET", "/failures") == []


def test_an_ordered_http_status_comes_until_it_is_ended(wechat: WeChat) -> None:
    wechat.control("PUT", "/failures", {"path": "*", "status": 502})
    url = wechat.url + "/cgi-bin/token"
    assert [requests.get(url, timeout=10).status_code for _ in range(3)] == [502] * 3
    wechat.control("DELETE", "/failures")
    assert "access_token" in wechat.plain()


def test_an_order_for_one_path_goes_before_one_for_all(wechat: WeChat) -> None:
    wechat.control("PUT", "/failures", {"path": "*", "errcode": 45009})
    wechat.control("PUT", "/failures", {"path": "/cgi-bin/token", "errcode": 40164})
    assert wechat.plain()["errcode"] == 40164
    assert wechat.stable()["errcode"] == 45009


def test_an_ordered_delay_makes_a_true_answer_late(start: Start) -> None:
    waited: list[float] = []
    wechat = start(sleep=waited.append)
    wechat.control("PUT", "/failures", {"path": "/cgi-bin/token", "delay": 0.3})
    assert "access_token" in wechat.plain()
    assert waited == [0.3]


@pytest.mark.parametrize(("drop", "arrived"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_tells_nothing_about_the_message(wechat: WeChat, drop: str, arrived: int) -> None:
    openid, token = wechat.user(accepts=1), wechat.stable()["access_token"]
    wechat.control("PUT", "/failures", {"path": SEND, "drop": drop, "times": 1})
    with pytest.raises(requests.ConnectionError):
        wechat.send(openid, token)
    assert len(wechat.messages()) == arrived
    assert wechat.remaining() == 1 - arrived
