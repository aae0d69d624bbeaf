"""The WeChat client, against WeChat's wire format and, for connections, a real server."""

import contextlib
import json
import logging
import socket
import struct
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
import responses
from redis.backoff import NoBackoff
from redis.retry import Retry
from responses.matchers import json_params_matcher, query_param_matcher

from app.wechat.client import (
    PhoneNumber,
    RetryPause,
    SubscribeMessage,
    Timeouts,
    WeChatAccount,
    WeChatApi,
    WeChatError,
    WeChatOutcomeUnknown,
    WeChatRefused,
    WeChatUnavailable,
)
from app.wechat.templates import TemplateFieldError
from tests.support.waiting import PATIENCE

APPID = "wx0123456789abcdef"
SECRET = "5ecre75ecre75ecre75ecre75ecre75e"
OPENID = "oDemo0Demo0Demo0Demo0Demo0De"
CODE = "0d3c0de0d3c0de0d3c0de0d3c0de0d3c"
SESSION_KEY = "o0q0otL8aEzpcZL/FT9WsQ=="
TOKEN = "70_T0kenT0kenT0kenT0ken"
# openssl dgst -sha256 -hmac <the session key's text>, over nothing
SIGNATURE = "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"
PRIVATE = (APPID, SECRET, OPENID, CODE, SESSION_KEY, TOKEN, SIGNATURE)

LOGIN = "/sns/jscode2session"
STABLE = "/cgi-bin/stable_token"
SEND = "/cgi-bin/message/subscribe/send"
CHECK = "/wxa/checksession"
PHONE = "/wxa/business/getuserphonenumber"
CODE_IMAGE = "/wxa/getwxacodeunlimit"
HOST = "https://api.weixin.qq.com"

SESSION = {"openid": OPENID, "session_key": SESSION_KEY}
FRESH = {"access_token": TOKEN, "expires_in": 7200}
SENT = {"errcode": 0, "errmsg": "ok", "msgid": 1887382718}
FIELDS = {"phrase1": "黄码", "thing2": "现场体温异常"}
MESSAGE = SubscribeMessage(OPENID, "template-1", FIELDS, "pages/code/code", "zh_CN", "formal")
ACCOUNT = WeChatAccount(APPID, SECRET)


def send(wechat: WeChatApi) -> str | None:
    return wechat.send_subscribe_message(MESSAGE)


def call_counts(rsps: responses.RequestsMock) -> Counter[str]:
    return Counter(urlsplit(call.request.url or "").path for call in rsps.calls)


def tokens_used(rsps: responses.RequestsMock) -> list[str]:
    urls = [call.request.url or "" for call in rsps.calls]
    return [parse_qs(urlsplit(url).query)["access_token"][0] for url in urls if SEND in url]


@pytest.fixture
def rsps() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def wechat(redis_client: redis.Redis, pauses: list[float]) -> Iterator[WeChatApi]:
    client = WeChatApi(ACCOUNT, redis_client, pause=RetryPause(pauses.append, lambda: 0.5))
    with contextlib.closing(client):
        yield client


# Log-in


def test_login_answers_with_the_session_and_asks_for_no_access_token(
    wechat: WeChatApi, rsps: responses.RequestsMock, redis_client: redis.Redis
) -> None:
    query = {
        "appid": APPID,
        "secret": SECRET,
        "js_code": CODE,
        "grant_type": "authorization_code",
    }
    rsps.get(HOST + LOGIN, json=SESSION, match=[query_param_matcher(query)])
    session = wechat.code_to_session(CODE)
    assert (session.openid, session.session_key, session.unionid) == (OPENID, SESSION_KEY, None)
    assert call_counts(rsps) == {LOGIN: 1}
    assert redis_client.keys() == []


def test_login_passes_the_unionid_on(wechat: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + LOGIN, json={**SESSION, "unionid": "u1", "errcode": 0})
    assert wechat.code_to_session(CODE).unionid == "u1"


