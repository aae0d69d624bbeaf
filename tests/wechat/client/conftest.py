"""Clients of WeChat: whose answers are made up, and of a server nearby."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
import responses

from app.wechat.client import RetryPause, Timeouts, WeChatApi
from tests.support.wechat_client import ACCOUNT, FRESH, HOST, LOGIN, SEND, SENT, SESSION, STABLE, Host, says


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


@pytest.fixture
def ready(wechat: WeChatApi, rsps: responses.RequestsMock) -> WeChatApi:
    rsps.post(HOST + STABLE, json=FRESH)
    return wechat


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
