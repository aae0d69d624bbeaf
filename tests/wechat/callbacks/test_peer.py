"""wechatpy's own cipher as an independent peer, where it can follow: safe mode, and only XML from it."""

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException

from app.wechat.callbacks.envelope import CallbackReader, encrypt_reply
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.message import Format, normal_message, read_message, write_message
from tests.wechat.callbacks.examples import (
    KEYS,
    MESSAGES,
    NONCE,
    NOW,
    SECONDS,
    STAMP,
    WINDOW,
    write,
)


def peer(token: str = KEYS.token, key: str | None = KEYS.aes_key, appid: str = KEYS.appid) -> WeChatCrypto:
    return WeChatCrypto(token, key, appid)


def fields(body: bytes) -> dict[str, str]:
    return {key: str(value) for key, value in read_message(body)[1].items()}


@pytest.mark.parametrize("name", MESSAGES)
def test_wechatpy_opens_what_we_write(name: str) -> None:
    query, body = write(MESSAGES[name], "safe", "xml")
    text = peer().decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    assert text == write_message(MESSAGES[name], "xml").decode()
    assert parse_message(text).source == MESSAGES[name]["FromUserName"]


@pytest.mark.parametrize("name", MESSAGES)
def test_wechatpy_opens_our_json_when_it_is_handed_the_fields(name: str) -> None:
    query, body = write(MESSAGES[name], "safe", "json")
    text = peer().decrypt_message(fields(body), query["msg_signature"], query["timestamp"], query["nonce"])
    assert text == write_message(MESSAGES[name], "json").decode()


@pytest.mark.parametrize("form", ["xml", "json"])
def test_wechatpy_opens_our_reply(form: Format) -> None:
    reply = encrypt_reply(KEYS, "答复", form, STAMP)
    encrypted = fields(reply.encode())
    text = peer().decrypt_message(encrypted, encrypted["MsgSignature"], encrypted["TimeStamp"], encrypted["Nonce"])
    assert text == "答复"


@pytest.mark.parametrize("name", MESSAGES)
def test_we_open_what_wechatpy_encrypts(name: str) -> None:
    plaintext = write_message(MESSAGES[name], "xml")
    body = peer().encrypt_message(plaintext.decode(), NONCE, SECONDS).encode()
    query = {"timestamp": str(SECONDS), "nonce": NONCE, "msg_signature": fields(body)["MsgSignature"]}
    opened = CallbackReader(KEYS, NOW, WINDOW).read(query, body)
    assert (opened.mode, opened.format, opened.plaintext) == ("safe", "xml", plaintext)
    assert opened.message == normal_message(MESSAGES[name])


@pytest.mark.parametrize(
    ("stranger", "theirs", "ours"),
    [
        (peer(token="another"), InvalidSignatureException, "signature"),
        (peer(appid="wx9999999999999999"), InvalidAppIdException, "not-for-us"),
    ],
)
def test_we_and_wechatpy_refuse_the_same(stranger: WeChatCrypto, theirs: type[Exception], ours: str) -> None:
    query, body = write(MESSAGES["debug"], "safe", "xml")
    with pytest.raises(theirs):
        stranger.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    foreign = stranger.encrypt_message("<xml><a>b</a></xml>", NONCE, SECONDS).encode()
    signed = {"timestamp": str(SECONDS), "nonce": NONCE, "msg_signature": fields(foreign)["MsgSignature"]}
    with pytest.raises(CallbackRefused, match=f"^{ours}$"):
        CallbackReader(KEYS, NOW, WINDOW).read(signed, foreign)
