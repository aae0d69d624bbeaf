"""A sandbox of its own for each test, as a real server; time stands still until a test moves it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from wechatpy import WeChatClient
from werkzeug.serving import make_server

from acting import APPID, SECRET, Clock, Quiet, Start, WeChat, unmodified_wechatpy
from receiving import Receiver
from wechat_sandbox import PushSettings, create_sandbox


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    running = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


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
