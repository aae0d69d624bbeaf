"""A network in trouble, and that no failure shows anything of a person."""

import gzip
import json
import logging
import time
import traceback
from collections.abc import Iterator

import pytest
import responses

from app.platform.client import PlatformClient
from app.platform.messages import PlatformRefused, PlatformUnavailable
from tests.support.platform_client import (
    ASKED,
    AUTHORITY,
    CONTACT,
    DATA,
    HEAD,
    NAME,
    NUMBER,
    PHONE,
    PRIVATE,
    URL,
    Host,
    ask,
    padded,
    refusal,
    success,
)

SQUEEZED = gzip.compress(padded(20_000_000))


@pytest.mark.parametrize("says", [b"", HEAD + b"Content-Length: 100\r\n\r\n", HEAD + b"Content-Length: 9\r\n\r\n{"])
def test_a_platform_that_falls_silent_is_a_time_out(near: PlatformClient, host: Host, says: bytes) -> None:
    host.says, host.hangs_up = says, False
    assert refusal(near) == "timeout"


def test_a_platform_that_answers_byte_by_byte_is_a_time_out_as_a_whole(near: PlatformClient, host: Host) -> None:
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(padded(0)) + padded(0)
    for said in (0, len(whole) - 60):  # from the first byte of the headers, and from the middle of the body
        host.says, host.drips = whole[:said], whole[said:]
        start = time.monotonic()
        assert refusal(near) == "timeout"
        assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"SSH-2.0\r\n",
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_an_answer_that_breaks_off_is_no_connection(near: PlatformClient, host: Host, says: bytes) -> None:
    host.says = says
    assert refusal(near) == "no-connection"


def test_nobody_at_the_address_is_no_connection(near: PlatformClient, host: Host) -> None:
    host.close()
    assert refusal(near) == "no-connection"


def test_a_small_answer_that_unpacks_to_a_huge_one_is_too_large(near: PlatformClient, host: Host) -> None:
    length = f"Content-Length: {len(SQUEEZED)}\r\n\r\n".encode()
    host.says = HEAD + b"Content-Encoding: gzip\r\n" + length + SQUEEZED
    assert refusal(near) == "too-large"


def test_a_redirect_to_what_is_no_address_is_a_redirect(near: PlatformClient, host: Host) -> None:
    host.says = b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n"
    assert refusal(near) == "http-302"


# Nothing leaks
def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def everything(error: BaseException) -> str:
    """Return what a log or an error reporter could show of it, hidden contexts included."""
    shown = ["".join(traceback.format_exception(error))]
    shown += [f"{link!r} {link} {link.args!r} {vars(link)!r}" for link in chain(error)]
    return "\n".join(shown)


ECHO = json.dumps({"code": 40001, "message": ASKED, "data": {**DATA, "reference": ["", NAME, NUMBER, PHONE]}}).encode()
TROUBLES: list[tuple[bytes, bool]] = [
    *(
        (b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(ECHO), ECHO), True)
        for status in (200, 302, 400, 503)
    ),
    (b"", False),
    (b"", True),
    (HEAD + b"Content-Length: 900000\r\n\r\n" + ECHO * 200, True),
]


@pytest.mark.parametrize(("says", "hangs_up"), TROUBLES)
def test_no_failure_leaks_into_an_exception_or_a_log(
    near: PlatformClient, host: Host, caplog: pytest.LogCaptureFixture, says: bytes, hangs_up: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")
    host.says, host.hangs_up = says, hangs_up
    with pytest.raises((PlatformRefused, PlatformUnavailable)) as caught:
        ask(near)
    said = everything(caught.value) + caplog.text + repr(near)
    assert not [text for text in PRIVATE if text in said]
    assert len(list(chain(caught.value))) == 1
    assert "urllib3" in caplog.text  # it does log, only nothing of this


@pytest.mark.parametrize("field", ["name", "document_number", "phone", "reference"])
def test_a_text_that_is_no_unicode_does_not_show_in_an_error(near: PlatformClient, host: Host, field: str) -> None:
    host.says = b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n"
    with pytest.raises(PlatformRefused) as caught:
        ask(near, **{field: "\ud800"})
    assert not [text for text in PRIVATE if text in everything(caught.value)]


def test_an_answer_does_not_show_its_findings(platform: PlatformClient, rsps: responses.RequestsMock) -> None:
    rsps.post(URL, json=success(findings=[CONTACT]))
    answer = ask(platform)
    assert AUTHORITY not in repr(answer)
    assert "exposed_on" not in repr(answer.findings[0])
