"""The token inside the QR code: made for a minute, signed, and naming nobody.

Owns the format that docs/token.md describes. A token is a COSE_Sign1 message whose every length is fixed, so it is
read by its layout alone: each token has one valid spelling, and whatever text comes, the answer is a reading or
TokenRefused. Apart from key, times and state nothing in a token may be the same as in another one.
"""

import base64
import hmac
import os
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.codes.states import State
from app.core.clock import rfc3339
from app.core.keys import Keys, SigningKey, signing_key_at

PREFIX = "JX1:"
STATES_WITH_TOKEN = (State.UNVERIFIED, State.GREEN, State.YELLOW, State.ORANGE, State.RED)
NO_GRACE = timedelta(0)

TokenFault = Literal["malformed", "unknown-key", "forged", "expired", "not-yet-valid"]
KeyState = Literal["signing", "next", "retired", "gone"]

# The CBOR between the fields. Sizes in the layouts are theirs: 139 bytes in all.
_HEAD = bytes.fromhex("d2844da201270448")  # COSE_Sign1: protected {alg: EdDSA, kid: 8 bytes that follow},
_EXP = bytes.fromhex("a05836a4041a")  # unprotected {}, payload {exp: 4 bytes that follow,
_IAT = bytes.fromhex("061a")  # iat: 4 bytes,
_CTI = bytes.fromhex("075820")  # cti: 32 bytes,
_STATE = bytes.fromhex("3a00010000")  # -65537: 1 byte},
_SIGNATURE = bytes.fromhex("5840")  # signature: 64 bytes
_START = struct.Struct(">8s8s6sI2sI")
_REST = struct.Struct(">3s32s5sB2s64s")
_FIXED = (_HEAD, _EXP, _IAT, _CTI, _STATE, _SIGNATURE)
_UNSIGNED = 73  # bytes before the signature's own header
_INNER = struct.Struct(">Q8s")  # what the pseudonym seals: the serial, and randomness

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_PAIRS = [low + high for high in _DIGITS for low in _DIGITS]
_ALPHABET = _DIGITS.encode()
_VALUES = bytes(max(0, _DIGITS.find(chr(code))) for code in range(256))
_WORDS = struct.Struct(">69HB")
_LENGTH = len(PREFIX) + 69 * 3 + 2


class TokenRefused(Exception):
    """A text that is no token to act upon; `outcome` says why."""

    def __init__(self, outcome: TokenFault) -> None:
        super().__init__(outcome)
        self.outcome: TokenFault = outcome


class ReadToken(NamedTuple):
    """What a token says. `serial` is None where it was read without our keys."""

    serial: int | None
    state: State
    issued_at: datetime
    ends_at: datetime


class _Parts(NamedTuple):
    kid: str
    state: State
    issued: int
    ends: int
    start: bytes
    pseudonym: bytes
    signed: bytes
    signature: bytes


class CodeTokens:
    """Mints and reads tokens with our keys, which also tell whose a token is."""

    def __init__(self, keys: Keys, life: timedelta, skew: timedelta) -> None:
        self._signing = keys.signing
        self._by_kid = {key.kid: key for key in keys.signing}
        self._cipher = AESSIV(keys.pseudonym)
        self._life = life
        self._skew = skew

    def mint(self, serial: int, state: State, now: datetime) -> str:
        """A fresh token of a code, 213 characters of QR's alphanumeric alphabet."""
        if state not in STATES_WITH_TOKEN:
            raise ValueError(f"a code that is {state.name} has no token")
        key = signing_key_at(self._signing, now)
        issued = int(now.timestamp())
        ends = issued + int(self._life.total_seconds())
        start = _START.pack(_HEAD, key.kid.encode(), _EXP, ends, _IAT, issued)
        pseudonym = self._cipher.encrypt(_INNER.pack(serial, os.urandom(8)), [start, bytes((state,))])
        unsigned = b"".join((start, _CTI, pseudonym, _STATE, bytes((state,))))
        return PREFIX + _base45(unsigned + _SIGNATURE + key.private.sign(_signed_bytes(unsigned)))

    def read(self, token: str, now: datetime, grace: timedelta = NO_GRACE) -> ReadToken:
        """What a token says and whose it is; it may have ended `grace` ago. Raises TokenRefused.

        Ed25519 signs the same bytes alike, so signing again and comparing stands for verifying, at half the cost.
        """
        parts = _parse(token)
        serial = self._serial(parts)
        signature = self._by_kid[parts.kid].private.sign(parts.signed)
        if not hmac.compare_digest(signature, parts.signature):
            raise TokenRefused("forged")
        _check_time(parts, now, self._skew, grace)
        return _to_read_token(parts, serial)

    def recognise(self, token: str, now: datetime) -> int:
        """Whose a token is: as `read`, five times as fast, without a look at the signature. Raises TokenRefused.

        The pseudonym vouches for every field, because only we can seal one: nothing but the signature of a token
        that we minted can have been changed.
        """
        parts = _parse(token)
        serial = self._serial(parts)
        _check_time(parts, now, self._skew, NO_GRACE)
        return serial

    def key_set(self, now: datetime) -> dict[str, Any]:
        """The public keys (a JWK set) of every token that may be shown now, and of the keys to come."""
        return {"keys": [_published(key) for key in self._signing if not self._is_gone(key, now)]}

    def key_states(self, now: datetime) -> list[tuple[SigningKey, KeyState]]:
        """How each signing key stands, the oldest first; all but those that are gone are published."""
        signer = signing_key_at(self._signing, now)
        return [(key, self._standing(key, signer, now)) for key in self._signing]

    def _standing(self, key: SigningKey, signer: SigningKey, now: datetime) -> KeyState:
        if key is signer:
            return "signing"
        if key.since > now:
            return "next"
        return "gone" if self._is_gone(key, now) else "retired"

    def _is_gone(self, key: SigningKey, now: datetime) -> bool:
        """Whether the last token of a retired key has ended, by any clock."""
        return key.until is not None and key.until <= now - self._life - 2 * self._skew

    def _serial(self, parts: _Parts) -> int:
        key = self._by_kid.get(parts.kid)
        if key is None or (key.until is not None and parts.issued >= key.until.timestamp()):
            raise TokenRefused("unknown-key")
        try:
            inner = self._cipher.decrypt(parts.pseudonym, [parts.start, bytes((parts.state,))])
        except InvalidTag:
            raise TokenRefused("forged") from None
        serial: int = _INNER.unpack(inner)[0]
        return serial


