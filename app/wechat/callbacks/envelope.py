"""What WeChat sends to our door and what it is answered, in plain, compatible and safe mode, XML and JSON.

Owns the order of the checks: size, shape, mode, signature, time, cipher, appid. Whatever the bytes, only
CallbackRefused leaves. In plain mode the signature covers token, time and nonce but not the body: only the
cipher proves the body. It has no clock and no randomness of its own, and never keeps what it read.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from app.wechat.callbacks.crypto import CallbackKeys, decrypt, encrypt, sign, verify
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.message import Format, Message, Value, normal_message, read_message, write_message

Mode = Literal["plain", "compatible", "safe"]

MAX_BODY_BYTES: Final = 65_536  # bytes; WeChat's own callbacks stay under 8,192
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}")
_ECHO: Final = re.compile(r"[A-Za-z0-9_.=+/-]{1,512}")  # nothing that a browser would take for a page


@dataclass(frozen=True, slots=True)
class ParsedCallback:
    """A callback that is WeChat's: its message in normal form, and the bytes that it was read from."""

    mode: Mode
    format: Format
    message: Message = field(repr=False)
    plaintext: bytes = field(repr=False)


def verify_url(keys: CallbackKeys, query: Mapping[str, str], now: datetime, window: timedelta) -> str:
    """The text to answer WeChat's check of our URL with. Raises CallbackRefused when WeChat does not ask."""
    _verify_signature(keys, query, "signature", (), now, window)
    echo = query.get("echostr", "")
    if not _ECHO.fullmatch(echo):
        raise CallbackRefused("malformed")
    return echo


def read_callback(
    keys: CallbackKeys,
    query: Mapping[str, str],
    body: bytes,
    now: datetime,
    window: timedelta,
    *,
    strict: bool = True,
) -> ParsedCallback:
    """The message in a callback whose time is within `window` of `now`. Raises CallbackRefused.

    With an EncodingAESKey a plain callback is refused, for the encrypted part could have been stripped off;
    `strict=False` takes both while the mode is being changed in WeChat's console.
    """
    if len(body) > MAX_BODY_BYTES:
        raise CallbackRefused("too-large")
    form, envelope = read_message(body)
    if "Encrypt" in envelope:
        plaintext = _decrypt_envelope(keys, query, envelope["Encrypt"], now, window)
        mode: Mode = "compatible" if "MsgType" in envelope else "safe"
        return ParsedCallback(mode, form, read_message(plaintext)[1], plaintext)
    if keys.aes_key is not None and strict:
        raise CallbackRefused("mode")
    _verify_signature(keys, query, "signature", (), now, window)
    if query.get("encrypt_type") == "aes":
        raise CallbackRefused("malformed")
    return ParsedCallback("plain", form, envelope, body)


def encrypt_reply(
    keys: CallbackKeys,
    plaintext: str,
    form: Format,
    timestamp: int,
    nonce: str,
    random: bytes,
) -> str:
    """The encrypted answer to a callback in compatible or safe mode; `random` is 16 fresh bytes.

    Raises ValueError without an EncodingAESKey.
    """
    encrypted = encrypt(keys, plaintext.encode(), random)
    reply = {
        "Encrypt": encrypted,
        "MsgSignature": sign(keys, str(timestamp), nonce, encrypted),
        "TimeStamp": timestamp,
        "Nonce": nonce,
    }
    return json.dumps(reply) if form == "json" else write_message(reply, form).decode()


def write_callback(
    keys: CallbackKeys,
    message: Mapping[str, Any],
    mode: Mode,
    form: Format,
    timestamp: int,
    nonce: str,
    random: bytes,
) -> tuple[dict[str, str], bytes]:
    """Query and body of a callback as WeChat would send it, for replay: what `open_callback` opens.

    Raises ValueError for a message that cannot be written, or to be encrypted without an EncodingAESKey.
    """
    normal = normal_message(message)
    if "Encrypt" in normal:
        raise ValueError("the message is encrypted already")
    plaintext = write_message(normal, form)
    query = {
        "signature": sign(keys, str(timestamp), nonce),
        "timestamp": str(timestamp),
        "nonce": nonce,
        "openid": str(normal.get("FromUserName", "")),
    }
    if mode == "plain":
        return query, plaintext
    encrypted = encrypt(keys, plaintext, random)
    query["encrypt_type"] = "aes"
    query["msg_signature"] = sign(keys, str(timestamp), nonce, encrypted)
    beside = normal if mode == "compatible" else {"ToUserName": normal.get("ToUserName", "")}
    return query, write_message({**beside, "Encrypt": encrypted}, form)


def _decrypt_envelope(
    keys: CallbackKeys,
    query: Mapping[str, str],
    encrypted: Value,
    now: datetime,
    window: timedelta,
) -> bytes:
    if keys.aes_key is None:
        raise CallbackRefused("mode")
    if not isinstance(encrypted, str):
        raise CallbackRefused("malformed")
    _verify_signature(keys, query, "msg_signature", (encrypted,), now, window)
    return decrypt(keys, encrypted)


def _verify_signature(
    keys: CallbackKeys,
    query: Mapping[str, str],
    name: Literal["signature", "msg_signature"],
    signed: tuple[str, ...],
    now: datetime,
    window: timedelta,
) -> None:
    """Whether the query is signed, together with what is `signed`, and of now."""
    timestamp = query.get("timestamp", "")
    verify(keys, query.get(name, ""), timestamp, query.get("nonce", ""), *signed)
    if not _TIMESTAMP.fullmatch(timestamp):
        raise CallbackRefused("malformed")
    if abs(now.timestamp() - int(timestamp)) > window.total_seconds():
        raise CallbackRefused("stale")
