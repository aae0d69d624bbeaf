"""Callbacks as typed events, whatever their mode and format.

Owns the names of the events that this system knows, and the key by which a duplicate is recognized. It never applies an
event. `openid` is the person whom the event is about: events of the WeChat platform have another sender. An entry of a
list that cannot be read is skipped, and the others count.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, Literal, TypeVar

from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.message import Message, Value

EntryT = TypeVar("EntryT")

POPUP: Final = "subscribe_msg_popup_event"
CHANGE: Final = "subscribe_msg_change_event"
SENT: Final = "subscribe_msg_sent_event"
REVOKE: Final = "user_authorization_revoke"
CANCELLATION: Final = "user_authorization_cancellation"
MODIFIED: Final = "user_info_modified"
TEMPSESSION: Final = "user_enter_tempsession"
DEBUG: Final = "debug_demo"
FOLLOW: Final = "subscribe"
UNFOLLOW: Final = "unsubscribe"
TEMPLATE_SENT: Final = "templatesendjobfinish"

Account = Literal["miniprogram", "official"]
MINIPROGRAM: Final = "miniprogram"
OFFICIAL: Final = "official"
# app/worker/callback_effects.py and official_effects.py apply these; every other event is only acknowledged
WITH_EFFECT: Final[Mapping[Account, frozenset[str]]] = {
    MINIPROGRAM: frozenset({POPUP, CHANGE, SENT, REVOKE, CANCELLATION}),
    OFFICIAL: frozenset({FOLLOW, UNFOLLOW, TEMPLATE_SENT}),
}

_LONGEST_NAME: Final = 64
_LONGEST_STATUS: Final = 64
ID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")  # of openids, which are of no fixed length, and of templates
_WORD: Final = re.compile(r"[!-~]{1,64}")  # WeChat may add words of any shape
_DIGITS: Final = re.compile(r"[0-9]{1,20}")
_CODE: Final = re.compile(r"-?[0-9]{1,9}")
_NUMBER: Final = re.compile(r"[0-9]{1,6}")
_SECONDS: Final = re.compile(r"[0-9]{1,10}")
_ANY: Final = re.compile(r".*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SubscriptionAnswer:
    """A person's answer for one template, in WeChat's word: accept, reject …"""

    template_id: str
    status: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The result of one message that WeChat had accepted from us; code 0 means that it arrived."""

    template_id: str
    message_id: str
    code: int
    status: str


@dataclass(frozen=True, slots=True)
class CallbackEvent:
    """One event. `openid` is the person, empty where none is named; `at` is WeChat's time in UTC, if given.

    `known` is false for an event that this system does not know: then it has only name, openid and time, and the name
    is never that of a known event. `revoked` are WeChat's numbers of what is withdrawn: 8 is the phone number.
    `skipped` is the number of entries that could not be read.
    """

    name: str
    openid: str = field(repr=False)
    at: datetime | None
    known: bool = True
    answers: tuple[SubscriptionAnswer, ...] = ()
    results: tuple[DeliveryReport, ...] = ()
    revoked: tuple[int, ...] = ()
    skipped: int = 0
    debug_text: str = field(default="", repr=False)
    account: Account = MINIPROGRAM

    @property
    def has_effect(self) -> bool:
        """Return whether there is more to do than to acknowledge it."""
        return self.name in WITH_EFFECT[self.account]


def read_event(message: Message, account: Account = MINIPROGRAM) -> CallbackEvent:
    """Return the event in a message in normal form. Raises CallbackRefused for a known event that is malformed."""
    named = message.get("Event") or message.get("MsgType")
    name = named.strip().lower() if isinstance(named, str) else ""
    read = _READERS[account].get(name, _unknown)
    return replace(read(name, message), account=account)


def event_key(message: Message) -> bytes:
    """Return the 32 bytes by which a retry of the same message is recognized, in any mode and format.

    They are a hash of WeChat's MsgId with sender and event, or for events, which have no id, of the whole message:
    sender, time, event and person distinguish actions of two people in the same second.
    """
    message_id = message.get("MsgId")
    if isinstance(message_id, str) and _DIGITS.fullmatch(message_id):
        of_whom = [message.get(name, "") for name in ("FromUserName", "MsgType", "Event")]
        return sha256(b"MsgId " + json.dumps([message_id, *of_whom], sort_keys=True).encode()).digest()
    return sha256(b"event " + json.dumps(message, sort_keys=True).encode()).digest()


def _answered(name: str, message: Message) -> CallbackEvent:
    answers, skipped = _read_each(message.get("List"), _answer)
    return CallbackEvent(
        name, _text(message, "FromUserName", ID_FORM), _time(message), answers=answers, skipped=skipped
    )


def _answer(entry: Value) -> SubscriptionAnswer:
    fields = _fields(entry)
    return SubscriptionAnswer(_text(fields, "TemplateId", ID_FORM), _text(fields, "SubscribeStatusString", _WORD))


