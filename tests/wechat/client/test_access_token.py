"""The access token: shared, renewed once, and never asked for by force."""

import contextlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import redis
import responses
from redis.backoff import NoBackoff
from redis.retry import Retry
from responses.matchers import json_params_matcher

from app.wechat.client import Timeouts, WeChatApi, WeChatUnavailable
from tests.support.waiting import PATIENCE
from tests.support.wechat_client import (
    ACCOUNT,
    APPID,
    CODE,
    FRESH,
    HOST,
    LOGIN,
    OPENID,
    SECRET,
    SEND,
    SENT,
    SESSION,
    STABLE,
    TOKEN,
    call_counts,
    send,
    tokens_used,
)


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
