"""Client of an official account's API: template messages, and who follows the account.

The account has an appid, a secret and an access token of its own; transport, time limits and the meaning of failures
are those of the mini-program's client.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from app.core.redis_client import AnyRedis
from app.wechat.authorized_transport import AuthorizedTransport
from app.wechat.callbacks.events import ID_FORM
from app.wechat.client import read_unionid
from app.wechat.sending import make_sending
from app.wechat.transport import (
    ApiCall,
    RetryPause,
    Timeouts,
    Transport,
    WeChatAccount,
    WeChatOutcomeUnknown,
    WeChatUnavailable,
)

READ_AT_ONCE: Final = 100
_PAUSE: Final = RetryPause()


@dataclass(frozen=True, slots=True)
class TemplateMessage:
    """One message to a follower; a tap opens `page` of the mini-program. WeChat sends one of the same `once` once."""

    openid: str = field(repr=False)
    template_id: str
    data: Mapping[str, str] = field(repr=False)
    appid: str
    page: str
    once: str

    def sending(self) -> ApiCall:
        """Return the call that sends it. Raises TemplateFieldError."""
        about = {
            "template_id": self.template_id,
            "miniprogram": {"appid": self.appid, "pagepath": self.page},
            "client_msg_id": self.once,
        }
        return make_sending("/cgi-bin/message/template/send", self.openid, self.data, about)


@dataclass(frozen=True, slots=True)
class Follower:
    """A follower as WeChat describes them; without a unionid where the account is on no open platform."""

    openid: str = field(repr=False)
    unionid: str | None = field(repr=False)
    since: datetime


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """Some of the followers, by openid; `total` is how many there are, `last` asks for the next page."""

    openids: Sequence[str] = field(repr=False)
    total: int
    last: str = field(repr=False)


class OfficialAccountApi:
    """The API of one official account; one object serves all threads.

    Every method raises WeChatRefused or WeChatUnavailable; only a send can raise WeChatOutcomeUnknown.
    """

    def __init__(self, account: WeChatAccount, redis: AnyRedis, *, timeouts: Timeouts) -> None:
        self._transport = Transport(account, timeouts, _PAUSE)
        self._authorized = AuthorizedTransport(self._transport, account, redis, timeouts)

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    def send(self, message: TemplateMessage) -> str:
        """Send one message and return WeChat's id of it.

        Raises TemplateFieldError, and sends nothing, when a value breaks the limits of its key.
        """
        msgid = self._authorized.ask(message.sending()).get("msgid")
        if not isinstance(msgid, int | str) or not ID_FORM.fullmatch(str(msgid)):
            raise WeChatOutcomeUnknown("unreadable")
        return str(msgid)

    def list_followers(self, after: str = "") -> FollowerPage:
        """Return up to 10,000 followers, those after the last one of another page."""
        params = (("next_openid", after),) if after else ()
        answer = self._authorized.ask(ApiCall("GET", "/cgi-bin/user/get", params=params, private=(after,)))
        data, total = answer.get("data") or {}, answer.get("total")
        openids = data.get("openid", []) if isinstance(data, dict) else None
        if type(total) is not int or not isinstance(openids, list):
            raise WeChatUnavailable("unreadable")
        found = [one for one in openids if isinstance(one, str) and ID_FORM.fullmatch(one)]
        return FollowerPage(found, total, found[-1] if found else "")

    def read_followers(self, openids: Sequence[str]) -> list[Follower]:
        """Return those of up to a hundred people who follow the account now."""
        body = {"user_list": [{"openid": openid} for openid in openids]}
        call = ApiCall("POST", "/cgi-bin/user/info/batchget", body=body, private=tuple(openids))
        found = self._authorized.ask(call).get("user_info_list")
        if not isinstance(found, list):
            raise WeChatUnavailable("unreadable")
        read = (_read_follower(one) for one in found if isinstance(one, dict))
        return [follower for follower in read if follower is not None and follower.openid in openids]


def _read_follower(given: Mapping[str, Any]) -> Follower | None:
    """Return a follower; None for who follows no more, or cannot be read."""
    openid, since = given.get("openid"), given.get("subscribe_time")
    if given.get("subscribe") != 1 or not isinstance(openid, str) or type(since) is not int:
        return None
    return Follower(openid, read_unionid(given), datetime.fromtimestamp(since, UTC))
