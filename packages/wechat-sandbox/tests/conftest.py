"""A sandbox of its own for each test, as a real server; time stands still until a test moves it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from wechatpy import WeChatClient

from acting import APPID, SECRET, Start, WeChat, unmodified_wechatpy
from receiving import Receiver
from sandbox_kit.testing import Clock, served
from wechat_sandbox import PushSettings, create_sandbox


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app))


@pytest.fixture
def start(serve: Callable[[Flask], str], clock: Clock) -> Start:
    def run(**options: Any) -> WeChat:
        return WeChat(serve(create_sandbox(APPID, SECRET, now=clock, **options)), clock)

    return run


@pytest.fixture
def wechat(start: Start) -> WeChat:
    return start()


@pytest.fixture
def wechatpy(wechat: WeChat) -> Iterator[WeChatClient]:
    client = unmodified_wechatpy(wechat)
    yield client
    client._http.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def pushing(start: Start, receiver: Receiver) -> WeChat:
    """A sandbox that pushes plain JSON to the receiver."""
    return start(push=PushSettings(**receiver.settings()), sleep=lambda seconds: None)
