"""The events that WeChat pushes to the mini-program's server: one function for each event, with the documented fields.

Owns the words of the events, and nothing of how they are signed, written down or sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from wechat_sandbox.errors import WORDS
from wechat_sandbox.state import Phone

POPUP, CHANGE, SENT = "subscribe_msg_popup_event", "subscribe_msg_change_event", "subscribe_msg_sent_event"
REVOKE, CANCELLATION = "user_authorization_revoke", "user_authorization_cancellation"
FOLLOW, UNFOLLOW, TEMPLATE_SENT = "subscribe", "unsubscribe", "TEMPLATESENDJOBFINISH"
MODIFIED, ENTER, DEBUG = "user_info_modified", "user_enter_tempsession", "debug_demo"


@dataclass(frozen=True)
class Event:
    """One event: `user` is whom it is about, `sender` the FromUserName, `entries` its List.

    `spaced` says that WeChat documents the JSON keys of `fields` with a space in front of them.
    """

    name: str
    user: str
    sender: str
    created_at: int
    fields: Mapping[str, str] = field(default_factory=dict)
    entries: Sequence[Mapping[str, str | int]] = ()
    wrapper: str = ""
    spaced: bool = False

    def head(self) -> dict[str, str | int]:
        """The fields that every event has, without ToUserName."""
        return {
            "FromUserName": self.sender,
            "CreateTime": self.created_at,
            "MsgType": "event",
            "Event": self.name,
        }


def original_id(appid: str) -> str:
    """The mini-program's user name, the ToUserName of its events; the same for one appid always."""
    return "gh_" + sha256(appid.encode()).hexdigest()[:12]


def _platform(appid: str) -> str:
    """The user name of the platform, which sends the events about authorizations itself."""
    return "o" + sha256(f"platform of {appid}".encode()).hexdigest()[:27]


def answered(phone: Phone, answers: Mapping[str, str], now: datetime) -> Event:
    """The pop-up was answered: template id -> accept or reject."""
    entries: list[dict[str, str | int]] = [
        {"TemplateId": template_id, "SubscribeStatusString": answer, "PopupScene": 0}
        for template_id, answer in answers.items()
    ]
    return _about(phone, POPUP, now, entries=entries, wrapper="SubscribeMsgPopupEvent")


def switched_off(phone: Phone, template_ids: Sequence[str], now: datetime) -> Event:
    """The templates were rejected in the settings."""
    entries = [{"TemplateId": template_id, "SubscribeStatusString": "reject"} for template_id in template_ids]
    return _about(phone, CHANGE, now, entries=entries, wrapper="SubscribeMsgChangeEvent")


def sent(phone: Phone, template_id: str, msgid: int, code: int, now: datetime) -> Event:
    """The late result of a send that was accepted; code 0 is success."""
    entry: dict[str, str | int] = {
        "TemplateId": template_id,
        "MsgID": msgid,
        "ErrorCode": code,
        "ErrorStatus": WORDS.get(code, "failed") if code else "success",
    }
    return _about(phone, SENT, now, entries=[entry], wrapper="SubscribeMsgSentEvent")


def revoked(appid: str, phone: Phone, info: str, now: datetime) -> Event:
    """One consent was withdrawn, such as 8, the phone number."""
    return _authorization(appid, phone, REVOKE, now, {"RevokeInfo": info})


def modified(appid: str, phone: Phone, now: datetime) -> Event:
    """The platform cleaned the user's nickname and picture (6)."""
    return _authorization(appid, phone, MODIFIED, now, {"RevokeInfo": "6"})


def cancelled(appid: str, phone: Phone, now: datetime) -> Event:
    """The user has deleted the account."""
    return _authorization(appid, phone, CANCELLATION, now, {})


def entered(phone: Phone, session_from: str, now: datetime) -> Event:
    """The user has opened the customer service chat."""
    return _about(phone, ENTER, now, fields={"SessionFrom": session_from})


def followed(phone: Phone, follows: bool, now: datetime) -> Event:
    """The official account was followed, or is not any more."""
    name = FOLLOW if follows else UNFOLLOW
    return Event(name, phone.follower, phone.follower, int(now.timestamp()), {"EventKey": ""})


def template_sent(phone: Phone, msgid: int, status: str, now: datetime) -> Event:
    """The late result of a template message: success, "failed:user block" or "failed: system failed"."""
    fields = {"MsgID": str(msgid), "Status": status}
    return Event(TEMPLATE_SENT, phone.follower, phone.follower, int(now.timestamp()), fields)


def debug(appid: str, debug_str: str, now: datetime) -> Event:
    """The test message of WeChat's own console; it comes from nobody in particular."""
    sender = _platform(appid)
    return Event(DEBUG, sender, sender, int(now.timestamp()), {"debug_str": debug_str})


def _about(phone: Phone, name: str, now: datetime, **more: Any) -> Event:
    return Event(name, phone.openid, phone.openid, int(now.timestamp()), **more)


def _authorization(appid: str, phone: Phone, name: str, now: datetime, more: Mapping[str, str]) -> Event:
    fields = {"OpenID": phone.openid, "AppID": appid, **more}
    return Event(name, phone.openid, _platform(appid), int(now.timestamp()), fields, spaced=True)
