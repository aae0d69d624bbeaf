"""Nine defects of wechatpy 1.8.18, each shown on plain wechatpy: a failure here means that it was mended.

CLOSED_BY names the tests that show our client without the defect; 6 and 7 are about callbacks, and the tests of
`callbacks/` show the cure.
"""

import ast
import base64
import contextlib
import hashlib
import inspect
import json
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import pytest
import redis
import requests
import responses
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from wechatpy import parse_message
from wechatpy.client import WeChatClient
from wechatpy.client.api import WeChatWxa
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException, WeChatClientException
from wechatpy.messages import UnknownMessage
from wechatpy.utils import check_signature

from app.wechat.client import WeChatAccount, WeChatApi

APPID, SECRET = "wx0123456789abcdef", "5ecre75ecre75ecre75ecre75ecre75e"
OPENID, CODE, TOKEN = "oDemo0Demo0Demo0Demo0Demo0De", "0d3c0de0d3c0de0d3c0de0d3c0de0d3c", "70_T0kenT0ken"
HOST = "https://api.weixin.qq.com"
LOGIN, STABLE, SEND = "/sns/jscode2session", "/cgi-bin/stable_token", "/cgi-bin/message/subscribe/send"
OLD_TOKEN, IMAGE = "/cgi-bin/token", "/wxa/getwxacodeunlimit"
FRESH = {"access_token": TOKEN, "expires_in": 7200}
SESSION = {"openid": OPENID, "session_key": "o0q0otL8aEzpcZL/FT9WsQ=="}
FIELDS = {"thing1": {"value": "现场体温异常"}}

CLOSED_BY = {
    1: ["test_login_answers_with_the_session_and_asks_for_no_access_token"],
    2: ["test_a_token_that_stays_stale_ends_after_one_retry"],
    3: ["test_a_token_call_does_not_wait_for_ever"],  # and below: a client that is given no time-out has one
    4: [
        "test_eight_threads_that_need_a_token_fetch_one",
        "test_a_token_that_another_process_has_renewed_is_not_thrown_away",
    ],
    5: ["test_no_failure_leaks_into_an_exception_or_a_log"],
    6: [
        "test_a_message_is_the_same_in_all_six_forms",
        "test_each_event_names_the_person_the_time_and_what_happened",
        "test_our_reply_is_opened_by_who_has_the_keys",
    ],
    7: [
        "test_a_damaged_callback_is_refused_or_an_event_and_nothing_else",
        "test_what_cannot_be_decrypted_looks_like_a_wrong_signature",
    ],
    8: [
        "test_a_busy_wechat_is_asked_once_more_after_a_pause",
        "test_a_token_call_that_failed_in_passing_is_tried_again",
        "test_every_call_goes_to_the_given_host",
    ],
    9: [
        "test_the_stable_token_is_asked_for_without_force",
        "test_a_session_is_checked_with_a_signature_and_never_with_its_key",
        "test_a_phone_code_becomes_a_number_that_is_not_shown",
        "test_a_message_is_sent_with_state_and_language",
        "test_a_mini_program_code_comes_as_an_image",
    ],
}


def test_the_tests_of_our_client_that_are_named_here_exist() -> None:
    here = Path(__file__).parent
    files = [file for room in ("client", "callbacks") for file in (here / room).glob("test_*.py")]
    sources = [file.read_text("utf-8") for file in files]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    assert {name for names in CLOSED_BY.values() for name in names} <= defined


@pytest.fixture
def rsps() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def plain() -> Iterator[WeChatClient]:
    """wechatpy as it comes, with a time-out of a second."""
    client = WeChatClient(APPID, SECRET, timeout=1)
    yield client
    client._http.close()


def paths(rsps: responses.RequestsMock) -> list[str]:
    return [urlsplit(call.request.url or "").path for call in rsps.calls]


def timeouts(rsps: responses.RequestsMock) -> list[Any]:
    return [call.request.req_kwargs["timeout"] for call in rsps.calls]  # type: ignore[attr-defined]


# 1


def test_wechatpy_fetches_a_token_for_a_login_and_puts_it_into_the_address(
    plain: WeChatClient, rsps: responses.RequestsMock
) -> None:
    rsps.get(HOST + OLD_TOKEN, json=FRESH)
    rsps.get(HOST + LOGIN, json=SESSION)
    plain.wxa.code_to_session(CODE)
    assert paths(rsps) == [OLD_TOKEN, LOGIN]
    assert f"access_token={TOKEN}" in (rsps.calls[1].request.url or "")


