"""WeChat's server API as this project needs it: log-in, subscribe messages and a few more.

Owns which call asks for what. It must never ask for an access token where none is needed, or send a
message that breaks WeChat's limits for its fields.
"""

import hashlib
import hmac
import random as randomness
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import redis as redis_py

from app.wechat.authorized_transport import AuthorizedTransport
from app.wechat.templates import check_fields
from app.wechat.transport import (
    NOT_DONE,
    NOT_READ,
    ApiCall,
    Transport,
    WeChatError,
    WeChatOutcomeUnknown,
    WeChatRefused,
    WeChatUnavailable,
    required_text,
)

__all__ = [
    "PhoneNumber",
    "WeChatApi",
    "WeChatError",
    "WeChatOutcomeUnknown",
    "WeChatRefused",
    "WeChatSession",
    "WeChatUnavailable",
]

Language = Literal["zh_CN", "en_US", "zh_HK", "zh_TW"]
MiniprogramState = Literal["developer", "trial", "formal"]
EnvVersion = Literal["release", "trial", "develop"]

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


class WeChatApi:
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
        self._calls = Transport(appid, secret, api_base, (connect_timeout, read_timeout), sleep, random)
        self._authorized = AuthorizedTransport(
            self._calls,
            redis,
            appid,
            secret,
            api_base,
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
            ApiCall(
                "GET",
                "/sns/jscode2session",
                params=tuple(params.items()),
                private=(code,),
                retry_on=NOT_DONE,
            )
        )
        return WeChatSession(
            required_text(answer, "openid"), required_text(answer, "session_key"), answer.get("unionid") or None
        )

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
        call = ApiCall(
            "POST",
            "/cgi-bin/message/subscribe/send",
            body=body,
            private=(openid, *data.values()),
            retry_on=NOT_READ,
            lost_error=WeChatOutcomeUnknown,
        )
        answer = self._authorized.ask(call)
        if answer.get("errcode") != 0:
            raise WeChatOutcomeUnknown("unreadable")
        return str(answer["msgid"]) if "msgid" in answer else None

    def get_phone_number(self, code: str) -> PhoneNumber:
        """The number that a code of getPhoneNumber stands for. A code works once."""
        call = ApiCall(
            "POST",
            "/wxa/business/getuserphonenumber",
            body={"code": code},
            private=(code,),
            retry_on=NOT_DONE,
        )
        info = self._authorized.ask(call).get("phone_info")
        if not isinstance(info, dict):
            raise WeChatUnavailable("unreadable")
        return PhoneNumber(required_text(info, "purePhoneNumber"), required_text(info, "countryCode"))

    def check_session(self, openid: str, session_key: str) -> bool:
        """Whether WeChat still knows this session key as the user's."""
        signature = hmac.new(session_key.encode(), b"", hashlib.sha256).hexdigest()
        params = (("openid", openid), ("signature", signature), ("sig_method", "hmac_sha256"))
        call = ApiCall("GET", "/wxa/checksession", params=params, private=(openid, signature))
        try:
            self._authorized.ask(call)
        except WeChatRefused as refusal:
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
        call = ApiCall("POST", "/wxa/getwxacodeunlimit", body=body, private=(scene,))
        return self._authorized.ask_image(call)
