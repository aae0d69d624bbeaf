"""How callbacks are delivered: retries, order, slow and broken servers."""

import threading

import pytest

from acting import Start, WeChat
from receiving import Callback, Receiver, enter, froms
from wechat_sandbox import PushSettings


def test_the_list_tells_what_became_of_each_push_newest_first(pushing: WeChat) -> None:
    openid = pushing.user()
    enter(pushing, "a", "b")
    newest, oldest = pushing.pushes()
    assert newest["id"] > oldest["id"]
    assert oldest == {
        "id": oldest["id"],
        "event": "user_enter_tempsession",
        "openid": openid,
        "time": pushing.clock().isoformat(),
        "outcome": "delivered",
        "attempts": 1,
        "status": 200,
        "answer": "success",
        "fault": "",
    }


@pytest.mark.parametrize(
    ("status", "text", "fault"),
    [
        (500, "success", "HTTP status 500"),
        (302, "", "HTTP status 302"),
        (404, "success", "HTTP status 404"),
        (200, "fail", "neither success nor empty"),
    ],
)
def test_a_bad_answer_is_tried_three_times_in_all(
    pushing: WeChat, receiver: Receiver, status: int, text: str, fault: str
) -> None:
    pushing.user()
    receiver.answers = [lambda callback: (status, text)] * 3
    enter(pushing, "a")
    (push,) = pushing.pushes()
    assert (push["outcome"], push["attempts"], push["status"]) == ("failed", 3, status)
    assert fault in push["fault"]
    assert froms(receiver) == ["a"] * 3


@pytest.mark.parametrize("text", ["success", "", " success\n"])
def test_success_and_nothing_are_both_an_answer(pushing: WeChat, receiver: Receiver, text: str) -> None:
    pushing.user()
    receiver.answers = [lambda callback: (200, text)]
    enter(pushing, "a")
    (push,) = pushing.pushes()
    assert (push["outcome"], push["attempts"]) == ("delivered", 1)


def test_a_retry_brings_the_same_message_with_a_signature_of_its_own(pushing: WeChat, receiver: Receiver) -> None:
    pushing.user()
    receiver.answers = [lambda callback: (503, "")]
    enter(pushing, "a")
    (push,) = pushing.pushes()
    assert (push["outcome"], push["attempts"], push["fault"]) == ("delivered", 2, "")
    first, second = receiver.callbacks
    assert first.body == second.body
    assert first.query["nonce"] != second.query["nonce"]
    assert first.query["signature"] != second.query["signature"]


def test_between_two_tries_the_sandbox_waits(start: Start, receiver: Receiver) -> None:
    waited: list[float] = []
    wechat = start(push=PushSettings(**receiver.settings()), sleep=waited.append)
    wechat.user()
    receiver.answers = [lambda callback: (500, "")] * 3
    enter(wechat, "a")
    wechat.pushes()
    assert waited == [5, 5]


def test_a_server_that_is_not_there_is_told_apart_from_one_that_answers(start: Start, receiver: Receiver) -> None:
    wechat = start(sleep=lambda seconds: None)
    wechat.user()
    wechat.control("PUT", "/push", receiver.settings(url="http://127.0.0.1:1/wechat/callback"))
    enter(wechat, "a")
    (push,) = wechat.pushes()
    assert (push["outcome"], push["attempts"], push["status"]) == ("failed", 3, None)
    assert push["fault"] == "no answer: ConnectionRefusedError"


def test_a_server_that_takes_too_long_is_asked_again(start: Start, receiver: Receiver) -> None:
    go_on = threading.Event()

    def slow(callback: Callback) -> tuple[int, str]:
        go_on.wait(10)
        return 200, "success"

    wechat = start(push=PushSettings(**receiver.settings()), push_timeout=0.5, sleep=lambda seconds: None)
    wechat.user()
    receiver.answers = [slow, slow]
    enter(wechat, "a")
    (push,) = wechat.pushes()
    go_on.set()
    assert (push["outcome"], push["attempts"]) == ("delivered", 3)
    assert froms(receiver) == ["a"] * 3


def test_a_server_that_never_answers_has_failed_for_that_event(start: Start, receiver: Receiver) -> None:
    go_on = threading.Event()
    wechat = start(push=PushSettings(**receiver.settings()), push_timeout=0.1, sleep=lambda seconds: None)
    wechat.user()
    receiver.answers = [lambda callback: (200, str(go_on.wait(10)))] * 3
    enter(wechat, "a")
    (push,) = wechat.pushes()
    go_on.set()
    assert (push["outcome"], push["status"], push["fault"]) == ("failed", None, "no answer within 0.1 s")


def test_the_events_of_one_user_stay_in_order_whatever_fails(pushing: WeChat, receiver: Receiver) -> None:
    pushing.user()
    receiver.answers = [lambda callback: (500, "")] * 5
    enter(pushing, *"abcde")
    pushing.pushes()
    assert froms(receiver) == ["a", "a", "a", "b", "b", "b", "c", "d", "e"]


def test_a_user_whose_server_hangs_holds_up_nobody_else(pushing: WeChat, receiver: Receiver) -> None:
    other_came = threading.Event()

    def wait_for_the_other(callback: Callback) -> tuple[int, str]:
        if callback.json()["SessionFrom"] == "x":
            other_came.set()
        return 200 if other_came.wait(10) else 500, "success"

    pushing.user()
    pushing.user("王一朵")
    receiver.answers = [wait_for_the_other, wait_for_the_other]
    enter(pushing, "a", "b")
    enter(pushing, "x", name="王一朵")
    assert [push["attempts"] for push in pushing.pushes()] == [1, 1, 1]
    assert froms(receiver)[-1] == "b"


def test_who_makes_an_event_never_waits_for_the_server(pushing: WeChat, receiver: Receiver) -> None:
    go_on = threading.Event()
    pushing.user()
    receiver.answers = [lambda callback: (200 if go_on.wait(10) else 500, "success")]
    enter(pushing, "a", "b")
    assert [push["outcome"] for push in pushing.control("GET", "/pushes")] == ["waiting", "waiting"]
    go_on.set()
    assert [push["outcome"] for push in pushing.pushes()] == ["delivered", "delivered"]


def test_the_list_is_bounded(pushing: WeChat, receiver: Receiver) -> None:
    pushing.user()
    for _ in range(11):
        pushing.control("POST", "/users/李小禾/revoke", {"info": ["8"] * 20})
    assert len(pushing.pushes()) == 200
    assert len(receiver.callbacks) == 220


def test_a_reset_forgets_what_waits(pushing: WeChat, receiver: Receiver) -> None:
    came, go_on = threading.Event(), threading.Event()

    def hold(callback: Callback) -> tuple[int, str]:
        came.set()
        go_on.wait(10)
        return 500, ""

    pushing.user()
    receiver.answers = [hold]
    enter(pushing, "a", "b")
    assert came.wait(10)
    pushing.control("POST", "/reset")
    go_on.set()
    assert pushing.pushes() == []
    assert froms(receiver) == ["a"]
