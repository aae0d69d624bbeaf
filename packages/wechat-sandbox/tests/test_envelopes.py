"""Callbacks on the wire: WeChat's official vectors, and all six forms read by wechatpy, which is not ours."""

import json
from typing import Any

import pytest
import xmltodict
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import check_signature

from acting import APPID, TEMPLATE, Start, WeChat
from receiving import AES_KEY, TOKEN, Callback, Receiver
from wechat_sandbox import PushSettings, create_sandbox
from wechat_sandbox.push.envelopes import Unreadable, decrypt, encrypt, open_answer, signature

THEIR_TOKEN, THEIR_KEY, THEIR_APPID = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
THEIR_EVENT = (
    '{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,'
    '"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
)
THEIR_ENCRYPT = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsX"
    "UnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajA"
    "sjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
THEIR_REPLY = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
THEIR_REPLY_SIGNATURE = "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
FORMS = [(mode, form) for mode in ("plain", "compatible", "safe") for form in ("xml", "json")]


# --- official vectors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timestamp", "nonce", "expected"),
    [
        ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        ("1714112445", "415670741", "6c5c811b55cc85e0e1b54100749188c20beb3f5d"),
    ],
)
def test_signatures_are_those_of_the_official_vectors(timestamp: str, nonce: str, expected: str) -> None:
    assert signature(THEIR_TOKEN, timestamp, nonce) == expected


def test_the_official_event_is_encrypted_to_the_official_text() -> None:
    message, random = decrypt(THEIR_KEY, THEIR_APPID, THEIR_ENCRYPT)
    assert message.decode() == THEIR_EVENT
    assert encrypt(THEIR_KEY, THEIR_APPID, message, random) == THEIR_ENCRYPT
    signed = signature(THEIR_TOKEN, "1714112445", "415670741", THEIR_ENCRYPT)
    assert signed == "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"


def test_the_official_reply_is_encrypted_to_the_official_text() -> None:
    message = b'{"demo_resp":"good luck"}'
    assert encrypt(THEIR_KEY, THEIR_APPID, message, b"707722b803182950") == THEIR_REPLY
    assert signature(THEIR_TOKEN, "1713424427", "415670741", THEIR_REPLY) == THEIR_REPLY_SIGNATURE


REPLY = {
    "Encrypt": THEIR_REPLY,
    "MsgSignature": THEIR_REPLY_SIGNATURE,
    "TimeStamp": 1713424427,
    "Nonce": "415670741",
}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(REPLY),
        json.dumps({**REPLY, "TimeStamp": "1713424427"}, indent=2),
        xmltodict.unparse({"xml": REPLY}),
        "<xml><Encrypt><![CDATA[{Encrypt}]]></Encrypt><MsgSignature><![CDATA[{MsgSignature}]]></MsgSignature>"
        "<TimeStamp>{TimeStamp}</TimeStamp><Nonce><![CDATA[{Nonce}]]></Nonce></xml>".format(**REPLY),
    ],
)
@pytest.mark.parametrize("mode", ["compatible", "safe"])
def test_the_official_reply_to_a_debug_message_is_shown_decrypted(
    serve: Any, receiver: Receiver, mode: str, text: str
) -> None:
    given = {**receiver.settings(mode), "token": THEIR_TOKEN, "aes_key": THEIR_KEY}
    app = create_sandbox(THEIR_APPID, "secret", push=PushSettings(**given))
    wechat = WeChat(serve(app), None)  # type: ignore[arg-type] # no clock is asked for
    receiver.answers = [lambda callback: (200, text)]
    push = wechat.control("POST", "/push/debug", {"debug_str": "hello world"})
    assert (push["outcome"], push["answer"]) == ("delivered", '{"demo_resp":"good luck"}')


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"demo_resp":"good luck"}', "must be encrypted"),
        (json.dumps({**REPLY, "MsgSignature": "0" * 40}), "MsgSignature is wrong"),
        (json.dumps({**REPLY, "TimeStamp": 1713424428}), "MsgSignature is wrong"),
        (json.dumps({"Encrypt": THEIR_REPLY}), "MsgSignature is wrong"),
    ],
)
def test_a_forged_or_open_answer_is_not_taken_in_safe_mode(text: str, fault: str) -> None:
    settings = PushSettings(url="http://127.0.0.1/", token=THEIR_TOKEN, aes_key=THEIR_KEY, mode="safe")
    with pytest.raises(Unreadable, match=fault):
        open_answer(settings, THEIR_APPID, text)


@pytest.mark.parametrize("sealed", ["", "AAAA", "汉字", THEIR_REPLY[:-8], THEIR_REPLY[4:], THEIR_ENCRYPT[:24] * 4])
def test_a_broken_ciphertext_is_unreadable(sealed: str) -> None:
    with pytest.raises(Unreadable):
        decrypt(THEIR_KEY, THEIR_APPID, sealed)


def test_a_ciphertext_for_another_appid_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="another key or appid"):
        decrypt(THEIR_KEY, APPID, THEIR_REPLY)


