"""Subscribe messages: sent once, refused, or of unknown outcome."""

import json
from dataclasses import replace
from typing import Any

import pytest
import responses
from responses.matchers import json_params_matcher, query_param_matcher

from app.wechat.client import WeChatApi, WeChatOutcomeUnknown, WeChatRefused, WeChatUnavailable
from app.wechat.templates import TemplateFieldError
from tests.support.wechat_client import (
    CODE,
    HOST,
    LOGIN,
    MESSAGE,
    OPENID,
    SEND,
    SENT,
    SESSION,
    STABLE,
    TOKEN,
    call_counts,
    send,
)


def test_a_message_is_sent_with_state_and_language(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    body = {
        "touser": OPENID,
        "template_id": "template-1",
        "page": "pages/code/code",
        "miniprogram_state": "trial",
        "lang": "en_US",
        "data": {"phrase1": {"value": "黄码"}, "thing2": {"value": "现场体温异常"}},
    }
    query = query_param_matcher({"access_token": TOKEN})
    rsps.post(HOST + SEND, json=SENT, match=[json_params_matcher(body), query])
    msgid = ready.send_subscribe_message(replace(MESSAGE, language="en_US", miniprogram_state="trial"))
    assert msgid == "1887382718"
    assert "黄码".encode() in (rsps.calls[-1].request.body or b"")  # WeChat does not want \\uXXXX


@pytest.mark.parametrize(
    ("answer", "msgid"),
    [
        ('{"errcode": 0, "errmsg": "ok"}', None),
        ('{"errcode": 0, "errmsg": "ok", "msgid": null}', None),
        ('{"errcode": null, "errmsg": "ok", "msgid": 7}', "7"),
        ('\ufeff{"errcode": 0, "errmsg": "ok", "msgid": 7}', "7"),
    ],
)
def test_a_message_was_sent_whatever_is_null_or_before_the_answer(
    ready: WeChatApi, rsps: responses.RequestsMock, answer: str, msgid: str | None
) -> None:
    rsps.post(HOST + SEND, body=answer.encode())
    assert send(ready) == msgid


def test_a_log_in_with_an_errcode_of_null_is_one(wechat: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + LOGIN, body=b"\xef\xbb\xbf" + json.dumps({**SESSION, "errcode": None}).encode())
    assert wechat.code_to_session(CODE).openid == OPENID


def test_a_field_beyond_its_limit_is_never_sent(wechat: WeChatApi, rsps: responses.RequestsMock) -> None:
    with pytest.raises(TemplateFieldError, match="thing2"):
        wechat.send_subscribe_message(replace(MESSAGE, data={"thing2": "长" * 21}))
    assert len(rsps.calls) == 0


@pytest.mark.parametrize("errcode", [43101, 40003, 40037, 41030, 43107, 43108, 45168, 47003])
def test_wechats_no_to_a_message_is_passed_on(ready: WeChatApi, rsps: responses.RequestsMock, errcode: int) -> None:
    rsps.post(HOST + SEND, json={"errcode": errcode, "errmsg": "no rid: 1"})
    with pytest.raises(WeChatRefused) as caught:
        send(ready)
    assert str(caught.value) == f"WeChat refused: {errcode} no rid: 1"
    assert call_counts(rsps) == {STABLE: 1, SEND: 1}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"json": {"errcode": -1, "errmsg": "system error"}}, "busy"),
        ({"json": {"errcode": 45009, "errmsg": "quota"}}, "rate-limit"),
        ({"json": {"errcode": 45011, "errmsg": "minute"}}, "rate-limit"),
        ({"status": 413}, "http-error"),
    ],
)
def test_a_message_that_wechat_did_not_take_may_be_sent_later(
    ready: WeChatApi, rsps: responses.RequestsMock, answer: dict[str, Any], reason: str
) -> None:
    rsps.post(HOST + SEND, **answer)
    with pytest.raises(WeChatUnavailable, match=reason):
        send(ready)
    assert call_counts(rsps)[SEND] == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 500}, "server-error"),
        ({"status": 502}, "server-error"),
        ({"status": 504}, "server-error"),
        ({"body": "<html>welcome</html>"}, "unreadable"),
        ({"body": ""}, "unreadable"),
        ({"json": ["ok"]}, "unreadable"),
        ({"json": {"status": "ok"}}, "unreadable"),
        ({"json": {"errcode": "none"}}, "unreadable"),
        ({"json": {"errcode": None}}, "unreadable"),
    ],
)
def test_after_an_answer_that_says_nothing_the_outcome_is_unknown(
    ready: WeChatApi, rsps: responses.RequestsMock, answer: dict[str, Any], reason: str
) -> None:
    rsps.post(HOST + SEND, **answer)
    with pytest.raises(WeChatOutcomeUnknown, match=reason):
        send(ready)
    assert call_counts(rsps)[SEND] == 1


@pytest.mark.parametrize(
    ("errmsg", "kept"),
    [
        (f"invalid openid {OPENID} rid: 1", "invalid openid *** rid: 1"),
        (f"access_token {TOKEN} is bad", "access_token *** is bad"),
        ("somebody else's oAbcdefghijklmnopqrstuvwxyz1", "somebody else's ***"),
        ("用户oAbcdefghijklmnopqrstuvwxyz1无效", "***"),
        (
            "argument invalid! data.thing2.value 现场体温异常",
            "argument invalid! data.thing2.value ***",
        ),
        ("data.thing2.value 体温\r\nX: y", "data.thing2.value X: y"),
        ("a" * 500, "a" * 200),
    ],
)
def test_wechats_words_are_kept_without_anybodys_data(
    ready: WeChatApi, rsps: responses.RequestsMock, errmsg: str, kept: str
) -> None:
    rsps.post(HOST + SEND, json={"errcode": 47003, "errmsg": errmsg})
    with pytest.raises(WeChatRefused) as caught:
        send(ready)
    assert caught.value.errmsg == kept
