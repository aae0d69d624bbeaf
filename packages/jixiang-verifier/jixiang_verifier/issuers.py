"""Codes of other provinces, by the signed trust list: `GET /.well-known/jixiang-trust`; written from its reference."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from jixiang_verifier.keys import Key, KeySet
from jixiang_verifier.tokens import SKEW, Card, Code, Refused, kid_of, verify

_LONGEST, _AHEAD = timedelta(days=31), timedelta(minutes=5)
_MOMENT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"
_THUMBPRINT_START: Final = bytes.fromhex("a301012006215820")


@dataclass(frozen=True)
class Issuer:
    """Who states what a code of theirs says. `names` by language: zh, en, ko."""

    id: str
    region: str
    names: Mapping[str, str]
    is_active: bool


@dataclass(frozen=True)
class _ListedKey:
    issuer: Issuer
    key: Key
    since: float
    revoked: bool


@dataclass(frozen=True)
class TrustList:
    """A list that is sound. Keep its version with the root key, also when the list is over."""

    version: int
    expires_at: datetime
    keys: tuple[_ListedKey, ...]


@dataclass(frozen=True)
class ForeignCode:
    """The statement of an issuer: what their code says. It is nothing that the reader's own province knows."""

    issuer: Issuer
    code: Code


def read_trust_list(content: bytes | str, root: str, known: int = 0, at: datetime | None = None) -> TrustList:
    """Return a list that the root key (43 characters of base64url) has signed.

    `known` is the greatest version that was ever read under this root key. Raises Refused: go on with the list before.
    """
    public = _decoded(root)
    read = _sound(_signed_content(content, public), public)
    if read.version <= known:
        raise Refused("older")
    if datetime.fromtimestamp(read.version, UTC) > (at or datetime.now(UTC)) + _AHEAD:
        raise Refused("from-future")
    return read


def verify_foreign(text: str, listed: TrustList, at: datetime | None = None, skew: timedelta = SKEW) -> ForeignCode:
    """Return what a code says that an issuer of the list has signed. Raises Refused."""
    now, kid = at or datetime.now(UTC), kid_of(text)
    found = next((one for one in listed.keys if one.key.kid == kid), None)
    if found is None:
        raise Refused("unknown-key")
    if listed.expires_at <= now:
        raise Refused("list-expired")
    if not found.issuer.is_active:
        raise Refused("issuer-suspended")
    if found.revoked:
        raise Refused("key-revoked")
    code = verify(text, KeySet((found.key,), (found.key,)), now, skew)
    if isinstance(code, Card) or code.issued_at.timestamp() < found.since:
        raise Refused("unknown-key")
    return ForeignCode(found.issuer, code)


def _signed_content(content: bytes | str, root: bytes) -> Any:
    """Return what is signed, if it is by this root key. Raises Refused."""
    try:
        members = json.loads(content)
        if members.keys() != {"protected", "payload", "signature"}:
            raise Refused("malformed")
        protected, payload, signature = (members[name] for name in ("protected", "payload", "signature"))
        header, signed = json.loads(_decoded(protected)), _decoded(payload)
        if header.keys() != {"alg", "kid", "typ"} or (header["alg"], header["typ"]) != ("EdDSA", "jixiang-trust"):
            raise Refused("malformed")
        raw = _decoded(signature)
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise Refused("malformed") from None
    if header["kid"] != _kid(root):
        raise Refused("unknown-key")
    try:
        Ed25519PublicKey.from_public_bytes(root).verify(raw, f"{protected}.{payload}".encode())
    except InvalidSignature:
        raise Refused("forged") from None
    try:
        return json.loads(signed)
    except (ValueError, RecursionError):
        raise Refused("broken") from None


def _sound(content: Any, root: bytes) -> TrustList:
    """Return the list in a content of the right form, with nothing twice and somebody to recognise. Raises Refused."""
    try:
        _require(content.keys() == {"version", "expires_at", "issuers"} and type(content["version"]) is int)
        version, expires_at = content["version"], _moment(content["expires_at"])
        _require(0 < version < 2**32 and isinstance(content["issuers"], list))
        read = TrustList(version, expires_at, tuple(key for one in content["issuers"] for key in _keys(one)))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Refused("broken") from None
    made_at, issuers = datetime.fromtimestamp(version, UTC), {id(one.issuer): one.issuer for one in read.keys}.values()
    in_force = [
        one
        for one in read.keys
        if one.issuer.is_active and not one.revoked and (one.key.until is None or one.key.until > version)
    ]
    twice = any(
        len(set(values)) < len(values)
        for values in (
            [one.id for one in issuers],
            [one.region for one in issuers],
            [one.key.kid for one in read.keys],
        )
    )
    has_root = any(one.key.public.public_bytes_raw() == root for one in read.keys)
    if twice or has_root or not made_at < expires_at <= made_at + _LONGEST or (read.keys and not in_force):
        raise Refused("broken")
    return read


def _keys(listed: Any) -> list[_ListedKey]:
    """Return the keys of an issuer. Raises KeyError, ValueError, TypeError, AttributeError."""
    _require(
        listed.keys() == {"id", "region", "names", "status", "keys"} and listed["names"].keys() == {"zh", "en", "ko"}
    )
    _require(re.fullmatch(r"[a-z][a-z0-9-]{0,30}", listed["id"]) and re.fullmatch(r"[0-9]{6}", listed["region"]))
    _require(all(_is_name(name) for name in listed["names"].values()) and listed["status"] in ("active", "suspended"))
    _require(isinstance(listed["keys"], list) and listed["keys"])
    issuer = Issuer(listed["id"], listed["region"], listed["names"], listed["status"] == "active")
    return [replace(_key(one), issuer=issuer) for one in listed["keys"]]


def _key(listed: Any) -> _ListedKey:
    _require({"kid", "x", "from", "until"} <= listed.keys() <= {"kid", "x", "from", "until", "revoked"})
    public, since, until = _decoded(listed["x"]), _moment(listed["from"]), listed["until"]
    ends = None if until is None else _moment(until)
    _require(listed["kid"] == _kid(public) and (ends is None or since < ends))
    _require(isinstance(listed.get("revoked", False), bool))
    key = Key(listed["kid"], Ed25519PublicKey.from_public_bytes(public), None if ends is None else ends.timestamp())
    return _ListedKey(Issuer("", "", {}, False), key, since.timestamp(), listed.get("revoked", False))


def _require(holds: object) -> None:
    if not holds:
        raise ValueError


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 40 and name.isprintable() and name == name.strip()


def _moment(text: str) -> datetime:
    _require(re.fullmatch(_MOMENT, text))
    return datetime.fromisoformat(text)


def _kid(public: bytes) -> str:
    """Return the first 8 hexadecimal digits of the key's SHA-256 thumbprint by RFC 9679."""
    return hashlib.sha256(_THUMBPRINT_START + public).hexdigest()[:8]


def _decoded(text: str) -> bytes:
    """Return the bytes in base64url without padding. Raises ValueError."""
    _require(re.fullmatch("[A-Za-z0-9_-]*", text))
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error
