"""How a callback looks on the wire: XML or JSON, signed, and encrypted where the mode asks for it.

Written from WeChat's documents alone. Pure: timestamp, nonce and the random bytes come in as
parameters. Never knows what an event means.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from wechat_sandbox.push.events import Event, original_id
from wechat_sandbox.state import PushSettings

BLOCK = 32  # of the padding; the cipher's own is 16
_BASE64 = r"[A-Za-z0-9+/=]+"


class Unreadable(ValueError):
    """An answer that WeChat could not open; the message says why."""


@dataclass(frozen=True)
class Envelope:
    """One callback ready to be sent."""

    query: Mapping[str, str]
    body: bytes
    content_type: str


def signature(*parts: str) -> str:
    """WeChat's signature over the parts in any order: SHA-1, 40 hexadecimal digits."""
    return sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - WeChat's own rule


def encrypt(aes_key: str, appid: str, message: bytes, random: bytes) -> str:
    """AES-256-CBC as WeChat does it, base64; `random` is 16 bytes."""
    plain = random + len(message).to_bytes(4, "big") + message + appid.encode()
    padding = BLOCK - len(plain) % BLOCK
    sealer = _cipher(aes_key).encryptor()
    return b64encode(sealer.update(plain + bytes([padding]) * padding) + sealer.finalize()).decode()


def decrypt(aes_key: str, appid: str, text: str) -> tuple[bytes, bytes]:
    """The message and its 16 random bytes. Raises Unreadable."""
    try:
        sealed = b64decode(text, validate=True)
        opener = _cipher(aes_key).decryptor()
        plain = opener.update(sealed) + opener.finalize()
    except ValueError:
        raise Unreadable("Encrypt is not whole") from None
    size = int.from_bytes(plain[16:20], "big")
    message, rest = plain[20 : 20 + size], plain[20 + size :]
    if not rest or rest != appid.encode() + bytes([rest[-1]]) * rest[-1] or not 1 <= rest[-1] <= BLOCK:
        raise Unreadable("Encrypt was made with another key or appid")
    return message, plain[:16]


def _cipher(aes_key: str) -> Cipher[CBC]:
    key = b64decode(aes_key + "=")
    return Cipher(AES(key), CBC(key[:16]))


@dataclass(frozen=True)
class Stamp:
    """What is new each time that an event is sent; `random` is 16 bytes."""

    timestamp: str
    nonce: str
    random: bytes


def seal(settings: PushSettings, appid: str, event: Event, stamp: Stamp) -> Envelope:
    """The event as WeChat would post it to a server with these settings."""
    recipient, timestamp, nonce = original_id(appid), stamp.timestamp, stamp.nonce
    fields = {"ToUserName": recipient, **event.head()}
    query = {"signature": signature(settings.token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    query["openid"] = event.sender
    as_text = _as_json if settings.format == "json" else _as_xml
    body = as_text(fields, event)
    if settings.mode != "plain" and settings.aes_key is not None:
        sealed = encrypt(settings.aes_key, appid, body.encode(), stamp.random)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = signature(settings.token, timestamp, nonce, sealed)
        open_fields = fields if settings.mode == "compatible" else {"ToUserName": recipient}
        body = as_text(open_fields, event if settings.mode == "compatible" else None, sealed)
    kind = "application/json" if settings.format == "json" else "text/xml"
    return Envelope(query, body.encode(), kind)


def _as_json(fields: Mapping[str, str | int], event: Event | None, sealed: str | None = None) -> str:
    """`List` is an object with one entry and an array with several, and its numbers are texts."""
    whole: dict[str, object] = dict(fields)
    if event is not None and event.entries:
        entries = [{key: str(value) for key, value in entry.items()} for entry in event.entries]
        whole["List"] = entries if len(entries) > 1 else entries[0]
    if event is not None:
        space = " " if event.spaced else ""
        whole.update({space + key: value for key, value in event.fields.items()})
    if sealed is not None:
        whole["Encrypt"] = sealed
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def _as_xml(fields: Mapping[str, str | int], event: Event | None, sealed: str | None = None) -> str:
    parts = [_element(key, value) for key, value in fields.items()]
    if event is not None and event.entries:
        lists = ("".join(_element(key, value) for key, value in entry.items()) for entry in event.entries)
        inside = "".join(f"<List>{entry}</List>" for entry in lists)
        parts.append(f"<{event.wrapper}>{inside}</{event.wrapper}>")
    if event is not None:
        parts += [_element(key, value) for key, value in event.fields.items()]
    if sealed is not None:
        parts.append(_element("Encrypt", sealed))
    return f"<xml>{''.join(parts)}</xml>"


def _element(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    safe = value.replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{safe}]]></{name}>"


def open_answer(settings: PushSettings, appid: str, text: str) -> str:
    """A server's answer as WeChat reads it, decrypted. Raises Unreadable when it may not be plain or is forged."""
    sealed = _field("Encrypt", _BASE64, text)
    if sealed is None or settings.aes_key is None or settings.mode == "plain":
        if settings.mode == "safe" and text not in ("", "success"):
            raise Unreadable("in safe mode the answer must be encrypted")
        return text
    timestamp, nonce = _field("TimeStamp", r"[0-9]+", text) or "", _field("Nonce", r"[^\]\"<]+", text) or ""
    expected = signature(settings.token, timestamp, nonce, sealed)
    if not compare_digest(expected, _field("MsgSignature", r"[0-9a-f]{40}", text) or ""):
        raise Unreadable("MsgSignature is wrong")
    return decrypt(settings.aes_key, appid, sealed)[0].decode(errors="replace")


def _field(name: str, pattern: str, text: str) -> str | None:
    """The value of one field in a short JSON object or XML document."""
    in_xml = rf"<{name}>\s*(?:<!\[CDATA\[)?({pattern})(?:\]\]>)?\s*</{name}>"
    in_json = rf'"{name}"\s*:\s*"?({pattern})"?\s*[,}}]'
    found = re.search(in_json if text.lstrip().startswith("{") else in_xml, text)
    return found.group(1) if found else None
