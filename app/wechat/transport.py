"""HTTP transport of WeChat's server API, by wechatpy: time limits, the second try, and the meaning of failures.

Owns the four ways in which a call can end, and which calls are retried. The secret, a token, a log-in code, an openid
or a session key must never reach a log or an exception. So an error is raised only after the handler of its cause has
ended: no error of requests or wechatpy, which contains the URL, is attached to ours as context.
"""

import json
import random
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal

import requests
import structlog
from tenacity import Retrying, retry_if_exception, stop_after_attempt
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from wechatpy.client import WeChatClient
from wechatpy.exceptions import WeChatClientException

from app.core.http_client import AnswerTooLarge, pooled_session, read_limited

log = structlog.get_logger()

_ANSWER_BYTES: Final = 64 * 1024
_IMAGE_BYTES: Final = 1024 * 1024  # of a code 1280 pixels wide
_BUSY: Final = -1
_CREDENTIALS: Final = frozenset({40013, 40125, 40164, 40243})
_TOO_OFTEN: Final = frozenset({45009, 45011})

# Failures after which a call may be retried at once. WeChat may have used up a single-use code once it has read it, and
# may have sent a message; without a connection it has read nothing, and busy means that it has done nothing.
NOT_READ: Final = frozenset({"not-connected"})
NOT_DONE: Final = frozenset({"not-connected", "busy"})
IDEMPOTENT: Final = frozenset({"not-connected", "busy", "server-error"})

_OPENID_SHAPE: Final = re.compile(r"(?<![\w-])o[\w-]{27}(?![\w-])", re.ASCII)
_MAX_TEXT: Final = 200
_MIN_REDACTED: Final = 4  # shorter values occur in any sentence


class WeChatError(Exception):
    """WeChat did not do what was asked."""


class WeChatRefused(WeChatError):
    """WeChat refused for good, with its error number, and its text without personal data."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errcode, errmsg)
        self.errcode, self.errmsg = errcode, errmsg

    def __str__(self) -> str:
        return f"WeChat refused: {self.errcode} {self.errmsg}"


class WeChatUnavailable(WeChatError):
    """Nothing was done; the call may be repeated later. `reason` is a word of ours, such as "busy"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WeChatOutcomeUnknown(WeChatError):
    """WeChat may have read and sent this message, or not: it must not be sent again automatically."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WeChatAccount:
    """The mini-program's account, and the server at which it is known."""

    appid: str
    secret: str = field(repr=False)
    api_base: str = "https://api.weixin.qq.com"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds: for a connection, for the whole answer, and for another process that fetches a token."""

    connect: float = 2.0
    read: float = 4.0
    lock: float = 6.0


@dataclass(frozen=True, slots=True)
class RetryPause:
    """The pause before the second try; `random` is between 0 and 1."""

    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    def seconds(self) -> float:
        """Return 0.1 to 0.3 seconds, at random, so that calls that failed together are not repeated together."""
        return 0.1 + 0.2 * self.random()


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request: its private values, after which failures it is retried, and the error of a lost answer."""

    method: Literal["GET", "POST"]
    path: str
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: dict[str, Any] | None = field(default=None, repr=False)
    private: tuple[str, ...] = field(default=(), repr=False)
    retry_on: frozenset[str] = IDEMPOTENT
    lost_error: type[WeChatUnavailable] | type[WeChatOutcomeUnknown] = WeChatUnavailable


