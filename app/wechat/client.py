"""WeChat's server API as this project needs it: log-in, subscribe messages and a few more.

Owns which call asks for what, and the one retry after a stale access token. It must never ask for
an access token where none is needed, force a new one, or send a message that breaks WeChat's limits
for its fields.
"""

import hashlib
import hmac
import logging
import random as randomness
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

import redis as redis_py
from redis.exceptions import RedisError
from wechatpy.session.redisstorage import RedisStorage

from app.wechat.access_token import AccessToken, Fetched
from app.wechat.calls import (
    NOT_DONE,
    NOT_READ,
    Call,
    Calls,
    OutcomeUnknown,
    Refused,
    Unavailable,
    WeChatError,
)
from app.wechat.templates import check_fields

__all__ = [
    "OutcomeUnknown",
    "PhoneNumber",
    "Refused",
    "Unavailable",
    "WeChat",
    "WeChatError",
    "WeChatSession",
]

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Language = Literal["zh_CN", "en_US", "zh_HK", "zh_TW"]
MiniprogramState = Literal["developer", "trial", "formal"]
EnvVersion = Literal["release", "trial", "develop"]

_STALE_TOKEN: Final = frozenset({40001, 40014, 42001})
_WRONG_SESSION_KEY: Final = 87009
_SCENE: Final = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")
_WIDTHS: Final = range(280, 1281)