# 2


def test_wechatpy_renews_a_refused_token_until_the_stack_is_full(
    plain: WeChatClient, rsps: responses.RequestsMock
) -> None:
    rsps.get(HOST + OLD_TOKEN, json=FRESH)
    rsps.post(HOST + SEND, json={"errcode": 40001, "errmsg": "invalid credential"})
    with pytest.raises(RecursionError):
        plain.wxa.send_subscribe_message(OPENID, "template-1", FIELDS)
    assert paths(rsps).count(OLD_TOKEN) > 10


# 3


def test_wechatpy_gives_its_token_call_no_time_out(plain: WeChatClient, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + OLD_TOKEN, json=FRESH)
    rsps.get(HOST + LOGIN, json=SESSION)
    plain.wxa.code_to_session(CODE)
    assert timeouts(rsps) == [None, 1]


def test_wechatpy_waits_for_ever_unless_configured_otherwise() -> None:
    assert WeChatClient(APPID, SECRET).timeout is None


def test_our_client_has_time_outs_for_every_call_by_default(
    rsps: responses.RequestsMock, redis_client: redis.Redis
) -> None:
    rsps.get(HOST + LOGIN, json=SESSION)
    rsps.post(HOST + STABLE, json=FRESH)
    rsps.post(HOST + IMAGE, body=b"image", content_type="image/png")
    with contextlib.closing(WeChatApi(WeChatAccount(APPID, SECRET), redis_client)) as wechat:
        wechat.code_to_session(CODE)
        wechat.get_unlimited_code("a", "pages/home/home", "release", True, 430)
    assert timeouts(rsps) == [(2.0, 4.0)] * 3


# 4


def test_eight_threads_of_wechatpy_fetch_eight_tokens(plain: WeChatClient, rsps: responses.RequestsMock) -> None:
    all_inside = threading.Barrier(8)  # with a lock somewhere, it would break

    def token(_: Any) -> tuple[int, dict[str, str], str]:
        all_inside.wait(5)
        return 200, {}, json.dumps(FRESH)

    rsps.add_callback(responses.GET, HOST + OLD_TOKEN, token)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: plain.access_token, range(8))) == [TOKEN] * 8
    assert paths(rsps) == [OLD_TOKEN] * 8


def test_two_processes_with_wechatpy_each_fetch_a_token_of_the_kind_that_ends_the_others(
    rsps: responses.RequestsMock,
) -> None:
    for text in ("first", "second"):
        rsps.get(HOST + OLD_TOKEN, json={**FRESH, "access_token": text})
    processes = [WeChatClient(APPID, SECRET), WeChatClient(APPID, SECRET)]
    assert [process.access_token for process in processes] == ["first", "second"]


# 5


def test_wechatpy_shows_appid_and_secret_in_the_error_of_a_lost_connection(plain: WeChatClient) -> None:
    plain.session.set(plain.access_token_key, TOKEN)
    with socket.socket() as nobody:  # bound, and not listening: the connection is refused
        nobody.bind(("127.0.0.1", 0))
        plain.wxa.API_BASE_URL = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        with pytest.raises(requests.ConnectionError) as caught:
            plain.wxa.code_to_session(CODE)
    assert [text for text in (APPID, SECRET, CODE, TOKEN) if text not in str(caught.value)] == []


# 6: of callbacks


EVENT = {"ToUserName": "gh_0", "FromUserName": OPENID, "CreateTime": 1, "MsgType": "event"}
POPUP = "<TemplateId>t</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>"


def test_wechatpy_reads_no_message_in_json() -> None:
    with pytest.raises(ExpatError):
        parse_message(json.dumps({**EVENT, "Event": "subscribe_msg_popup_event"}))


@pytest.mark.parametrize("name", ["popup", "change", "sent"])
def test_wechatpy_knows_no_event_of_subscribe_messages(name: str) -> None:
    wrapper = f"SubscribeMsg{name.title()}Event"
    fields = "".join(f"<{key}>{value}</{key}>" for key, value in EVENT.items())
    event = f"<Event>subscribe_msg_{name}_event</Event><{wrapper}><List>{POPUP}</List></{wrapper}>"
    assert type(parse_message(f"<xml>{fields}{event}</xml>")) is UnknownMessage


CALLBACK_TOKEN, AES_KEY = "AAAAA", "A" * 43
CRYPTO = WeChatCrypto(CALLBACK_TOKEN, AES_KEY, APPID)


