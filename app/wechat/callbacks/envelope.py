"""Callbacks and their replies on the wire: plain, compatible and safe mode, in XML and JSON.

Owns the order of the checks: size, shape, mode, signature, time, cipher, appid. Whatever the bytes, the only exception
is CallbackRefused. In plain mode the signature covers token, time and nonce but not the body: only the cipher proves
the body. Reading has no clock and no randomness of its own, and stores nothing.
"""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from app.wechat.callbacks.crypto import RANDOM_BYTES, CallbackKeys, decrypt, encrypt, sign, verify
from app.wechat.callbacks.errors import CallbackRefused
from app.wechat.callbacks.message import Format, Message, Value, normal_message, read_message, write_message

Mode = Literal["plain", "compatible", "safe"]

MAX_BODY_BYTES: Final = 65_536  # bytes; WeChat's own callbacks stay under 8,192
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}")
_ECHO: Final = re.compile(r"[A-Za-z0-9_.=+/-]{1,512}")  # nothing that a browser would render as a page


@dataclass(frozen=True, slots=True)
class ParsedCallback:
    """A callback that WeChat signed: its message in normal form, and the bytes that it was read from."""

    mode: Mode
    format: Format
    message: Message = field(repr=False)
    plaintext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallbackReader:
    """Reads the callbacks that arrive at `now`; their time must be within `window` of it.

    With an EncodingAESKey a plain callback is refused, for the encrypted part could have been stripped off;
    `strict=False` accepts both while the mode is being changed in WeChat's console.
    """

    keys: CallbackKeys
    now: datetime
    window: timedelta
    strict: bool = True

    def verify_url(self, query: Mapping[str, str]) -> str:
        """Return the answer to WeChat's check of our URL. Raises CallbackRefused when WeChat did not sign it."""
        self._verify_signature(query, "signature")
        echo = query.get("echostr", "")
        if not _ECHO.fullmatch(echo):
            raise CallbackRefused("malformed")
        return echo

    def read(self, query: Mapping[str, str], body: bytes) -> ParsedCallback:
        """Return the message in a callback. Raises CallbackRefused."""
        if len(body) > MAX_BODY_BYTES:
            raise CallbackRefused("too-large")
        form, envelope = read_message(body)
        if "Encrypt" in envelope:
            plaintext = self._decrypt(query, envelope["Encrypt"])
            mode: Mode = "compatible" if "MsgType" in envelope else "safe"
            return ParsedCallback(mode, form, read_message(plaintext)[1], plaintext)
        if self.keys.aes_key is not None and self.strict:
            raise CallbackRefused("mode")
        self._verify_signature(query, "signature")
        if query.get("encrypt_type") == "aes":
            raise CallbackRefused("malformed")
        return ParsedCallback("plain", form, envelope, body)

    def _decrypt(self, query: Mapping[str, str], encrypted: Value) -> bytes:
        if self.keys.aes_key is None:
            raise CallbackRefused("mode")
        if not isinstance(encrypted, str):
            raise CallbackRefused("malformed")
        self._verify_signature(query, "msg_signature", encrypted)
        return decrypt(self.keys, encrypted)

    def _verify_signature(
        self, query: Mapping[str, str], name: Literal["signature", "msg_signature"], *signed: str
    ) -> None:
        """Verify that the query, together with the `signed` texts, has our signature and a current time."""
        timestamp = query.get("timestamp", "")
        verify(self.keys, query.get(name, ""), timestamp, query.get("nonce", ""), *signed)
        if not _TIMESTAMP.fullmatch(timestamp):
            raise CallbackRefused("malformed")
        if abs(self.now.timestamp() - int(timestamp)) > self.window.total_seconds():
            raise CallbackRefused("stale")


@dataclass(frozen=True, slots=True)
class Stamp:
    """The values that a signature needs: Unix time, nonce, and the 16 bytes with which the ciphertext begins."""

    timestamp: int
    nonce: str
    random: bytes = field(repr=False)

    @classmethod
    def fresh(cls, now: datetime) -> "Stamp":
        """Return a stamp of that moment with a new nonce and new random bytes."""
        return cls(int(now.timestamp()), str(secrets.randbelow(10**10)), secrets.token_bytes(RANDOM_BYTES))


def encrypt_reply(keys: CallbackKeys, plaintext: str, form: Format, stamp: Stamp) -> str:
    """Return the encrypted answer to a callback in compatible or safe mode.

    Raises ValueError without an EncodingAESKey.
    """
    encrypted = encrypt(keys, plaintext.encode(), stamp.random)
    reply = {
        "Encrypt": encrypted,
        "MsgSignature": sign(keys, str(stamp.timestamp), stamp.nonce, encrypted),
        "TimeStamp": stamp.timestamp,
        "Nonce": stamp.nonce,
    }
    return json.dumps(reply) if form == "json" else write_message(reply, form).decode()


def write_callback(
    keys: CallbackKeys, message: Mapping[str, Any], mode: Mode, form: Format, stamp: Stamp
) -> tuple[dict[str, str], bytes]:
    """Return query and body of a callback as WeChat would send it, for replay and tests.

    Raises ValueError for a message that cannot be written, or to be encrypted without an EncodingAESKey.
    """
    normal = normal_message(message)
    if "Encrypt" in normal:
        raise ValueError("the message is encrypted already")
    plaintext, timestamp = write_message(normal, form), str(stamp.timestamp)
    query = {
        "signature": sign(keys, timestamp, stamp.nonce),
        "timestamp": timestamp,
        "nonce": stamp.nonce,
        "openid": str(normal.get("FromUserName", "")),
    }
    if mode == "plain":
        return query, plaintext
    encrypted = encrypt(keys, plaintext, stamp.random)
    query["encrypt_type"] = "aes"
    query["msg_signature"] = sign(keys, timestamp, stamp.nonce, encrypted)
    beside = normal if mode == "compatible" else {"ToUserName": normal.get("ToUserName", "")}
    return query, write_message({**beside, "Encrypt": encrypted}, form)