@dataclass(frozen=True, slots=True)
class WeChatSession:
    """Who has logged in, as code2Session tells it."""

    openid: str = field(repr=False)
    session_key: str = field(repr=False)
    unionid: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A phone number that WeChat vouches for, without its country code."""

    number: str = field(repr=False)
    country_code: str


class WeChat:
    """The mini-program's side of WeChat's server API; one object serves all threads.

    Times are in seconds. `sleep` and `random` (0 to 1) make the pause before a second try. Every
    method raises Refused or Unavailable; only a send can raise OutcomeUnknown.
    """

    def __init__(
        self,
        appid: str,
        secret: str,
        redis: redis_py.Redis,
        *,
        api_base: str = "https://api.weixin.qq.com",
        connect_timeout: float = 2.0,
        read_timeout: float = 4.0,
        lock_wait: float = 6.0,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self._appid, self._secret = appid, secret
        self._calls = Calls(appid, secret, api_base, (connect_timeout, read_timeout), sleep, random)
        # The host is in the name: the sandbox's token and WeChat's own stay apart, should they meet
        # in one Redis.
        self._token = AccessToken(
            redis,
            RedisStorage(redis, prefix=f"wechat:{urlsplit(api_base).netloc}:{appid}"),
            self._fetch_token,
            lock_seconds=2 * (connect_timeout + read_timeout) + 1,
            wait_seconds=lock_wait,
        )

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._calls.close()

    def code_to_session(self, code: str) -> WeChatSession:
        """The session that a wx.login code opens. A code works once: after Unavailable get a new one."""
        params = {
            "appid": self._appid,
            "secret": self._secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        answer = self._calls.ask(
            Call(
                "GET",
                "/sns/jscode2session",
                params=tuple(params.items()),
                private=(code,),
                again=NOT_DONE,
            )
        )
        return WeChatSession(_text(answer, "openid"), _text(answer, "session_key"), answer.get("unionid") or None)

    def send_subscribe_message(
        self,
        openid: str,
        template_id: str,
        data: Mapping[str, str],
        page: str,
        language: Language,
        miniprogram_state: MiniprogramState,
    ) -> str | None:
        """Send one notice and answer with WeChat's id of it, if it gives one. `data` is key -> value.

        Raises FieldError before anything is sent when a value breaks the limits of its key.
        """
        check_fields(data)
        body = {
            "touser": openid,
            "template_id": template_id,
            "page": page,
            "miniprogram_state": miniprogram_state,
            "lang": language,
            "data": {key: {"value": value} for key, value in data.items()},
        }
        call = Call(
            "POST",
            "/cgi-bin/message/subscribe/send",
            body=body,
            private=(openid, *data.values()),
            again=NOT_READ,
            lost=OutcomeUnknown,
        )
        answer = self._with_token(self._calls.ask, call)
        if answer.get("errcode") != 0:
            raise OutcomeUnknown("unreadable")
        return str(answer["msgid"]) if "msgid" in answer else None

    def get_phone_number(self, code: str) -> PhoneNumber:
        """The number that a code of getPhoneNumber stands for. A code works once."""
        call = Call(
            "POST",
            "/wxa/business/getuserphonenumber",
            body={"code": code},
            private=(code,),
            again=NOT_DONE,
        )
        info = self._with_token(self._calls.ask, call).get("phone_info")
        if not isinstance(info, dict):
            raise Unavailable("unreadable")
        return PhoneNumber(_text(info, "purePhoneNumber"), _text(info, "countryCode"))

    def check_session(self, openid: str, session_key: str) -> bool:
        """Whether WeChat still knows this session key as the user's."""
        signature = hmac.new(session_key.encode(), b"", hashlib.sha256).hexdigest()
        params = (("openid", openid), ("signature", signature), ("sig_method", "hmac_sha256"))
        call = Call("GET", "/wxa/checksession", params=params, private=(openid, signature))
        try:
            self._with_token(self._calls.ask, call)
        except Refused as refusal:
            if refusal.errcode != _WRONG_SESSION_KEY:
                raise
            return False
        return True

    def get_unlimited_code(self, scene: str, page: str, env_version: EnvVersion, check_path: bool, width: int) -> bytes:
        """The image of a mini-program code for `scene`; `width` is in pixels, 280 to 1280.

        Raises ValueError for what WeChat would not take: a scene of other than 1 to 32 of its
        letters, a page with a leading slash or a query.
        """
        if not _SCENE.fullmatch(scene):
            raise ValueError("scene: 1 to 32 of the letters that WeChat allows")
        if not page or page.startswith("/") or "?" in page:
            raise ValueError("page: a path without leading slash and without query")
        if width not in _WIDTHS:
            raise ValueError("width: 280 to 1280")
        body = {
            "scene": scene,
            "page": page,
            "env_version": env_version,
            "check_path": check_path,
            "width": width,
        }
        call = Call("POST", "/wxa/getwxacodeunlimit", body=body, private=(scene,))
        return self._with_token(self._calls.ask_image, call)

    def _with_token(self, ask: Callable[[Call], Answer], call: Call) -> Answer:
        """Ask with the access token; once more, and only once, when WeChat calls the token stale."""
        stale = None
        for _ in range(2):
            token = self._access_token(instead_of=stale)
            try:
                return ask(
                    replace(
                        call,
                        params=(*call.params, ("access_token", token)),
                        private=(*call.private, token),
                    )
                )
            except Refused as refusal:
                if refusal.errcode not in _STALE_TOKEN:
                    raise
                stale = token
        raise Unavailable("token")

    def _access_token(self, instead_of: str | None) -> str:
        with suppress(RedisError):
            return self._token.get(instead_of)
        raise Unavailable("token-store")

    def _fetch_token(self) -> Fetched:
        """A token of the stable kind: asking again brings the same one, and ends nobody else's."""
        body = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": self._secret,
            "force_refresh": False,
        }
        call = Call("POST", "/cgi-bin/stable_token", body=body)
        try:
            answer = self._calls.ask(call)
            return Fetched(_text(answer, "access_token"), _seconds(answer))
        except Refused as refusal:
            _log.error("WeChat gives no access token: errcode %d", refusal.errcode)
        # Not the refusal itself: it says nothing about what the token was wanted for.
        raise Unavailable("credentials")


def _text(answer: dict[str, Any], name: str) -> str:
    """A text that WeChat's answer must have."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise Unavailable("unreadable")
    return value


def _seconds(answer: dict[str, Any]) -> int:
    """How long a token holds."""
    value = answer.get("expires_in")
    if type(value) is not int or value <= 0:
        raise Unavailable("unreadable")
    return value
