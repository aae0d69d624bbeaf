"""wechatpy, unmodified, works against the sandbox; and the sandbox logs nothing."""

import logging

import pytest
import requests
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from acting import DATA, TEMPLATE, WeChat
from receiving import Receiver

pytestmark = pytest.mark.slow  # other processes


def test_wechatpy_sends_a_subscribe_message_through_the_sandbox(wechat: WeChat, wechatpy: WeChatClient) -> None:
    openid = wechat.user(accepts=1)
    answer = wechatpy.wxa.send_subscribe_message(openid, TEMPLATE, DATA, page="pages/code/code")
    assert answer["errcode"] == 0
    (message,) = wechat.messages()
    assert message["msgid"] == answer["msgid"]
    with pytest.raises(WeChatClientException) as refusal:
        wechatpy.wxa.send_subscribe_message(openid, TEMPLATE, DATA)
    assert refusal.value.errcode == 43101


def test_wechatpy_logs_a_user_in_and_fetches_a_new_token_when_the_old_one_ended(
    wechat: WeChat, wechatpy: WeChatClient
) -> None:
    openid = wechat.user(accepts=2)
    assert wechatpy.wxa.code_to_session(wechat.code())["openid"] == openid
    assert wechatpy.wxa.send_subscribe_message(openid, TEMPLATE, DATA)["errcode"] == 0
    wechat.control("POST", "/tokens/expire")
    assert wechatpy.wxa.send_subscribe_message(openid, TEMPLATE, DATA)["errcode"] == 0
    assert wechat.control("GET", "/calls")["/cgi-bin/token"] == 2


def test_the_sandbox_logs_nothing(pushing: WeChat, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    openid = pushing.user(accepts=1)
    receiver.answers = [lambda callback: (500, "")] * 3
    pushing.exchange(pushing.code())
    pushing.send(openid)
    pushing.send("o-nobody")
    requests.get(pushing.url + "/", timeout=10)
    pushing.pushes()
    ours = [record for record in caplog.records if not record.name.startswith("urllib3")]
    assert ours == []
    assert receiver.url not in caplog.text
