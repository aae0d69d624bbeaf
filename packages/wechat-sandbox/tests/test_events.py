"""The events that WeChat pushes: which act sets which one off, with the documented fields."""

from hashlib import sha1

import pytest
import requests

from acting import APPID, DATA, TEMPLATE, Start, WeChat
from receiving import TOKEN, Receiver

TWO = {name: {"title": name, "kind": "one-time", "fields": {"thing1": "标签"}} for name in ("t1", "t2")}


def two_templates(start: Start, receiver: Receiver) -> tuple[WeChat, str]:
    wechat = start(templates=TWO)
    wechat.control("PUT", "/push", receiver.settings())
    return wechat, wechat.user()


def test_each_callback_is_signed_with_the_token_and_names_user_and_mini_program(
    pushing: WeChat, receiver: Receiver
) -> None:
    openid = pushing.user(accepts=1)
    pushing.pushes()
    (callback,) = receiver.callbacks
    assert (callback.method, callback.path) == ("POST", "/wechat/callback")
    assert callback.content_type == "application/json"
    asked = callback.query
    parts = sorted([TOKEN, asked["timestamp"], asked["nonce"]])
    assert asked["signature"] == sha1("".join(parts).encode()).hexdigest()
    assert asked["openid"] == openid and "msg_signature" not in asked
    body = callback.json()
    assert body["ToUserName"].startswith("gh_") and body["FromUserName"] == openid
    assert body["CreateTime"] == int(pushing.clock().timestamp()), "a number, not a text"
    assert body["MsgType"] == "event"


def test_one_answer_in_the_pop_up_is_pushed_as_an_object(pushing: WeChat, receiver: Receiver) -> None:
    pushing.user(accepts=1)
    pushing.pushes()
    (body,) = receiver.bodies()
    assert body["Event"] == "subscribe_msg_popup_event"
    assert body["List"] == {"TemplateId": TEMPLATE, "SubscribeStatusString": "accept", "PopupScene": "0"}


def test_several_answers_in_one_pop_up_are_one_event_with_an_array(start: Start, receiver: Receiver) -> None:
    wechat, _ = two_templates(start, receiver)
    wechat.control("POST", "/users/李小禾/subscribe", {"t1": "accept", "t2": "reject"})
    wechat.pushes()
    (body,) = receiver.bodies()
    answers = {entry["TemplateId"]: entry["SubscribeStatusString"] for entry in body["List"]}
    assert answers == {"t1": "accept", "t2": "reject"}


def test_what_no_pop_up_asked_for_is_not_pushed(start: Start, receiver: Receiver) -> None:
    wechat, _ = two_templates(start, receiver)
    wechat.control("POST", "/users/李小禾/settings", {"t2": "reject"})
    wechat.control("POST", "/users/李小禾/subscribe", {"t1": "ban", "t2": "accept"})
    wechat.control("POST", "/users/李小禾/subscribe", {"t1": "filter"})
    wechat.pushes()
    assert [body["Event"] for body in receiver.bodies()] == ["subscribe_msg_change_event"]


def test_a_template_rejected_in_the_settings_is_pushed_once_and_never_when_turned_on(
    pushing: WeChat, receiver: Receiver
) -> None:
    pushing.user()
    for setting in ("reject", "reject", "accept"):
        pushing.control("POST", "/users/李小禾/settings", {TEMPLATE: setting})
    pushing.pushes()
    (body,) = receiver.bodies()
    assert body["Event"] == "subscribe_msg_change_event"
    assert body["List"] == {"TemplateId": TEMPLATE, "SubscribeStatusString": "reject"}


def test_the_late_result_of_an_accepted_send_is_pushed(pushing: WeChat, receiver: Receiver) -> None:
    answer = pushing.send(pushing.user(accepts=1))
    pushing.pushes()
    body = receiver.bodies()[-1]
    assert body["Event"] == "subscribe_msg_sent_event"
    assert body["List"] == {
        "TemplateId": TEMPLATE,
        "MsgID": str(answer["msgid"]),
        "ErrorCode": "0",
        "ErrorStatus": "success",
    }


def test_a_refused_send_has_no_late_result(pushing: WeChat, receiver: Receiver) -> None:
    assert pushing.send(pushing.user())["errcode"] == 43101
    pushing.pushes()
    assert receiver.callbacks == []


def test_an_ordered_failure_of_the_late_result_keeps_the_message_from_the_phone(
    pushing: WeChat, receiver: Receiver
) -> None:
    openid = pushing.user(accepts=2)
    pushing.control("PUT", "/failures", {"path": "subscribe_msg_sent_event", "errcode": 43101, "times": 1})
    assert [pushing.send(openid)["errcode"] for _ in range(2)] == [0, 0]
    assert len(pushing.messages()) == 1 and pushing.remaining() == 0
    pushing.pushes()
    first, second = (body["List"] for body in receiver.bodies()[-2:])
    assert (first["ErrorCode"], first["ErrorStatus"]) == ("43101", "user refuse to accept the msg")
    assert second["ErrorCode"] == "0"


def test_an_order_for_every_path_is_not_one_for_late_results(pushing: WeChat) -> None:
    openid, token = pushing.user(accepts=1), pushing.token()
    pushing.control("PUT", "/failures", {"path": "*", "delay": 0.001, "times": 2})
    assert pushing.send(openid, token)["errcode"] == 0
    assert pushing.control("GET", "/failures")[0]["times"] == 1