def verify(
    token: str, key_set: Mapping[str, Any], now: datetime, skew: timedelta, grace: timedelta = NO_GRACE
) -> ReadToken:
    """What a token says, by the published key set alone; whose it is stays hidden. Raises TokenRefused."""
    parts = _parse(token)
    key = next((key for key in key_set["keys"] if key["kid"] == parts.kid), None)
    if key is None or (key["until"] and parts.issued >= datetime.fromisoformat(key["until"]).timestamp()):
        raise TokenRefused("unknown-key")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    try:
        public.verify(parts.signature, parts.signed)
    except InvalidSignature:
        raise TokenRefused("forged") from None
    _check_time(parts, now, skew, grace)
    return _to_read_token(parts, None)


def _published(key: SigningKey) -> dict[str, Any]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": key.kid,
        "x": base64.urlsafe_b64encode(key.public).rstrip(b"=").decode(),
        "from": rfc3339(key.since),
        "until": None if key.until is None else rfc3339(key.until),
    }


def _parse(token: str) -> _Parts:
    """The fields of a token, nothing checked but its form."""
    data = _from_base45(token)
    head, kid, exp, ends, iat, issued = _START.unpack_from(data)
    cti, pseudonym, label, state, label_of_signature, signature = _REST.unpack_from(data, _START.size)
    if (
        (head, exp, iat, cti, label, label_of_signature) != _FIXED
        or state not in STATES_WITH_TOKEN
        or not kid.isascii()
    ):
        raise TokenRefused("malformed")
    start, signed = data[: _START.size], _signed_bytes(data[:_UNSIGNED])
    return _Parts(kid.decode(), State(state), issued, ends, start, pseudonym, signed, signature)


def _signed_bytes(unsigned: bytes) -> bytes:
    """The Sig_structure of RFC 9052, section 4.4, without external data."""
    return b"\x84\x6aSignature1" + unsigned[2:16] + b"\x40" + unsigned[17:_UNSIGNED]


def _check_time(parts: _Parts, now: datetime, skew: timedelta, grace: timedelta) -> None:
    moment, tolerated = now.timestamp(), skew.total_seconds()
    if parts.issued > moment + tolerated:
        raise TokenRefused("not-yet-valid")
    if parts.ends < moment - tolerated - grace.total_seconds():
        raise TokenRefused("expired")


def _to_read_token(parts: _Parts, serial: int | None) -> ReadToken:
    from_1970 = datetime.fromtimestamp
    return ReadToken(serial, parts.state, from_1970(parts.issued, UTC), from_1970(parts.ends, UTC))


# --- base45 (RFC 9285) of this one length, three times as fast as the general library --------------------------


def _base45(data: bytes) -> str:
    *words, last = _WORDS.unpack(data)
    texts = [_PAIRS[word % 2025] + _DIGITS[word // 2025] for word in words]
    return "".join([*texts, _PAIRS[last]])


def _from_base45(token: str) -> bytes:
    if len(token) != _LENGTH or not token.startswith(PREFIX):
        raise TokenRefused("malformed")
    text = token[len(PREFIX) :].encode(errors="replace")
    if text.translate(None, delete=_ALPHABET):
        raise TokenRefused("malformed")
    values = text.translate(_VALUES)
    sums = _lanes(values[0:207:3]) + 45 * _lanes(values[1:207:3]) + 2025 * _lanes(values[2:207:3])
    words = sums.to_bytes(_LANES, "big")
    last = values[207] + 45 * values[208]
    if any(words[0::3]) or last > 255:  # a number that two bytes, or at the end one, cannot hold
        raise TokenRefused("malformed")
    data = bytearray(139)
    data[0:138:2], data[1:138:2], data[138] = words[1::3], words[2::3], last
    return bytes(data)


_LANES = 69 * 3


def _lanes(digits: bytes) -> int:
    """All digits of one place side by side in one number, so that all words are reckoned at once."""
    lanes = bytearray(_LANES)
    lanes[2::3] = digits
    return int.from_bytes(lanes, "big")
