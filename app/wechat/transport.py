"""One call to WeChat, carried by wechatpy: how long it may take, and what its failure means.

Owns the four ways in which a call can end, and what is tried again. It must never let the secret, a
token, a log-in code, an openid or a session key into a log or an exception. So an error is raised
only after the handler of its cause has ended: no error of requests or wechatpy, with its URL
inside, hangs on ours as context.
"""

import re
import ssl
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

from app.core.http_client import pooled_session

log = structlog.get_logger()

_BUSY: Final = -1
_CREDENTIALS: Final = frozenset({40013, 40125, 40164, 40243})
_TOO_OFTEN: Final = frozenset({45009, 45011})

# What may be asked again at once, by what failed. WeChat may have spent a single-use code once it
# has read it, and may have sent a message; without a connection it has read nothing, and busy means
# that it has done nothing.
NOT_READ: Final = frozenset({"not-connected"})
NOT_DONE: Final = frozenset({"not-connected", "busy"})
IDEMPOTENT: Final = frozenset({"not-connected", "busy", "server-error"})

_OPENID_SHAPE: Final = re.compile(r"(?<![\w-])o[\w-]{27}(?![\w-])")
_WORDS_KEPT: Final = 200
_ECHO: Final = 4  # shorter values are found in any sentence


class WeChatError(Exception):
    """WeChat did not do what was asked."""


class WeChatRefused(WeChatError):
    """WeChat has answered no, for good: its number, and its words without anybody's data."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errcode, errmsg)
        self.errcode, self.errmsg = errcode, errmsg

    def __str__(self) -> str:
        return f"WeChat refused: {self.errcode} {self.errmsg}"


class WeChatUnavailable(WeChatError):
    """Nothing was done; it may be asked again later. `reason` is a word of ours, such as "busy"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WeChatOutcomeUnknown(WeChatError):
    """WeChat may have read and sent this message, or not: it must not be sent again by itself."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request: what of it is private, when to ask again, and what a lost answer means."""

    method: Literal["GET", "POST"]
    path: str
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: dict[str, Any] | None = field(default=None, repr=False)
    private: tuple[str, ...] = field(default=(), repr=False)
    retry_on: frozenset[str] = IDEMPOTENT
    lost_error: type[WeChatUnavailable] | type[WeChatOutcomeUnknown] = WeChatUnavailable


class _PooledClient(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy with a session that threads may share.

    wechatpy makes its session itself and takes none, so its name is the one internal of wechatpy that is used here.
    """

    def __init__(self, appid: str, secret: str, api_base: str, timeout: tuple[float, float]) -> None:
        super().__init__(appid, secret, timeout=timeout, auto_retry=False)
        self._http = pooled_session(api_base, "wechat")

    def close(self) -> None:
        self._http.close()


class Transport:
    """Carries calls to WeChat, for all threads. `timeout` is (connect, read) in seconds."""

    def __init__(
        self,
        appid: str,
        secret: str,
        api_base: str,
        timeout: tuple[float, float],
        sleep: Callable[[float], None],
        random: Callable[[], float],
    ) -> None:
        self._base, self._private = api_base.rstrip("/"), (appid, secret)
        self._wechatpy = _PooledClient(appid, secret, api_base, timeout)
        self._sleep, self._pause = sleep, lambda _: 0.1 + 0.2 * random()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._wechatpy.close()

    def ask(self, call: ApiCall) -> dict[str, Any]:
        """WeChat's JSON answer to a call that it did. Raises Refused, Unavailable or `call.lost`."""
        answer = self._twice(call)
        if isinstance(answer, dict):
            return answer
        raise call.lost_error("unreadable")

    def ask_image(self, call: ApiCall) -> bytes:
        """The image that WeChat answers with. Raises as `ask` does."""
        answer = self._twice(call)
        if isinstance(answer, requests.Response) and _is_image(answer):
            return answer.content
        raise call.lost_error("unreadable")

    def _twice(self, call: ApiCall) -> Any:
        attempts = Retrying(
            stop=stop_after_attempt(2),
            retry=retry_if_exception(
                lambda error: isinstance(error, WeChatUnavailable) and error.reason in call.retry_on
            ),
            wait=self._pause,
            sleep=self._sleep,
            reraise=True,
        )
        return attempts(self._once, call)

    def _once(self, call: ApiCall) -> Any:
        try:
            # wechatpy adds an access token of its own to parameters that are a dict; ours are
            # pairs.
            ask = self._wechatpy.get if call.method == "GET" else self._wechatpy.post
            return ask(
                self._base + call.path,
                params=call.params,
                **({} if call.body is None else {"data": call.body}),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
            )
        except WeChatClientException as error:
            failure: WeChatError = _failure(call, error, self._private)
        except requests.RequestException as error:
            failure = WeChatUnavailable("not-connected") if _was_never_sent(error) else call.lost_error("no-answer")
        except (TypeError, ValueError):  # an errcode that is no number
            failure = call.lost_error("unreadable")
        raise failure


def _is_image(response: requests.Response) -> bool:
    return response.headers.get("Content-Type", "").startswith("image/")


def _failure(call: ApiCall, error: WeChatClientException, private: tuple[str, ...]) -> WeChatError:
    """What WeChat's error answer means for the caller."""
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


def _redact(private: tuple[str, ...], words: str) -> str:
    """WeChat's words without what was private. Its own are ASCII: what is not, is an echo."""
    for text in sorted(private, key=len, reverse=True):
        words = words.replace(text, "***") if len(text) >= _ECHO else words
    words = _OPENID_SHAPE.sub("***", words)
    return "".join(letter for letter in words if " " <= letter <= "~")[:_WORDS_KEPT]


def _was_never_sent(error: requests.RequestException) -> bool:
    """Whether the connection was never made, so that WeChat cannot have read anything."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    inner = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    return isinstance(reason, NewConnectionError | ConnectTimeoutError) or isinstance(
        inner, ssl.SSLCertVerificationError
    )


def required_text(answer: dict[str, Any], name: str) -> str:
    """A text that WeChat's answer must have. Raises Unavailable."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise WeChatUnavailable("unreadable")
    return value