def test_a_session_shows_nothing_of_itself(wechat: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + LOGIN, json={**SESSION, "unionid": "u1u1u1"})
    shown = repr(wechat.code_to_session(CODE)) + repr(wechat)
    assert not [text for text in (*PRIVATE, "u1u1u1") if text in shown]


@pytest.mark.parametrize("errcode", [40029, 40163, 40226])
def test_a_bad_code_is_refused_at_once(wechat: WeChatApi, rsps: responses.RequestsMock, errcode: int) -> None:
    rsps.get(HOST + LOGIN, json={"errcode": errcode, "errmsg": "invalid code, rid: 1-2-3"})
    with pytest.raises(WeChatRefused) as caught:
        wechat.code_to_session(CODE)
    assert (caught.value.errcode, caught.value.errmsg) == (errcode, "invalid code, rid: 1-2-3")
    assert call_counts(rsps) == {LOGIN: 1}


def test_a_busy_wechat_is_asked_once_more_after_a_pause(
    wechat: WeChatApi, rsps: responses.RequestsMock, pauses: list[float]
) -> None:
    rsps.get(HOST + LOGIN, json={"errcode": -1, "errmsg": "system error"})
    rsps.get(HOST + LOGIN, json=SESSION)
    assert wechat.code_to_session(CODE).openid == OPENID
    assert pauses == [pytest.approx(0.2)]


def test_a_wechat_that_stays_busy_is_asked_only_twice(wechat: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + LOGIN, json={"errcode": -1, "errmsg": "system error"})
    with pytest.raises(WeChatUnavailable, match="busy"):
        wechat.code_to_session(CODE)
    assert call_counts(rsps) == {LOGIN: 2}