def _sent(name: str, message: Message) -> CallbackEvent:
    results, skipped = _read_each(message.get("List"), _result)
    return CallbackEvent(
        name, _text(message, "FromUserName", ID_FORM), _time(message), results=results, skipped=skipped
    )


def _result(entry: Value) -> DeliveryReport:
    fields = _fields(entry)
    return DeliveryReport(
        _text(fields, "TemplateId", ID_FORM),
        _text(fields, "MsgID", _DIGITS),
        int(_text(fields, "ErrorCode", _CODE)),
        _visible(_optional(fields, "ErrorStatus", _ANY))[:_LONGEST_STATUS],
    )


def _revoked(name: str, message: Message) -> CallbackEvent:
    """Read RevokeInfo, which is one number, or several with commas or as a list."""
    given = message.get("RevokeInfo")
    pieces: list[Value] = []
    for one in given if isinstance(given, list) else [given or ""]:
        pieces += re.split(r"[ ,;]+", one.strip()) if isinstance(one, str) else [one]
    numbers, skipped = _read_each(pieces, lambda piece: int(_text({"": piece}, "", _NUMBER)))
    return CallbackEvent(name, _text(message, "OpenID", ID_FORM), _time(message), revoked=numbers, skipped=skipped)


def _about_a_person(name: str, message: Message) -> CallbackEvent:
    """Read an event that the platform sends: the person is not its sender."""
    return CallbackEvent(name, _text(message, "OpenID", ID_FORM), _time(message))


def _by_a_person(name: str, message: Message) -> CallbackEvent:
    return CallbackEvent(name, _text(message, "FromUserName", ID_FORM), _time(message))


def _template_sent(name: str, message: Message) -> CallbackEvent:
    """Read the result of one template message: success, or why it failed."""
    status = _visible(_text(message, "Status", _ANY))[:_LONGEST_STATUS]
    code = 0 if status.lower() == "success" else 1
    result = DeliveryReport("", _text(message, "MsgID", _DIGITS), code, status)
    return CallbackEvent(name, _text(message, "FromUserName", ID_FORM), _time(message), results=(result,))


def _debug(name: str, message: Message) -> CallbackEvent:
    text = _optional(message, "debug_str", _ANY)
    return CallbackEvent(name, _text(message, "FromUserName", ID_FORM), _time(message), debug_text=text)


def _unknown(name: str, message: Message) -> CallbackEvent:
    """Read any other event; none is refused, for WeChat may add new ones."""
    cleaned = re.sub(r"[^a-z0-9_]", "-", name)[:_LONGEST_NAME] or "nameless"  # no known name contains "-"
    try:
        openid, at = _optional(message, "FromUserName", ID_FORM), _time(message)
    except CallbackRefused:
        openid, at = "", None
    return CallbackEvent(cleaned, openid, at, known=False)


_READERS: Final[Mapping[Account, Mapping[str, Callable[[str, Message], CallbackEvent]]]] = {
    MINIPROGRAM: {
        POPUP: _answered,
        CHANGE: _answered,
        SENT: _sent,
        REVOKE: _revoked,
        CANCELLATION: _about_a_person,
        MODIFIED: _about_a_person,
        TEMPSESSION: _by_a_person,
        DEBUG: _debug,
    },
    OFFICIAL: {
        FOLLOW: _by_a_person,
        UNFOLLOW: _by_a_person,
        TEMPLATE_SENT: _template_sent,
        DEBUG: _debug,
    },
}


def _read_each(entries: object, read: Callable[[Value], EntryT]) -> tuple[tuple[EntryT, ...], int]:
    """Return the entries that can be read, and the number of the others. Raises CallbackRefused when none can be."""
    found: list[EntryT] = []
    given: list[Value] = entries if isinstance(entries, list) else []
    for entry in given:
        with suppress(CallbackRefused):
            found.append(read(entry))
    if not found:
        raise CallbackRefused("malformed")
    return tuple(found), len(given) - len(found)


def _fields(entry: Value) -> Mapping[str, Value]:
    if not isinstance(entry, dict):
        raise CallbackRefused("malformed")
    return entry


def _text(fields: Mapping[str, Value], key: str, form: re.Pattern[str]) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not form.fullmatch(value.strip()):
        raise CallbackRefused("malformed")
    return value.strip()


def _optional(fields: Mapping[str, Value], key: str, form: re.Pattern[str]) -> str:
    """Return the text, which is empty where the field is missing or empty."""
    return _text(fields, key, form) if fields.get(key, "") != "" else ""


def _visible(text: str) -> str:
    """Return the text as one line, with a space for each character that a screen does not show."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _time(message: Message) -> datetime | None:
    seconds = _optional(message, "CreateTime", _SECONDS)
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None
