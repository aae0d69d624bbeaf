"""What a phone and an operator do by HTTP, and what they cannot do."""

import pytest
import requests

from acting import TEMPLATE, Start, WeChat


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/users", {}, "name: Field required"),
        ("POST", "/users", {"name": "a/b"}, "name"),
        ("POST", "/users", {"name": ".."}, "name"),
        ("POST", "/users", {"name": 7}, "name"),
        ("POST", "/users", {"name": "a", "age": 3}, "age"),
        ("POST", "/users/李小禾/subscribe", {"unknown": "accept"}, "no template"),
        ("POST", "/users/李小禾/subscribe", {TEMPLATE: "not a word"}, TEMPLATE),
        ("POST", "/users/李小禾/subscribe", {}, "1 to 5"),
        ("POST", "/users/李小禾/settings", {TEMPLATE: "ban"}, TEMPLATE),
        ("PATCH", "/users/李小禾", {"logins_per_minute": 0}, "logins_per_minute"),
        ("PUT", "/failures", {"path": "*"}, "at least one"),
        ("PUT", "/failures", {"path": "*", "errcode": 0}, "success"),
        ("PUT", "/failures", {"path": "*", "drop": "later"}, "drop"),
        ("PUT", "/failures", {"path": "*", "status": 200}, "status"),
        ("PUT", "/failures", {"path": "nowhere", "errcode": 1}, "path"),
        ("PUT", "/failures", {"path": "*", "errcode": 1, "times": 0}, "times"),
        ("PUT", "/failures", [], "body"),
    ],
)
def test_bad_control_input_is_answered_with_400_and_a_sentence(
    wechat: WeChat, method: str, path: str, body: object, words: str
) -> None:
    wechat.user()
    response = requests.request(method, f"{wechat.url}/sandbox{path}", json=body, timeout=10)
    assert response.status_code == 400
    assert words in response.json()["error"]


def test_templates_of_two_kinds_or_too_many_cannot_be_asked_for_in_one_call(start: Start) -> None:
    kinds = {f"t{n}": "one-time" if n else "long-term" for n in range(7)}
    wechat = start(
        templates={name: {"title": name, "kind": kind, "fields": {"thing1": "标签"}} for name, kind in kinds.items()}
    )
    wechat.user()
    url = wechat.url + "/sandbox/users/李小禾/subscribe"
    mixed = requests.post(url, json={"t0": "accept", "t1": "accept"}, timeout=10)
    assert mixed.status_code == 400 and "mix" in mixed.json()["error"]
    many = requests.post(url, json={f"t{n}": "accept" for n in range(1, 7)}, timeout=10)
    assert many.status_code == 400 and "1 to 5" in many.json()["error"]
    assert wechat.remaining(template="t1") == 0


def test_a_phone_that_nobody_has_is_not_found(wechat: WeChat) -> None:
    response = requests.post(wechat.url + "/sandbox/users/nobody/login", timeout=10)
    assert response.status_code == 404 and "nobody" in response.json()["error"]


def test_control_input_that_is_not_json_is_refused(wechat: WeChat) -> None:
    response = requests.post(wechat.url + "/sandbox/users", data={"name": "a"}, timeout=10)
    assert response.status_code == 400 and "JSON" in response.json()["error"]


def test_the_call_counts_name_paths_and_never_secrets(wechat: WeChat) -> None:
    wechat.user()
    wechat.exchange(wechat.code())
    wechat.stable()
    wechat.stable()
    counts = wechat.control("GET", "/calls")
    assert counts == {"/sns/jscode2session": 1, "/cgi-bin/stable_token": 2}


def test_users_are_listed_with_their_openids(wechat: WeChat) -> None:
    openid = wechat.user()
    assert wechat.control("GET", "/users") == [{"name": "李小禾", "openid": openid}]


def test_a_reset_forgets_everybody(wechat: WeChat) -> None:
    openid, token = wechat.user(accepts=1), wechat.stable()["access_token"]
    wechat.control("PUT", "/failures", {"path": "/cgi-bin/token", "errcode": -1})
    wechat.control("POST", "/reset")
    assert wechat.control("GET", "/users") == []
    assert wechat.control("GET", "/failures") == []
    assert wechat.send(openid, token)["errcode"] == 40001
    assert wechat.user() != openid