@pytest.mark.parametrize(
    ("errcode", "reason"),
    [(45011, "rate-limit"), (40013, "credentials"), (40125, "credentials"), (40164, "credentials")],
)
def test_what_is_not_the_citizens_fault_makes_login_unavailable(
    wechat: WeChatApi, rsps: responses.RequestsMock, errcode: int, reason: str
) -> None:
    rsps.get(HOST + LOGIN, json={"errcode": errcode, "errmsg": "no"})
    with pytest.raises(WeChatUnavailable, match=reason):
        wechat.code_to_session(CODE)
    assert call_counts(rsps) == {LOGIN: 1}


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"openid": OPENID}},
        {"json": {"openid": "", "session_key": SESSION_KEY}},
        {"json": {"openid": 5, "session_key": SESSION_KEY}},
        {"body": '{"openid": "\\ud800", "session_key": "k"}'},
        {"json": {"openid": OPENID + "\0", "session_key": SESSION_KEY}},
        {"json": {"openid": "o" * 5000, "session_key": SESSION_KEY}},
        {"json": []},
        {"json": {"errcode": "many"}},
        {"body": "<html>"},
        {"status": 502},
        {"status": 404},
        {"status": 302, "headers": {"Location": "https://elsewhere.example/"}},
    ],
)
def test_an_answer_that_makes_no_sense_makes_login_unavailable(
    wechat: WeChatApi, rsps: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    rsps.get(HOST + LOGIN, **answer)
    with pytest.raises(WeChatUnavailable):
        wechat.code_to_session(CODE)
    assert call_counts(rsps) == {LOGIN: 1}  # the code may be spent


# The access token


def test_the_stable_token_is_asked_for_without_force(wechat: WeChatApi, rsps: responses.RequestsMock) -> None:
    body = {
        "grant_type": "client_credential",
        "appid": APPID,
        "secret": SECRET,
        "force_refresh": False,
    }
    rsps.post(HOST + STABLE, json=FRESH, match=[json_params_matcher(body)])
    rsps.post(HOST + SEND, json=SENT)
    send(wechat)
    assert call_counts(rsps) == {STABLE: 1, SEND: 1}
    assert SECRET not in (rsps.calls[0].request.url or "")


def test_the_token_is_shared_through_redis(
    wechat: WeChatApi, rsps: responses.RequestsMock, redis_client: redis.Redis
) -> None:
    rsps.post(HOST + STABLE, json=FRESH)
    rsps.post(HOST + SEND, json=SENT)
    send(wechat)
    with contextlib.closing(WeChatApi(ACCOUNT, redis_client)) as another_process:
        send(another_process)
    assert call_counts(rsps) == {STABLE: 1, SEND: 2}
    assert tokens_used(rsps) == [TOKEN, TOKEN]


@pytest.mark.parametrize(("expires_in", "kept"), [(7200, 7080), (100, 50), (1, 1)])
def test_the_token_is_given_up_before_it_ends(
    wechat: WeChatApi,
    rsps: responses.RequestsMock,
    redis_client: redis.Redis,
    expires_in: int,
    kept: int,
) -> None:
    rsps.post(HOST + STABLE, json={**FRESH, "expires_in": expires_in})
    rsps.post(HOST + SEND, json=SENT)
    send(wechat)
    (key,) = redis_client.keys()
    assert kept - 1 <= redis_client.pttl(key) / 1000 <= kept


def test_the_sandbox_and_wechat_do_not_share_a_token(
    wechat: WeChatApi, rsps: responses.RequestsMock, redis_client: redis.Redis
) -> None:
    sandbox = "http://127.0.0.1:9"
    for host in (HOST, sandbox):
        rsps.post(host + STABLE, json={**FRESH, "access_token": f"token of {host}"})
        rsps.post(host + SEND, json=SENT)
    send(wechat)
    with contextlib.closing(WeChatApi(replace(ACCOUNT, api_base=sandbox), redis_client)) as other:
        send(other)
    assert tokens_used(rsps) == [f"token of {HOST}", f"token of {sandbox}"]


def test_eight_threads_that_need_a_token_fetch_one(wechat: WeChatApi, rsps: responses.RequestsMock) -> None:
    together = threading.Barrier(8)

    def slowly(_: Any) -> tuple[int, dict[str, str], str]:
        time.sleep(0.1)
        return 200, {}, json.dumps(FRESH)

    def one(_: int) -> str | None:
        together.wait(PATIENCE)
        return send(wechat)

    rsps.add_callback(responses.POST, HOST + STABLE, slowly)
    rsps.post(HOST + SEND, json=SENT)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(8))) == ["1887382718"] * 8
    assert call_counts(rsps) == {STABLE: 1, SEND: 8}


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_stale_token_is_renewed_and_the_message_sent_once_more(
    wechat: WeChatApi, rsps: responses.RequestsMock, errcode: int
) -> None:
    rsps.post(HOST + STABLE, json={**FRESH, "access_token": "old"})
    rsps.post(HOST + STABLE, json={**FRESH, "access_token": "new"})
    rsps.post(HOST + SEND, json={"errcode": errcode, "errmsg": "access_token expired"})
    rsps.post(HOST + SEND, json=SENT)
    assert send(wechat) == "1887382718"
    assert tokens_used(rsps) == ["old", "new"]


