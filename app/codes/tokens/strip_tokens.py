"""Tokens of a strip: for the coming hours, each for a window of minutes, taken while there is network.

A strip token says the color at its issue, and until when it may be shown; a station without network shows both. Online
the present color counts, and it is worth nothing once its holder has logged out: the epoch is in the pseudonym beside
the serial. The form: docs/reference/token.md.
"""

import hmac
import os
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.codes.states import State
from app.codes.tokens.base45 import Base45
from app.codes.tokens.checking import check_time, published_key, require_signed, signing_key
from app.codes.tokens.layout import STATES_WITH_TOKEN, TokenRefused
from app.core.keys import Keys, signing_key_at

STRIP_PREFIX = "JX3:"

_HEAD = bytes.fromhex("d2844da201270448")  # COSE_Sign1: protected {alg: EdDSA, kid: 8 bytes that follow},
_EXP = bytes.fromhex("a05838a5041a")  # unprotected {}, payload {exp: 4 bytes that follow,
_NBF = bytes.fromhex("051a")  # nbf: 4 bytes,
_IAT = bytes.fromhex("061a")  # iat: 4 bytes,
_CTI = bytes.fromhex("07581c")  # cti: 28 bytes,
_STATE = bytes.fromhex("3a00010000")  # -65537: 1 byte},
_SIGNATURE = bytes.fromhex("5840")  # signature: 64 bytes
_START = struct.Struct(">8s8s6sI2sI2sI")
_REST = struct.Struct(">3s28s5sB2s64s")
_FIXED = (_HEAD, _EXP, _NBF, _IAT, _CTI, _STATE, _SIGNATURE)
_UNSIGNED = _START.size + 3 + 28 + 5 + 1
_BASE45 = Base45(_START.size + _REST.size)
_PURPOSE = STRIP_PREFIX.encode()  # a pseudonym of another form does not decrypt
_INNER = struct.Struct(">QH2s")  # the serial, the epoch of its sessions, and randomness
_NUMBER = struct.Struct(">q")


class StripHolder(NamedTuple):
    """Whose strip it is: the serial of the code, the epoch of its sessions, and the state at the issue."""

    serial: int
    epoch: int
    state: State


class StripWindow(NamedTuple):
    """When a token of a strip may be shown."""

    begins_at: datetime
    ends_at: datetime


class ReadStrip(NamedTuple):
    """The content of a strip token. `holder` is None when it was read without our keys; `number` as in `ReadToken`."""

    holder: StripHolder | None
    state: State
    issued_at: datetime
    window: StripWindow
    number: int


class StripTokens:
    """Mints and reads tokens of strips with our keys, which also give whose they are."""

    def __init__(self, keys: Keys, skew: timedelta) -> None:
        self._signing = keys.signing
        self._by_kid = {key.kid: key for key in keys.signing}
        self._cipher = AESSIV(keys.pseudonym)
        self._skew = skew

    def mint(self, holder: StripHolder, now: datetime, window: StripWindow) -> str:
        """Return a token for a window, 216 characters of QR's alphanumeric alphabet."""
        if holder.state not in STATES_WITH_TOKEN:
            raise ValueError(f"a code that is {holder.state.name} has no token")
        key = signing_key_at(self._signing, now)
        begins, ends = (int(moment.timestamp()) for moment in window)
        start = _START.pack(_HEAD, key.kid.encode(), _EXP, ends, _NBF, begins, _IAT, int(now.timestamp()))
        state = bytes((holder.state,))
        inner = _INNER.pack(holder.serial, holder.epoch, os.urandom(2))
        unsigned = start + _CTI + self._cipher.encrypt(inner, [_PURPOSE, start, state]) + _STATE + state
        return STRIP_PREFIX + _BASE45.encode(unsigned + _SIGNATURE + key.private.sign(_signed_bytes(unsigned)))

    def read(self, token: str, now: datetime, grace: timedelta = timedelta(0)) -> ReadStrip:
        """Return the content of a token with its holder; its window may have ended `grace` ago. Raises TokenRefused."""
        parts = _parse(token)
        key = signing_key(self._by_kid, parts.kid, parts.issued)
        try:
            inner = self._cipher.decrypt(parts.pseudonym, [_PURPOSE, parts.start, bytes((parts.state,))])
        except InvalidTag:
            raise TokenRefused("forged") from None
        if not hmac.compare_digest(key.private.sign(parts.signed), parts.signature):
            raise TokenRefused("forged")
        parts.check_time(now, self._skew, grace)
        serial, epoch, _ = _INNER.unpack(inner)
        return parts.to_strip(StripHolder(serial, epoch, parts.state))


def kid_of_strip(token: str) -> str:
    """Return the kid in a strip token, with nothing but its form checked. Raises TokenRefused `malformed`."""
    return _parse(token).kid


def verify_strip(
    token: str, key_set: Mapping[str, Any], now: datetime, skew: timedelta, grace: timedelta = timedelta(0)
) -> ReadStrip:
    """Return the content of a strip token, read by the published key set alone. Raises TokenRefused."""
    parts = _parse(token)
    require_signed(published_key(key_set, parts.kid, retired=True), parts.issued, parts.signed, parts.signature)
    parts.check_time(now, skew, grace)
    return parts.to_strip(None)


class _Parts(NamedTuple):
    """The fields of a token. `start` is all bytes up to the times, `signed` the bytes that the signature covers."""

    kid: str
    state: State
    issued: int
    begins: int
    ends: int
    start: bytes
    pseudonym: bytes
    signed: bytes
    signature: bytes

    def check_time(self, now: datetime, skew: timedelta, grace: timedelta = timedelta(0)) -> None:
        check_time(max(self.issued, self.begins), self.ends, now, skew, grace)

    def to_strip(self, holder: StripHolder | None) -> ReadStrip:
        issued, begins, ends = (datetime.fromtimestamp(one, UTC) for one in (self.issued, self.begins, self.ends))
        number: int = _NUMBER.unpack_from(self.pseudonym)[0]
        return ReadStrip(holder, self.state, issued, StripWindow(begins, ends), number)


def _parse(token: str) -> _Parts:
    """Return the fields of a token, with nothing but its form checked. Raises TokenRefused `malformed`."""
    if not token.startswith(STRIP_PREFIX):
        raise TokenRefused("malformed")
    try:
        data = _BASE45.decode(token[len(STRIP_PREFIX) :])
    except ValueError:
        raise TokenRefused("malformed") from None
    head, kid, exp, ends, nbf, begins, iat, issued = _START.unpack_from(data)
    cti, pseudonym, label, state, label_of_signature, signature = _REST.unpack_from(data, _START.size)
    fixed = (head, exp, nbf, iat, cti, label, label_of_signature)
    if fixed != _FIXED or state not in STATES_WITH_TOKEN or not kid.isascii():
        raise TokenRefused("malformed")
    signed = _signed_bytes(data[:_UNSIGNED])
    start = data[: _START.size]
    return _Parts(kid.decode(), State(state), issued, begins, ends, start, pseudonym, signed, signature)


def _signed_bytes(unsigned: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052, section 4.4, without external data."""
    return b"\x84\x6aSignature1" + unsigned[2:16] + b"\x40" + unsigned[17:]
