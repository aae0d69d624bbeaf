"""Client of WeChat's server API: log-in, subscribe messages, phone numbers and mini-program codes.

Owns path, parameters and answer of each call. It must never request an access token where none is needed, or send a
message that breaks WeChat's limits for its fields.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from app.core.redis_client import AnyRedis
from app.wechat.authorized_transport import AuthorizedTransport
from app.wechat.callbacks.events import ID_FORM
from app.wechat.sending import make_sending
from app.wechat.transport import (
    NOT_DONE,
    ApiCall,
    RetryPause,
    Timeouts,
    Transport,
    WeChatAccount,
    WeChatError,
    WeChatOutcomeUnknown,
    WeChatRefused,
    WeChatUnavailable,
    required_text,
)

__all__ = [
    "PhoneNumber",
    "RetryPause",
    "SubscribeMessage",
    "Timeouts",
    "WeChatAccount",
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
_TIMEOUTS: Final = Timeouts()
_PAUSE: Final = RetryPause()


@dataclass(frozen=True, slots=True)
class WeChatSession:
    """The user who logged in, as code2Session returns them."""

    openid: str = field(repr=False)
    session_key: str = field(repr=False)
    unionid: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A phone number that WeChat has verified, without its country code."""

    number: str = field(repr=False)
    country_code: str


@dataclass(frozen=True, slots=True)
class SubscribeMessage:
    """One notice; `data` has a value for each key of the template, `page` opens when it is tapped."""

    openid: str = field(repr=False)
    template_id: str
    data: Mapping[str, str] = field(repr=False)
    page: str
    language: Language
    miniprogram_state: MiniprogramState

    def sending(self) -> ApiCall:
        """Return the call that sends it. Raises TemplateFieldError."""
        about = {
            "template_id": self.template_id,
            "page": self.page,
            "miniprogram_state": self.miniprogram_state,
            "lang": self.language,
        }
        return make_sending("/cgi-bin/message/subscribe/send", self.openid, self.data, about)


def read_unionid(answer: Mapping[str, Any]) -> str | None:
    """Return the unionid in an answer, if it has one; WeChat's own example has a space before it."""
    given = answer.get("unionid")
    text = given.strip() if isinstance(given, str) else ""
    return text if ID_FORM.fullmatch(text) else None


class WeChatApi:
    """WeChat's server API for one mini-program; one object serves all threads.

    Every method raises WeChatRefused or WeChatUnavailable; only a send can raise WeChatOutcomeUnknown.
    """

    def __init__(
        self,
        account: WeChatAccount,
        redis: AnyRedis,
        *,
        timeouts: Timeouts = _TIMEOUTS,
        pause: RetryPause = _PAUSE,
    ) -> None:
        self._account, self._transport = account, Transport(account, timeouts, pause)
        self._authorized = AuthorizedTransport(self._transport, account, redis, timeouts)

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    def code_to_session(self, code: str) -> WeChatSession:
        """Return the session of a wx.login code. A code works once: after WeChatUnavailable get a new one."""
        params = {
            "appid": self._account.appid,
            "secret": self._account.secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        answer = self._transport.ask(
            ApiCall(
                "GET",
                "/sns/jscode2session",
                params=tuple(params.items()),
                private=(code,),
                retry_on=NOT_DONE,
            )
        )
        openid, session_key = required_text(answer, "openid"), required_text(answer, "session_key")
        if not ID_FORM.fullmatch(openid):
            raise WeChatUnavailable("unreadable")
        return WeChatSession(openid, session_key, read_unionid(answer))

    def send_subscribe_message(self, message: SubscribeMessage) -> str | None:
        """Send one notice and return WeChat's id of it, if it gives one.

        Raises TemplateFieldError, and sends nothing, when a value breaks the limits of its key.
        """
        answer = self._authorized.ask(message.sending())
        if answer.get("errcode") != 0 and answer.get("errmsg") != "ok":  # a refusal has been raised already
            raise WeChatOutcomeUnknown("unreadable")
        return None if answer.get("msgid") is None else str(answer["msgid"])

    def get_phone_number(self, code: str, openid: str) -> PhoneNumber:
        """Return the number for a code of getPhoneNumber. A code works once.

        WeChat refuses a code that another user than this one has got.
        """
        call = ApiCall(
            "POST",
            "/wxa/business/getuserphonenumber",
            body={"code": code, "openid": openid},
            private=(code, openid),
            retry_on=NOT_DONE,
        )
        info = self._authorized.ask(call).get("phone_info")
        if not isinstance(info, dict):
            raise WeChatUnavailable("unreadable")
        return PhoneNumber(required_text(info, "purePhoneNumber"), required_text(info, "countryCode"))

    def check_session(self, openid: str, session_key: str) -> bool:
        """Return whether WeChat still accepts this session key of the user."""
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
        """Return the image of a mini-program code for `scene`; `width` is in pixels, 280 to 1280.

        Raises ValueError for a value that WeChat would refuse: a scene of other than 1 to 32 of the characters that
        it allows, a page with a leading slash or a query, another width.
        """
        if not _SCENE.fullmatch(scene):
            raise ValueError("scene: 1 to 32 of the characters that WeChat allows")
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
