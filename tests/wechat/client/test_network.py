"""A network in trouble: nothing is sent twice, waited for without end, or shown of anybody."""

import contextlib
import json
import logging
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import responses

from app.wechat.client import WeChatApi, WeChatError, WeChatOutcomeUnknown, WeChatUnavailable
from tests.support.wechat_client import (
    CHECK,
    CODE,
    CODE_IMAGE,
    HOST,
    LOGIN,
    OPENID,
    PRIVATE,
    SEND,
    SENT,
    SESSION,
    SESSION_KEY,
    STABLE,
    Host,
    says,
    send,
)


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
