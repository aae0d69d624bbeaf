"""One message of each event, and the six forms in which it may come. Everybody here is invented."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest

from app.wechat.callbacks.crypto import CallbackKeys
from app.wechat.callbacks.envelope import CallbackReader, Mode, ParsedCallback, Stamp, write_callback
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.message import Format
from tests.support.clock import START

KEYS = CallbackKeys("jixiangtoken", "wx0123456789abcdef", "kEy" * 14 + "0")
NO_KEY = CallbackKeys(KEYS.token, KEYS.appid)
NOW = START
SECONDS = int(NOW.timestamp())
WINDOW = timedelta(minutes=5)
NONCE = "415670741"
RANDOM = b"0123456789abcdef"
STAMP = Stamp(SECONDS, NONCE, RANDOM)
FORMS: list[tuple[Mode, Format]] = list(product(get_args(Mode), get_args(Format)))

PLATFORM = "oPlatform0PlatformPlatform00"
PERSON, OTHER = "oDemo0Demo0Demo0Demo0Demo0De", "oElse-Else_Else0Else0Else0El"
_SUBSCRIBED = {"TemplateId": "template-1", "SubscribeStatusString": "accept", "PopupScene": 2}
_REFUSED = {"TemplateId": "template_2", "SubscribeStatusString": "reject", "PopupScene": 2}
_REJECTED = {"TemplateId": "template-1", "SubscribeStatusString": "reject"}
_SENT = {"TemplateId": "template-1", "MsgID": 1700827132819554304, "ErrorCode": 0, "ErrorStatus": "success"}


def event(name: str, sender: str = PERSON, **fields: Any) -> dict[str, Any]:
    """An event as WeChat sends it in JSON, with its numbers as numbers."""
    return {
        "ToUserName": "gh_0123456789ab",
        "FromUserName": sender,
        "CreateTime": SECONDS,
        "MsgType": "event",
        "Event": name,
        **fields,
    }


def about(person: str, name: str, **fields: Any) -> dict[str, Any]:
    """An event that the platform sends about a person."""
    return event(name, PLATFORM, OpenID=person, AppID=KEYS.appid, **fields)


MESSAGES: dict[str, dict[str, Any]] = {
    "popup": event("subscribe_msg_popup_event", List=[_SUBSCRIBED, _REFUSED]),
    "popup of one": event("subscribe_msg_popup_event", List=_SUBSCRIBED),
    "change": event("subscribe_msg_change_event", List=[_REJECTED]),
    "sent": event("subscribe_msg_sent_event", List=[_SENT]),
    "revoke": about(PERSON, "user_authorization_revoke", RevokeInfo="8"),
    "cancellation": about(PERSON, "user_authorization_cancellation"),
    "modified": about(PERSON, "user_info_modified"),
    "tempsession": event("user_enter_tempsession", SessionFrom="查看吉祥码"),
    "debug": event("debug_demo", debug_str="hello <world> ]]> &amp;"),
    "unknown": event("weapp_audit_success", SuccTime=SECONDS),
    "text": {**event(""), "MsgType": "text", "Content": "你好\r\n😀", "MsgId": 23456789012345678},
}


def write(message: Mapping[str, Any], mode: Mode, form: Format) -> tuple[dict[str, str], bytes]:
    """Return query and body of a callback that arrives now."""
    return write_callback(KEYS, message, mode, form, STAMP)


def refusal(keys: CallbackKeys, query: Mapping[str, str], body: bytes, *, strict: bool = True) -> str:
    """Return the reason for which a callback that arrives now is refused; no inner error is attached to it."""
    with pytest.raises(CallbackRefused) as caught:
        CallbackReader(keys, NOW, WINDOW, strict=strict).read(query, body)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.reason


def opened(query: Mapping[str, str], body: bytes) -> ParsedCallback:
    """Return a callback that arrives now as our endpoint reads it, in any mode."""
    return CallbackReader(KEYS, NOW, WINDOW, strict=False).read(query, body)