def test_a_token_that_stays_stale_ends_after_one_retry(wechat: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.post(HOST + STABLE, json=FRESH)
    rsps.post(HOST + SEND, json={"errcode": 40001, "errmsg": "invalid credential"})
    with pytest.raises(WeChatUnavailable, match="token"):
        send(wechat)
    assert call_counts(rsps) == {STABLE: 2, SEND: 2}


def test_a_token_that_another_process_has_renewed_is_not_thrown_away(
    wechat: WeChatApi, rsps: responses.RequestsMock, redis_client: redis.Redis
) -> None:
    def refused_while_another_process_renews(_: Any) -> tuple[int, dict[str, str], str]:
        (key,) = redis_client.keys()
        redis_client.set(key, json.dumps("renewed elsewhere"))
        return 200, {}, json.dumps({"errcode": 42001, "errmsg": "access_token expired"})

    rsps.post(HOST + STABLE, json={**FRESH, "access_token": "old"})
    rsps.add_callback(responses.POST, HOST + SEND, refused_while_another_process_renews)
    rsps.post(HOST + SEND, json=SENT)
    rsps.calls.reset()
    assert send(wechat) == "1887382718"
    assert tokens_used(rsps) == ["old", "renewed elsewhere"]
    assert call_counts(rsps) == {STABLE: 1, SEND: 2}


def test_a_refused_token_does_not_outlive_a_failed_renewal(
    wechat: WeChatApi, rsps: responses.RequestsMock, redis_client: redis.Redis
) -> None:
    rsps.post(HOST + STABLE, json=FRESH)
    rsps.post(HOST + STABLE, json={"errcode": 45009, "errmsg": "reach max api daily quota limit"})
    rsps.post(HOST + SEND, json={"errcode": 40001, "errmsg": "invalid credential"})
    with pytest.raises(WeChatUnavailable, match="rate-limit"):
        send(wechat)
    assert redis_client.keys() == []


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([{"json": {"errcode": 40125, "errmsg": "invalid appsecret"}}], "credentials"),
        ([{"json": {"errcode": 40001, "errmsg": "invalid credential"}}], "credentials"),
        ([{"json": {"errcode": 45009, "errmsg": "quota"}}], "rate-limit"),
        ([{"json": {"access_token": "", "expires_in": 7200}}], "unreadable"),
        ([{"json": {"access_token": "t", "expires_in": "soon"}}], "unreadable"),
        ([{"json": {"access_token": "t", "expires_in": 0}}], "unreadable"),
        ([{"body": "<html>"}], "unreadable"),
        ([{"status": 503}, {"status": 503}], "server-error"),
        ([{"json": {"errcode": -1}}, {"json": {"errcode": -1}}], "busy"),
    ],
)
def test_without_a_token_nothing_is_sent(
    wechat: WeChatApi, rsps: responses.RequestsMock, answers: list[dict[str, Any]], reason: str
) -> None:
    for answer in answers:
        rsps.post(HOST + STABLE, **answer)
    with pytest.raises(WeChatUnavailable, match=f"^{reason}$"):
        send(wechat)
    assert call_counts(rsps) == {STABLE: len(answers)}


@pytest.mark.parametrize("first", [{"status": 502}, {"json": {"errcode": -1, "errmsg": "busy"}}])
def test_a_token_call_that_failed_in_passing_is_tried_again(
    wechat: WeChatApi, rsps: responses.RequestsMock, first: dict[str, Any]
) -> None:
    rsps.post(HOST + STABLE, **first)
    rsps.post(HOST + STABLE, json=FRESH)
    rsps.post(HOST + SEND, json=SENT)
    assert send(wechat) == "1887382718"


def test_a_lock_that_another_process_holds_too_long_makes_a_send_unavailable(
    rsps: responses.RequestsMock, redis_client: redis.Redis
) -> None:
    locks: list[bytes] = []

    def look(_: Any) -> tuple[int, dict[str, str], str]:
        locks.extend(redis_client.keys("*lock"))
        assert 0 < redis_client.pttl(locks[0]) <= 13_000  # a crash does not hold it for ever
        return 200, {}, json.dumps(FRESH)

    rsps.add_callback(responses.POST, HOST + STABLE, look)
    rsps.post(HOST + SEND, json=SENT)
    with contextlib.closing(WeChatApi(ACCOUNT, redis_client, timeouts=Timeouts(lock=0.1))) as wechat:
        send(wechat)
        redis_client.flushall()
        redis_client.set(locks[0], "somebody else", ex=60)
        with pytest.raises(WeChatUnavailable, match="token-store"):
            send(wechat)
    assert call_counts(rsps) == {STABLE: 1, SEND: 1}


def test_without_redis_login_works_and_a_send_is_unavailable(rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + LOGIN, json=SESSION)
    nowhere = redis.Redis(unix_socket_path="/nonexistent/valkey", retry=Retry(NoBackoff(), 0))
    with contextlib.closing(WeChatApi(ACCOUNT, nowhere)) as wechat:
        assert wechat.code_to_session(CODE).openid == OPENID
        with pytest.raises(WeChatUnavailable, match="token-store"):
            send(wechat)


# Sending


@pytest.fixture
def ready(wechat: WeChatApi, rsps: responses.RequestsMock) -> WeChatApi:
    rsps.post(HOST + STABLE, json=FRESH)
    return wechat


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