@pytest.mark.parametrize("length", range(40))
def test_every_length_of_message_comes_back_whole(length: int) -> None:
    message = b"x" * length
    sealed = encrypt(AES_KEY, APPID, message, bytes(16))
    assert decrypt(AES_KEY, APPID, sealed) == (message, bytes(16))


# --- the six forms --------------------------------------------------------------------------


def read(callback: Callback, mode: str, format: str) -> dict[str, Any]:
    """The event as a server reads it that is built on wechatpy."""
    asked, as_fields = callback.query, json.loads if format == "json" else lambda text: xmltodict.parse(text)["xml"]
    check_signature(TOKEN, asked["signature"], asked["timestamp"], asked["nonce"])
    fields = as_fields(callback.body)
    if mode == "plain":
        assert "Encrypt" not in fields and "encrypt_type" not in asked
        return dict(fields)
    assert asked["encrypt_type"] == "aes"
    crypto = WeChatCrypto(TOKEN, AES_KEY, APPID)
    sealed = callback.body if format == "xml" else fields
    text = crypto.decrypt_message(sealed, asked["msg_signature"], asked["timestamp"], asked["nonce"])
    opened = dict(as_fields(text))
    assert set(fields) == ({*opened, "Encrypt"} if mode == "compatible" else {"ToUserName", "Encrypt"})
    return opened


@pytest.mark.parametrize(("mode", "format"), FORMS)
def test_wechatpy_reads_every_form(start: Start, receiver: Receiver, mode: str, format: str) -> None:
    wechat = start(push=PushSettings(**receiver.settings(mode, format)))
    openid = wechat.user(accepts=1)
    wechat.control("POST", "/users/李小禾/revoke", {"info": ["8"]})
    assert [push["outcome"] for push in wechat.pushes()] == ["delivered", "delivered"]
    popup, revoked = (read(callback, mode, format) for callback in receiver.callbacks)
    assert (popup["Event"], popup["FromUserName"]) == ("subscribe_msg_popup_event", openid)
    entry = popup["List"] if format == "json" else popup["SubscribeMsgPopupEvent"]["List"]
    assert entry == {"TemplateId": TEMPLATE, "SubscribeStatusString": "accept", "PopupScene": "0"}
    assert revoked[" OpenID" if format == "json" else "OpenID"] == openid
    assert receiver.callbacks[0].content_type == ("text/xml" if format == "xml" else "application/json")


@pytest.mark.parametrize("format", ["xml", "json"])
def test_the_open_part_of_compatible_mode_says_the_same_as_the_sealed_one(
    start: Start, receiver: Receiver, format: str
) -> None:
    wechat = start(push=PushSettings(**receiver.settings("compatible", format)))
    wechat.user(accepts=1)
    wechat.pushes()
    (callback,) = receiver.callbacks
    open_part = json.loads(callback.body) if format == "json" else xmltodict.parse(callback.body)["xml"]
    del open_part["Encrypt"]
    assert open_part == read(callback, "compatible", format)


def test_wechatpy_parses_the_xml_and_refuses_a_changed_message(start: Start, receiver: Receiver) -> None:
    wechat = start(push=PushSettings(**receiver.settings("safe", "xml")))
    openid = wechat.user(accepts=1)
    wechat.pushes()
    (callback,) = receiver.callbacks
    asked, crypto = callback.query, WeChatCrypto(TOKEN, AES_KEY, APPID)
    text = crypto.decrypt_message(callback.body, asked["msg_signature"], asked["timestamp"], asked["nonce"])
    assert parse_message(text).source == openid
    with pytest.raises(InvalidSignatureException):
        crypto.decrypt_message(callback.body, asked["msg_signature"], asked["timestamp"], "1")


@pytest.mark.parametrize("text", ["a]]>b", "<b>&amp;", "]]]]>>", "吉祥码"])
def test_xml_holds_any_text(start: Start, receiver: Receiver, text: str) -> None:
    wechat = start(push=PushSettings(**receiver.settings("plain", "xml")))
    wechat.control("POST", "/push/debug", {"debug_str": text})
    assert xmltodict.parse(receiver.callbacks[0].body)["xml"]["debug_str"] == text


def test_several_answers_are_several_lists_in_xml(start: Start, receiver: Receiver) -> None:
    templates = {name: {"title": name, "kind": "one-time", "fields": {"thing1": "标签"}} for name in ("t1", "t2")}
    wechat = start(templates=templates, push=PushSettings(**receiver.settings("plain", "xml")))
    wechat.user()
    wechat.control("POST", "/users/李小禾/subscribe", {"t1": "accept", "t2": "reject"})
    wechat.pushes()
    lists = xmltodict.parse(receiver.callbacks[0].body)["xml"]["SubscribeMsgPopupEvent"]["List"]
    assert [(entry["TemplateId"], entry["SubscribeStatusString"]) for entry in lists] == [
        ("t1", "accept"),
        ("t2", "reject"),
    ]
