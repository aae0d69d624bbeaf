"""The client's log-in: one question, and what becomes of each answer."""

from typing import Any

import pytest
import redis
import responses
from responses.matchers import query_param_matcher

from app.wechat.client import WeChatApi, WeChatRefused, WeChatUnavailable
from tests.support.wechat_client import (
    APPID,
    CODE,
    HOST,
    LOGIN,
    OPENID,
    PRIVATE,
    SECRET,
    SESSION,
    SESSION_KEY,
    call_counts,
)


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