def test_wechatpy_answers_in_xml_only_although_it_reads_an_encrypted_dict() -> None:
    encrypted = CRYPTO.encrypt_message('{"demo": 1}', "nonce", "1")
    assert encrypted.startswith("<xml>")
    texts = {key: encrypted.split(f"<{key}><![CDATA[")[1].split("]]")[0] for key in ("Encrypt", "MsgSignature")}
    message = {"Encrypt": texts["Encrypt"]}
    assert CRYPTO.decrypt_message(message, texts["MsgSignature"], "1", "nonce") == '{"demo": 1}'


# 7: of callbacks


def signed(encrypted: str) -> str:
    return hashlib.sha1("".join(sorted([CALLBACK_TOKEN, "1", "nonce", encrypted])).encode()).hexdigest()


def encrypted(plaintext: bytes) -> str:
    """A ciphertext that WeChat's key opens, with whatever inside."""
    encryptor = Cipher(algorithms.AES(bytes(32)), modes.CBC(bytes(16))).encryptor()
    return base64.b64encode(encryptor.update(plaintext)).decode()


@pytest.mark.parametrize(
    ("ciphertext", "error"),
    [
        ("", IndexError),  # nothing in it
        ("AAAA", ValueError),  # no whole block
        ("A", ValueError),  # no base64
        (encrypted(bytes(15) + b"\x10"), struct.error),  # no room for a length
        (encrypted(bytes(16) + b"\x00\x00\x00\x01\xff" + b"\x0b" * 11), UnicodeDecodeError),
    ],
)
def test_wechatpy_stumbles_differently_over_each_bad_ciphertext(ciphertext: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        CRYPTO.decrypt_message({"Encrypt": ciphertext}, signed(ciphertext), "1", "nonce")


def test_wechatpy_stumbles_over_a_message_without_ciphertext() -> None:
    with pytest.raises(KeyError):
        CRYPTO.decrypt_message({}, signed(""), "1", "nonce")


class Witness(str):
    """A signature that notes how it is compared."""

    __hash__ = str.__hash__
    compared = False

    def __ne__(self, other: object) -> bool:
        self.compared = True
        return super().__ne__(other)


def test_wechatpy_compares_signatures_letter_by_letter() -> None:
    witness = Witness("0" * 40)
    with pytest.raises(InvalidSignatureException):
        check_signature(CALLBACK_TOKEN, witness, "1", "nonce")
    assert witness.compared  # hmac.compare_digest would not have asked it


# 8


@pytest.mark.parametrize("answer", [{"json": {"errcode": -1, "errmsg": "system error"}}, {"status": 502}])
def test_wechatpy_gives_up_at_the_first_busy_answer(
    plain: WeChatClient, rsps: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    plain.session.set(plain.access_token_key, TOKEN)
    rsps.get(HOST + LOGIN, **answer)
    with pytest.raises(WeChatClientException):
        plain.wxa.code_to_session(CODE)
    assert paths(rsps) == [LOGIN]


def test_wechatpy_fetches_its_token_from_wechat_wherever_its_calls_go(
    plain: WeChatClient, rsps: responses.RequestsMock
) -> None:
    plain.API_BASE_URL = "http://127.0.0.1:9/"
    rsps.get(HOST + OLD_TOKEN, json=FRESH)
    rsps.get("http://127.0.0.1:9/cgi-bin/anything", json={"errcode": 0})
    plain.get("cgi-bin/anything")
    assert urlsplit(rsps.calls[0].request.url or "").netloc == urlsplit(HOST).netloc


# 9


def test_wechatpy_has_no_stable_token(plain: WeChatClient, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + OLD_TOKEN, json=FRESH)
    plain.fetch_access_token()
    assert paths(rsps) == [OLD_TOKEN]


@pytest.mark.parametrize("words", [("check", "session"), ("phone", "number")])
def test_wechatpy_has_no_session_check_and_no_phone_number(words: tuple[str, str]) -> None:
    names = [name.lower() for name in dir(WeChatWxa)]
    assert [name for name in names if all(word in name for word in words)] == []


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        (WeChatWxa.send_subscribe_message, {"miniprogram_state", "lang"}),
        (WeChatWxa.get_wxa_code_unlimited, {"check_path", "env_version"}),
    ],
)
def test_wechatpy_cannot_say_which_version_of_the_mini_program_is_meant(call: Any, missing: set[str]) -> None:
    assert missing.isdisjoint(inspect.signature(call).parameters)