# Session checks, phone numbers, mini-program codes


def test_a_session_is_checked_with_a_signature_and_never_with_its_key(
    ready: WeChatApi, rsps: responses.RequestsMock
) -> None:
    query = {
        "access_token": TOKEN,
        "openid": OPENID,
        "signature": SIGNATURE,
        "sig_method": "hmac_sha256",
    }
    ok = {"errcode": 0, "errmsg": "ok"}
    rsps.get(HOST + CHECK, json=ok, match=[query_param_matcher(query)])
    assert ready.check_session(OPENID, SESSION_KEY) is True


def test_a_session_key_that_wechat_no_longer_knows_is_false(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + CHECK, json={"errcode": 87009, "errmsg": "invalid signature"})
    assert ready.check_session(OPENID, SESSION_KEY) is False


def test_another_refusal_of_a_session_check_is_no_answer(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.get(HOST + CHECK, json={"errcode": 40003, "errmsg": "invalid openid"})
    with pytest.raises(WeChatRefused):
        ready.check_session(OPENID, SESSION_KEY)


def test_a_phone_code_becomes_a_number_that_is_not_shown(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    info = {"phoneNumber": "+8613900000000", "purePhoneNumber": "13900000000", "countryCode": "86"}
    answer = {"errcode": 0, "errmsg": "ok", "phone_info": info}
    rsps.post(HOST + PHONE, json=answer, match=[json_params_matcher({"code": CODE, "openid": OPENID})])
    number = ready.get_phone_number(CODE, OPENID)
    assert number == PhoneNumber("13900000000", "86")
    assert "139" not in repr(number)


@pytest.mark.parametrize("info", [None, [], {}, {"purePhoneNumber": 139, "countryCode": "86"}])
def test_a_phone_answer_without_a_number_is_unavailable(
    ready: WeChatApi, rsps: responses.RequestsMock, info: Any
) -> None:
    rsps.post(HOST + PHONE, json={"errcode": 0, "phone_info": info})
    with pytest.raises(WeChatUnavailable, match="unreadable"):
        ready.get_phone_number(CODE, OPENID)


EVERY_SCENE_LETTER = "!#$&'()*+,/:;=?@-._~"


@pytest.mark.parametrize(("scene", "width"), [("a", 280), ("Z9" * 16, 1280), (EVERY_SCENE_LETTER, 430)])
def test_a_mini_program_code_comes_as_an_image(
    ready: WeChatApi, rsps: responses.RequestsMock, scene: str, width: int
) -> None:
    body = {
        "scene": scene,
        "page": "pages/home/home",
        "env_version": "trial",
        "check_path": False,
        "width": width,
    }
    rsps.post(
        HOST + CODE_IMAGE,
        body=b"\xff\xd8image",
        content_type="image/jpeg",
        match=[json_params_matcher(body)],
    )
    image = ready.get_unlimited_code(scene, "pages/home/home", "trial", False, width)
    assert image == b"\xff\xd8image"


@pytest.mark.parametrize(
    ("scene", "page", "width"),
    [
        ("", "pages/home/home", 430),
        ("a" * 33, "pages/home/home", 430),
        ("a b", "pages/home/home", 430),
        ("吉祥码", "pages/home/home", 430),
        ("a%", "pages/home/home", 430),
        ("a\n", "pages/home/home", 430),
        ("a", "", 430),
        ("a", "/pages/home/home", 430),
        ("a", "pages/home/home?x=1", 430),
        ("a", "pages/home/home", 279),
        ("a", "pages/home/home", 1281),
    ],
)
def test_a_mini_program_code_that_wechat_would_not_draw_is_not_asked_for(
    wechat: WeChatApi, rsps: responses.RequestsMock, scene: str, page: str, width: int
) -> None:
    with pytest.raises(ValueError, match=r"^(scene|page|width): "):
        wechat.get_unlimited_code(scene, page, "release", True, width)
    assert len(rsps.calls) == 0


def test_a_refused_mini_program_code_is_no_image(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.post(HOST + CODE_IMAGE, json={"errcode": 41030, "errmsg": "invalid page"})
    with pytest.raises(WeChatRefused, match="41030"):
        ready.get_unlimited_code("a", "pages/none/none", "release", True, 430)


def test_a_web_page_in_place_of_the_image_is_unavailable(ready: WeChatApi, rsps: responses.RequestsMock) -> None:
    rsps.post(HOST + CODE_IMAGE, body="<html>", content_type="text/html")
    with pytest.raises(WeChatUnavailable, match="unreadable"):
        ready.get_unlimited_code("a", "pages/home/home", "release", True, 430)


# Real connections


class Host:
    """A WeChat on this machine with a list of prepared answers for each path."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Callable[[BaseHTTPRequestHandler], None]]] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.connections: list[socket.socket] = []
        self.end = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                host.connections.append(self.connection)

            def handle_any(self) -> None:
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = urlsplit(self.path).path
                host.seen.append((path, self.headers.get("Cookie")))
                queue = host.answers[path]
                (queue.pop(0) if len(queue) > 1 else queue[0])(self)

            do_GET = do_POST = handle_any

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.end.set()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()

    def count(self, path: str) -> int:
        return [seen for seen, _ in self.seen].count(path)

    def silence(self, handler: BaseHTTPRequestHandler) -> None:
        """Stay silent for longer than a caller may wait, then answer after all."""
        self.end.wait(3)
        with contextlib.suppress(OSError):
            says(FRESH | SENT)(handler)


def says(answer: dict[str, Any], *headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer_it(handler: BaseHTTPRequestHandler) -> None:
        body = json.dumps(answer).encode()
        head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
        handler.wfile.write("\r\n".join(head).encode() + body)

    return answer_it


def resets(handler: BaseHTTPRequestHandler) -> None:
    """Break the connection after the request was read."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def stops_midway(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"errcode"')
    handler.close_connection = True


def drips(handler: BaseHTTPRequestHandler) -> None:
    """Answer byte by byte, each in time."""
    handler.close_connection = True
    with contextlib.suppress(OSError):
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)


@pytest.fixture
def host() -> Iterator[Host]:
    with contextlib.closing(Host()) as host:
        host.answers = {STABLE: [says(FRESH)], SEND: [says(SENT)], LOGIN: [says(SESSION)]}
        yield host


@pytest.fixture
def near(host: Host, redis_client: redis.Redis, pauses: list[float]) -> Iterator[WeChatApi]:
    """A client of that host, with short time-outs."""
    account, timeouts = replace(ACCOUNT, api_base=host.url), Timeouts(connect=0.3, read=0.3)
    client = WeChatApi(account, redis_client, timeouts=timeouts, pause=RetryPause(pauses.append))
    with contextlib.closing(client):
        yield client


def test_every_call_goes_to_the_given_host(near: WeChatApi, host: Host) -> None:
    assert send(near) == "1887382718"
    assert near.code_to_session(CODE).openid == OPENID
    assert [path for path, _ in host.seen] == [STABLE, SEND, LOGIN]


@pytest.mark.parametrize("answer", ["silence", resets, stops_midway])
def test_a_message_whose_answer_is_lost_has_an_unknown_outcome_and_is_not_sent_again(
    near: WeChatApi, host: Host, answer: Any
) -> None:
    host.answers[SEND] = [host.silence if answer == "silence" else answer]
    with pytest.raises(WeChatOutcomeUnknown, match="no-answer"):
        send(near)
    assert host.count(SEND) == 1


@pytest.mark.parametrize("answer", ["silence", resets, stops_midway, drips])
def test_a_login_whose_answer_is_lost_is_unavailable_and_its_code_not_used_again(
    near: WeChatApi, host: Host, answer: Any
) -> None:
    host.answers[LOGIN] = [host.silence if answer == "silence" else answer]
    with pytest.raises(WeChatUnavailable, match="no-answer"):
        near.code_to_session(CODE)
    assert host.count(LOGIN) == 1


@pytest.mark.parametrize(
    ("path", "content_type", "most"), [(LOGIN, "text/plain", 64 * 1024), (CODE_IMAGE, "image/jpeg", 1024 * 1024)]
)
def test_an_answer_is_read_up_to_a_limit(
    ready: WeChatApi, rsps: responses.RequestsMock, path: str, content_type: str, most: int
) -> None:
    asks: dict[str, Callable[[], Any]] = {
        LOGIN: lambda: ready.code_to_session(CODE),
        CODE_IMAGE: lambda: ready.get_unlimited_code("a", "pages/home/home", "release", True, 430),
    }
    body = json.dumps(SESSION).encode() if path == LOGIN else b"\xff\xd8"
    for size in (most, most + 1):
        rsps.add(
            responses.GET if path == LOGIN else responses.POST, HOST + path, body.ljust(size), content_type=content_type
        )
    assert asks[path]()
    with pytest.raises(WeChatUnavailable, match="too-large"):
        asks[path]()


def test_a_token_call_does_not_wait_for_ever(near: WeChatApi, host: Host) -> None:
    host.answers[STABLE] = [host.silence]
    with pytest.raises(WeChatUnavailable, match="no-answer"):
        send(near)
    assert host.count(SEND) == 0


def test_a_message_that_finds_no_connection_was_not_sent(near: WeChatApi, host: Host, pauses: list[float]) -> None:
    send(near)
    host.close()
    with pytest.raises(WeChatUnavailable, match="not-connected"):
        send(near)
    assert len(pauses) == 1  # it was tried once more: nobody had read anything


def test_threads_share_connections_and_no_cookies(near: WeChatApi, host: Host) -> None:
    host.answers[SEND] = [says(SENT, "Set-Cookie: of=somebody; Path=/")]
    for _ in range(5):
        thread = threading.Thread(target=send, args=(near,))
        thread.start()
        thread.join(5)
    assert host.count(SEND) == 5
    assert len(host.connections) == 1
    assert {cookie for _, cookie in host.seen} == {None}


# Nothing leaks


def refuses(handler: BaseHTTPRequestHandler) -> None:
    """Answer with a text that repeats the whole request."""
    repeated = f"{handler.path} {handler.body.decode()}"  # type: ignore[attr-defined]
    says({"errcode": 40029, "errmsg": repeated})(handler)


def fails(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")


def talks_html(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def everything(error: BaseException) -> str:
    """Return what a log or an error reporter could show of it, hidden contexts included."""
    texts = ["".join(traceback.format_exception(error)), str(error), repr(error), repr(error.args)]
    texts += [f"{link!r} {link} {link.args!r} {vars(link)!r}" for link in chain(error)]
    return "\n".join(texts)


TROUBLES = [refuses, fails, talks_html, resets, stops_midway, "silence", "closed"]


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("path", [LOGIN, SEND, STABLE, CHECK])
def test_no_failure_leaks_into_an_exception_or_a_log(
    near: WeChatApi, host: Host, caplog: pytest.LogCaptureFixture, path: str, trouble: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    host.answers[path] = [host.silence if trouble == "silence" else trouble]
    if trouble == "closed":
        host.close()
    ask: dict[str, Callable[[], Any]] = {
        LOGIN: lambda: near.code_to_session(CODE),
        CHECK: lambda: near.check_session(OPENID, SESSION_KEY),
    }
    with pytest.raises(WeChatError) as caught:
        ask.get(path, lambda: send(near))()
    said = everything(caught.value) + caplog.text
    assert not [text for text in PRIVATE if text in said]
    assert len(list(chain(caught.value))) == 1
    assert "urllib3" in caplog.text  # it does log, only not the query


def test_no_success_leaks_into_a_log(near: WeChatApi, host: Host, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    host.answers[LOGIN] = [says(SESSION, "a header line that is none")]  # urllib3 warns, with the URL
    near.code_to_session(CODE)
    send(near)
    assert "Failed to parse headers" in caplog.text
    assert f"{LOGIN}?…" in caplog.text
    assert not [text for text in PRIVATE if text in caplog.text]