class _PooledClient(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy with a session that threads may share.

    wechatpy makes its session itself and takes none: its name, and that of the method that reads JSON, are the
    internals of wechatpy that are used here.
    """

    def __init__(self, account: WeChatAccount, timeouts: Timeouts) -> None:
        timeout = (timeouts.connect, timeouts.read)
        super().__init__(account.appid, account.secret, timeout=timeout, auto_retry=False)
        self._http = pooled_session(account.api_base, "wechat")

    def close(self) -> None:
        self._http.close()

    def _decode_result(self, res: requests.Response) -> Any:
        """Return the JSON of an answer, or the bytes of an image, else None. An `errcode` of null is none."""
        is_image = res.headers.get("Content-Type", "").startswith("image/")
        content = read_limited(res, _IMAGE_BYTES if is_image else _ANSWER_BYTES)
        try:
            answer = json.loads(content.decode("utf-8-sig", "ignore"), strict=False)
        except (ValueError, RecursionError):
            return content if is_image else None
        if isinstance(answer, dict) and answer.get("errcode", 0) is None:
            del answer["errcode"]  # wechatpy would take it for an answer that cannot be read
        return answer


class Transport:
    """Carries calls to WeChat; one object serves all threads."""

    def __init__(self, account: WeChatAccount, timeouts: Timeouts, pause: RetryPause) -> None:
        self._base, self._private = account.api_base.rstrip("/"), (account.appid, account.secret)
        self._wechatpy = _PooledClient(account, timeouts)
        self._pause = pause

    def close(self) -> None:
        """Close the pooled connections."""
        self._wechatpy.close()

    def ask(self, call: ApiCall) -> dict[str, Any]:
        """Return WeChat's JSON answer. Raises WeChatRefused, WeChatUnavailable or `call.lost_error`."""
        answer = self._ask_twice(call)
        if isinstance(answer, dict):
            return answer
        raise call.lost_error("unreadable")

    def ask_image(self, call: ApiCall) -> bytes:
        """Return the image that WeChat answers with. Raises the same errors as `ask`."""
        answer = self._ask_twice(call)
        if isinstance(answer, bytes):
            return answer
        raise call.lost_error("unreadable")

    def _ask_twice(self, call: ApiCall) -> Any:
        attempts = Retrying(
            stop=stop_after_attempt(2),
            retry=retry_if_exception(
                lambda error: isinstance(error, WeChatUnavailable) and error.reason in call.retry_on
            ),
            wait=lambda _: self._pause.seconds(),
            sleep=self._pause.sleep,
            reraise=True,
        )
        return attempts(self._ask_once, call)

    def _ask_once(self, call: ApiCall) -> Any:
        try:
            # wechatpy adds an access token of its own to parameters that are a dict; ours are pairs.
            ask = self._wechatpy.get if call.method == "GET" else self._wechatpy.post
            return ask(
                self._base + call.path,
                params=call.params,
                **({} if call.body is None else {"data": call.body}),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
                stream=True,
            )
        except WeChatClientException as error:
            error.response.close()  # of an error status nothing was read
            failure: WeChatError = _failure(call, error, self._private)
        except AnswerTooLarge:
            failure = call.lost_error("too-large")
        except requests.RequestException as error:
            failure = WeChatUnavailable("not-connected") if _was_never_sent(error) else call.lost_error("no-answer")
        except (TypeError, ValueError):  # an errcode that is not a number
            failure = call.lost_error("unreadable")
        raise failure


def _failure(call: ApiCall, error: WeChatClientException, private: tuple[str, ...]) -> WeChatError:
    """Return the error for an error answer of WeChat."""
    code = error.errcode
    if code is None:
        broken = error.response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        return call.lost_error("server-error") if broken else WeChatUnavailable("http-error")
    if code == _BUSY:
        return WeChatUnavailable("busy")
    if code in _TOO_OFTEN:
        return WeChatUnavailable("rate-limit")
    if code in _CREDENTIALS:
        log.error("wechat-refused-credentials", errcode=code)
        return WeChatUnavailable("credentials")
    return WeChatRefused(code, _redact((*call.private, *private), str(error.errmsg)))


def _redact(private: tuple[str, ...], text: str) -> str:
    """Return WeChat's text without private values. Its own texts are ASCII: other characters repeat our request."""
    for value in sorted(private, key=len, reverse=True):
        text = text.replace(value, "***") if len(value) >= _MIN_REDACTED else text
    text = _OPENID_SHAPE.sub("***", text)
    return "".join(letter for letter in text if " " <= letter <= "~")[:_MAX_TEXT]


def _was_never_sent(error: requests.RequestException) -> bool:
    """Return whether the connection was never made, so that WeChat cannot have read anything."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    inner = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    return isinstance(reason, NewConnectionError | ConnectTimeoutError) or isinstance(
        inner, ssl.SSLCertVerificationError
    )


def required_text(answer: dict[str, Any], name: str) -> str:
    """Return a text that WeChat's answer must have. Raises WeChatUnavailable when it is missing."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise WeChatUnavailable("unreadable")
    return value