@pytest.mark.parametrize("wrong", [{"status": 500}, {"errcode": 1, "delay": 1}, {"errcode": 1, "drop": "before"}])
def test_a_late_result_can_only_have_an_errcode(pushing: WeChat, wrong: dict[str, object]) -> None:
    given = {"path": "subscribe_msg_sent_event", **wrong}
    response = requests.put(pushing.url + "/sandbox/failures", json=given, timeout=10)
    assert response.status_code == 400 and "only have an errcode" in response.json()["error"]


def test_each_consent_withdrawn_is_an_event_of_the_platform_about_the_user(pushing: WeChat, receiver: Receiver) -> None:
    openid = pushing.user()
    pushing.control("POST", "/users/李小禾/revoke", {"info": ["8", "13"]})
    pushing.pushes()
    bodies = receiver.bodies()
    assert [body[" RevokeInfo"] for body in bodies] == ["8", "13"]
    for body in bodies:
        assert body["Event"] == "user_authorization_revoke"
        assert (body[" OpenID"], body[" AppID"]) == (openid, APPID)
        assert body["FromUserName"] != openid
    assert len({body["FromUserName"] for body in bodies}) == 1


def test_who_withdraws_the_phone_number_makes_its_codes_worthless(pushing: WeChat) -> None:
    pushing.user()
    pushing.control("PATCH", "/users/李小禾", {"number": "13900000001"})
    code = pushing.control("POST", "/users/李小禾/phone-code")["code"]
    pushing.control("POST", "/users/李小禾/revoke", {"info": ["8"]})
    answer = pushing.post("/wxa/business/getuserphonenumber", {"code": code}, access_token=pushing.token())
    assert answer["errcode"] == 40029


def test_who_deletes_the_account_takes_back_everything_and_stays_the_same_person(
    pushing: WeChat, receiver: Receiver
) -> None:
    openid, code = pushing.user(accepts=2), pushing.code()
    pushing.control("POST", "/users/李小禾/cancel")
    assert pushing.remaining() == 0 and pushing.exchange(code)["errcode"] == 40029
    pushing.pushes()
    body = receiver.bodies()[-1]
    assert body["Event"] == "user_authorization_cancellation"
    assert (body[" OpenID"], body[" AppID"]) == (openid, APPID)
    assert pushing.exchange(pushing.code())["openid"] == openid


def test_a_changed_profile_and_an_opened_chat_are_pushed(pushing: WeChat, receiver: Receiver) -> None:
    openid = pushing.user()
    pushing.control("POST", "/users/李小禾/modified")
    pushing.control("POST", "/users/李小禾/enter", {"session_from": "首页"})
    pushing.control("POST", "/users/李小禾/enter")
    pushing.pushes()
    modified, entered, plain = receiver.bodies()
    assert (modified["Event"], modified[" OpenID"]) == ("user_info_modified", openid)
    assert (entered["Event"], entered["FromUserName"]) == ("user_enter_tempsession", openid)
    assert (entered["SessionFrom"], plain["SessionFrom"]) == ("首页", "")


def test_the_debug_message_shows_what_the_server_answered(pushing: WeChat, receiver: Receiver) -> None:
    receiver.answers = [lambda callback: (200, '{"demo_resp":"good luck"}')]
    push = pushing.control("POST", "/push/debug", {"debug_str": "hello ]]> world"})
    assert (push["outcome"], push["answer"]) == ("delivered", '{"demo_resp":"good luck"}')
    (body,) = receiver.bodies()
    assert (body["Event"], body["debug_str"]) == ("debug_demo", "hello ]]> world")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users/李小禾/revoke", {"info": []}),
        ("/users/李小禾/revoke", {"info": ["phone"]}),
        ("/users/李小禾/revoke", {"info": "8"}),
        ("/users/李小禾/enter", {"session_from": "a\x00b"}),
        ("/push/debug", {"debug_str": "a\x08b"}),
        ("/push/debug", {}),
    ],
)
def test_an_event_that_cannot_be_is_refused(pushing: WeChat, path: str, body: object) -> None:
    pushing.user()
    assert requests.post(f"{pushing.url}/sandbox{path}", json=body, timeout=10).status_code == 400
    assert pushing.pushes() == []


@pytest.mark.parametrize("path", ["revoke", "cancel", "modified", "enter", "phone-code"])
def test_nobody_without_a_phone_can_set_off_an_event(pushing: WeChat, path: str) -> None:
    body = {"info": ["8"]} if path == "revoke" else None
    response = requests.post(f"{pushing.url}/sandbox/users/nobody/{path}", json=body, timeout=10)
    assert response.status_code == 404


def test_without_a_url_nothing_is_pushed_and_everything_else_works(wechat: WeChat) -> None:
    assert wechat.send(wechat.user(accepts=1), data=DATA)["errcode"] == 0
    wechat.control("POST", "/users/李小禾/cancel")
    assert wechat.pushes() == []
    assert wechat.control("GET", "/push") is None
    response = requests.post(wechat.url + "/sandbox/push/debug", json={"debug_str": "a"}, timeout=10)
    assert response.status_code == 400 and "PUT /sandbox/push" in response.json()["error"]
