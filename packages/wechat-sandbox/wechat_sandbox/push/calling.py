"""One call of WeChat to the mini-program's server, over HTTP: a callback, or the check of its URL.

Owns what WeChat takes for an answer. Follows no redirect, uses no proxy, and never logs: http.client
keeps still where a larger client would write URLs down.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from wechat_sandbox.push import envelopes
from wechat_sandbox.push.envelopes import Envelope, Unreadable
from wechat_sandbox.state import PushSettings

MOST = 64 * 1024  # bytes of an answer that are looked at
SHOWN = 500  # characters of an answer that are kept


@dataclass(frozen=True)
class Reply:
    """What came back: `status` is None without an answer, `fault` is empty when WeChat is content."""

    status: int | None
    text: str
    fault: str


def deliver(settings: PushSettings, appid: str, envelope: Envelope, timeout: float, *, any_answer: bool) -> Reply:
    """Post one callback; WeChat waits `timeout` seconds. `any_answer` takes other texts than success for one."""
    status, text = _exchange("POST", settings.url, envelope.query, timeout, envelope)
    if status is None or not 200 <= status < 300:
        return Reply(status, text[:SHOWN], text if status is None else f"HTTP status {status}")
    try:
        text = envelopes.open_answer(settings, appid, text)
    except Unreadable as error:
        return Reply(status, text[:SHOWN], str(error))
    content = any_answer or text in ("", "success")
    return Reply(status, text[:SHOWN], "" if content else "the answer is neither success nor empty")


def check_url(settings: PushSettings, timestamp: str, nonce: str, echo: str, timeout: float) -> Reply:
    """The check that WeChat makes before it accepts a URL: the server must answer with the echo."""
    signature = envelopes.signature(settings.token, timestamp, nonce)
    query = {"signature": signature, "echostr": echo, "timestamp": timestamp, "nonce": nonce}
    status, text = _exchange("GET", settings.url, query, timeout)
    if status is None:
        return Reply(None, "", text)
    fault = "" if status == 200 and text == echo else "the server did not answer with the echostr"
    return Reply(status, text[:SHOWN], fault)


def _exchange(
    method: str, url: str, query: Mapping[str, str], timeout: float, envelope: Envelope | None = None
) -> tuple[int | None, str]:
    """Status and body; without an answer None and the reason."""
    end = time.monotonic() + timeout
    connection = _connection(url, timeout)
    try:
        headers = {"User-Agent": "Mozilla/4.0", "Accept": "*/*"}
        if envelope is not None:
            headers["Content-Type"] = envelope.content_type
        connection.request(method, _target(url, query), envelope.body if envelope else None, headers)
        return _answer(connection, end)
    except TimeoutError:
        return None, f"no answer within {timeout:g} s"
    except (OSError, HTTPException) as error:
        return None, f"no answer: {type(error).__name__}"
    finally:
        connection.close()


def _connection(url: str, timeout: float) -> HTTPConnection:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout)


def _target(url: str, query: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    whole = "&".join(part for part in (parts.query, urlencode(query)) if part)
    return f"{parts.path or '/'}?{whole}"


def _answer(connection: HTTPConnection, end: float) -> tuple[int, str]:
    """The whole answer must be there in time, not only its first byte."""
    response = connection.getresponse()
    body = b""
    while len(body) < MOST and (chunk := response.read1(4096)):
        body += chunk
        if time.monotonic() > end:
            raise TimeoutError
    return response.status, body.decode(errors="replace").strip()
