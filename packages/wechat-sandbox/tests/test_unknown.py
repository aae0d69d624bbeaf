"""Addresses that are no path of WeChat's: JSON with an errcode, as WeChat answers."""

import pytest
import requests

from acting import SEND, WeChat


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/cgi-bin/no/such/path", "/wxa/", "/nothing"])
def test_an_address_that_wechat_does_not_have_is_an_invalid_url(wechat: WeChat, method: str, path: str) -> None:
    answer = requests.request(method, wechat.url + path, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert answer.json()["errcode"] == 40066 and answer.json()["errmsg"].startswith("invalid url rid: ")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/sns/jscode2session", 43001),
        ("GET", SEND, 43002),
        ("PUT", SEND, 43002),
        ("DELETE", "/sns/jscode2session", 43001),
    ],
)
def test_a_wrong_method_is_named_by_its_errcode(wechat: WeChat, method: str, path: str, code: int) -> None:
    assert requests.request(method, wechat.url + path, timeout=10).json()["errcode"] == code


@pytest.mark.slow
def test_an_unknown_path_of_the_control_api_is_404_with_a_sentence(wechat: WeChat) -> None:
    answer = requests.get(f"{wechat.url}/sandbox/nothing", timeout=10)
    assert answer.status_code == 404 and "/sandbox/nothing" in answer.json()["error"]


@pytest.mark.slow
def test_a_wrong_method_of_the_control_api_is_405_with_those_that_it_takes(wechat: WeChat) -> None:
    answer = requests.delete(f"{wechat.url}/sandbox/users", timeout=10)
    assert answer.status_code == 405 and "GET" in answer.json()["error"] and "POST" in answer.json()["error"]
