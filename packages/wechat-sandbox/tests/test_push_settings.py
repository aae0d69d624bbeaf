"""Where callbacks go: settings that change while running, come back after a restart, and never show a secret."""

import threading
from pathlib import Path

import pytest
import requests

from acting import TEMPLATE, Start, WeChat
from receiving import AES_KEY, TOKEN, Callback, Receiver, enter, froms
from wechat_sandbox import PushSettings


def test_the_settings_change_while_running_and_never_show_token_or_key(wechat: WeChat, receiver: Receiver) -> None:
    wechat.user(accepts=1)
    told = wechat.control("PUT", "/push", receiver.settings("safe", "xml"))
    assert told == {"url": receiver.url, "mode": "safe", "format": "xml"}
    assert wechat.control("GET", "/push") == told
    page = requests.get(wechat.url + "/", timeout=10).text
    assert receiver.url in page and TOKEN not in page and AES_KEY not in page
    wechat.user(accepts=1)
    assert len(wechat.pushes()) == 1, "what happened before is not pushed afterwards"
    assert wechat.control("DELETE", "/push") is None
    wechat.user(accepts=1)
    assert len(wechat.pushes()) == 1


def test_a_push_that_waits_is_dropped_when_pushing_stops(pushing: WeChat, receiver: Receiver) -> None:
    came, go_on = threading.Event(), threading.Event()

    def hold(callback: Callback) -> tuple[int, str]:
        came.set()
        go_on.wait(10)
        return 500, ""

    pushing.user()
    receiver.answers = [hold]
    enter(pushing, "a", "b")
    assert came.wait(10)
    pushing.control("DELETE", "/push")
    go_on.set()
    assert [push["outcome"] for push in pushing.pushes()] == ["dropped", "dropped"]
    assert froms(receiver) == ["a"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://"},
        {"url": "http://user:password@127.0.0.1/"},
        {"token": "ab"},
        {"token": "with space"},
        {"aes_key": "short"},
        {"mode": "secret"},
        {"mode": "safe", "aes_key": None},
        {"format": "yaml"},
        {"colour": "red"},
    ],
)
def test_settings_that_wechat_would_not_take_are_refused_without_repeating_them(
    pushing: WeChat, receiver: Receiver, wrong: dict[str, object]
) -> None:
    url = pushing.url + "/sandbox/push"
    response = requests.put(url, json={**receiver.settings(), **wrong}, timeout=10)
    assert response.status_code == 400
    assert TOKEN not in response.text and "password" not in response.text
    assert pushing.control("GET", "/push")["mode"] == "plain"


def test_settings_never_print_token_or_key(receiver: Receiver) -> None:
    given = receiver.settings("safe")
    assert TOKEN not in repr(PushSettings(**given)) and AES_KEY not in repr(PushSettings(**given))
    with pytest.raises(ValueError) as mistake:
        PushSettings(**{**given, "token": TOKEN + " with a space"})
    assert TOKEN not in str(mistake.value)


def test_the_url_is_checked_as_wechat_checks_it(pushing: WeChat, receiver: Receiver) -> None:
    assert pushing.control("POST", "/push/check") == {"ok": True, "status": 200, "fault": ""}
    (callback,) = receiver.callbacks
    assert callback.method == "GET"
    assert set(callback.query) == {"signature", "timestamp", "nonce", "echostr"}
    receiver.answers = [lambda callback: (200, "hello")]
    told = pushing.control("POST", "/push/check")
    assert not told["ok"] and "echostr" in told["fault"]


def test_a_url_with_a_query_of_its_own_keeps_it(wechat: WeChat, receiver: Receiver) -> None:
    wechat.control("PUT", "/push", receiver.settings(url=receiver.url + "?which=1"))
    wechat.user(accepts=1)
    wechat.pushes()
    assert receiver.callbacks[0].query["which"] == "1"


def test_settings_changed_while_running_come_back_after_a_restart(
    start: Start, receiver: Receiver, tmp_path: Path
) -> None:
    file = tmp_path / "wechat.json"
    start(state_file=file).control("PUT", "/push", receiver.settings("safe", "xml"))
    assert file.stat().st_mode & 0o777 == 0o600
    after = start(state_file=file)
    assert after.control("GET", "/push") == {"url": receiver.url, "mode": "safe", "format": "xml"}
    after.user(accepts=1)
    assert after.pushes()[0]["outcome"] == "delivered"
    after.control("DELETE", "/push")
    made_with = PushSettings(**receiver.settings())
    assert start(state_file=file, push=made_with).control("GET", "/push") is None


def test_settings_that_the_sandbox_is_made_with_count_until_changed_and_after_a_reset(
    start: Start, receiver: Receiver, tmp_path: Path
) -> None:
    file, first = tmp_path / "wechat.json", PushSettings(**receiver.settings())
    start(state_file=file, push=first).user(accepts=1)
    wechat = start(state_file=file, push=PushSettings(**receiver.settings(format="xml")))
    assert wechat.control("GET", "/push")["format"] == "xml", "nobody changed them while running"
    wechat.control("PUT", "/push", receiver.settings("compatible"))
    wechat.control("POST", "/reset")
    assert wechat.control("GET", "/push")["mode"] == "plain"
    assert wechat.remaining(wechat.user() and "李小禾", TEMPLATE) == 0
