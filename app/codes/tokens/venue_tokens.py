"""Tokens of venues: the code on a poster at an entrance, for weeks, and the receipt of who scanned it, for a minute.

A venue code names a place and one print of it, and nobody. A receipt has the place too, and its holder in a pseudonym
that only our keys open; it says no color. The forms: docs/reference/token.md.
"""

import hmac
import os
import struct
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.codes.tokens.base45 import Base45
from app.codes.tokens.checking import check_time, signing_key
from app.codes.tokens.layout import TokenRefused
from app.core.keys import Keys, SigningKey, signing_key_at

VENUE_PREFIX, RECEIPT_PREFIX = "JX4:", "JX5:"
MARK_BYTES = 7  # so that the message has an odd length

_HEAD = bytes.fromhex("d2844da201270448")  # COSE_Sign1: protected {alg: EdDSA, kid: 8 bytes that follow},
_IAT = bytes.fromhex("061a")  # iat: 4 bytes,
_PLACE = bytes.fromhex("3a000100011a")  # -65538: the place, 4 bytes},
_SIGNATURE = bytes.fromhex("5840")  # signature: 64 bytes
_START = struct.Struct(">8s8s6sI2sI")
_INNER = struct.Struct(">Q8s")  # the content of a pseudonym: the serial, and randomness
_NUMBER = struct.Struct(">q")


class _Form:
    """A form: its prefix, the bytes before `exp` and before `cti`, and how long a `cti` is."""

    def __init__(self, prefix: str, exp: str, cti: str, size: int) -> None:
        self.prefix, self.exp, self.cti = prefix, bytes.fromhex(exp), bytes.fromhex(cti)
        self.rest = struct.Struct(f">{len(self.cti)}s{size}s6sI2s64s")
        self.base45 = Base45(_START.size + self.rest.size)
        self.unsigned = _START.size + self.rest.size - 66


_VENUE = _Form(VENUE_PREFIX, "a05820a4041a", "0747", MARK_BYTES)
_RECEIPT = _Form(RECEIPT_PREFIX, "a0583aa4041a", "075820", 32)


class VenuePrint(NamedTuple):
    """What a venue code says: the place (the id of a station), the mark of the print, and its times."""

    place: int
    mark: bytes
    issued_at: datetime
    ends_at: datetime


class ReadVenueCode(NamedTuple):
    """What is read of a venue code."""

    place: int
    mark: bytes


class ReadReceipt(NamedTuple):
    """What is read of a receipt: whose, of which place, when it was issued, and a number that no other has."""

    serial: int
    place: int
    issued: int  # seconds since 1970
    number: int


class VenueTokens:
    """Mints and reads venue codes and receipts with our keys."""

    def __init__(self, keys: Keys, life: timedelta, skew: timedelta) -> None:
        self._signing = keys.signing
        self._by_kid = {key.kid: key for key in keys.signing}
        self._cipher = AESSIV(keys.pseudonym)
        self._life = int(life.total_seconds())
        self._skew = skew

    def signer_at(self, now: datetime) -> SigningKey:
        """Return the key that signs at a moment."""
        return signing_key_at(self._signing, now)

    def mint_venue_code(self, print_: VenuePrint) -> str:
        """Return the text of a venue code, 180 characters of QR's alphanumeric alphabet; always the same."""
        key = signing_key_at(self._signing, print_.issued_at)
        start = _start(_VENUE, key, int(print_.issued_at.timestamp()), int(print_.ends_at.timestamp()))
        return _signed(_VENUE, key, start, print_.mark, print_.place)

    def read_venue_code(self, token: str, now: datetime) -> ReadVenueCode:
        """Return what a venue code says. Raises TokenRefused."""
        parts = _parse(_VENUE, token)
        self._require_ours(parts)
        check_time(parts.issued, parts.ends, now, self._skew)
        return ReadVenueCode(parts.place, parts.cti)

    def mint_receipt(self, serial: int, place: int, now: datetime) -> str:
        """Return a receipt for a minute, 219 characters of QR's alphanumeric alphabet."""
        key, issued = signing_key_at(self._signing, now), int(now.timestamp())
        start = _start(_RECEIPT, key, issued, issued + self._life)
        pseudonym = self._cipher.encrypt(_INNER.pack(serial, os.urandom(8)), _bound(start, place))
        return _signed(_RECEIPT, key, start, pseudonym, place)

    def read_receipt(self, token: str, now: datetime) -> ReadReceipt:
        """Return what a receipt says, with its holder. Raises TokenRefused."""
        parts = _parse(_RECEIPT, token)
        self._require_ours(parts)
        try:
            serial, _ = _INNER.unpack(self._cipher.decrypt(parts.cti, _bound(parts.start, parts.place)))
        except InvalidTag:
            raise TokenRefused("forged") from None
        check_time(parts.issued, parts.ends, now, self._skew)
        return ReadReceipt(serial, parts.place, parts.issued, _NUMBER.unpack_from(parts.cti)[0])

    def _require_ours(self, parts: "_Parts") -> None:
        """Require that a key of ours has signed these bytes; Ed25519 is deterministic. Raises TokenRefused."""
        key = signing_key(self._by_kid, parts.kid, parts.issued)
        if not hmac.compare_digest(key.private.sign(parts.signed), parts.signature):
            raise TokenRefused("forged")


class _Parts(NamedTuple):
    """The fields of a token. `start` is all bytes up to the times, `signed` the bytes that the signature covers."""

    kid: str
    issued: int
    ends: int
    start: bytes
    cti: bytes
    place: int
    signed: bytes
    signature: bytes


def _start(form: _Form, key: SigningKey, issued: int, ends: int) -> bytes:
    return _START.pack(_HEAD, key.kid.encode(), form.exp, ends, _IAT, issued)


def _signed(form: _Form, key: SigningKey, start: bytes, cti: bytes, place: int) -> str:
    unsigned = b"".join((start, form.cti, cti, _PLACE, place.to_bytes(4)))
    return form.prefix + form.base45.encode(unsigned + _SIGNATURE + key.private.sign(_signed_bytes(unsigned)))


def _bound(start: bytes, place: int) -> list[bytes]:
    """Return what a pseudonym is bound to: one of another form, moment or place does not decrypt."""
    return [RECEIPT_PREFIX.encode(), start, place.to_bytes(4)]


def _parse(form: _Form, token: str) -> _Parts:
    """Return the fields of a token, with nothing but its form checked. Raises TokenRefused `malformed`."""
    if not token.startswith(form.prefix):
        raise TokenRefused("malformed")
    try:
        data = form.base45.decode(token[len(form.prefix) :])
    except ValueError:
        raise TokenRefused("malformed") from None
    head, kid, exp, ends, iat, issued = _START.unpack_from(data)
    label, cti, label_of_place, place, label_of_signature, signature = form.rest.unpack_from(data, _START.size)
    fixed = (head, exp, iat, label, label_of_place, label_of_signature)
    if fixed != (_HEAD, form.exp, _IAT, form.cti, _PLACE, _SIGNATURE) or not kid.isascii():
        raise TokenRefused("malformed")
    signed = _signed_bytes(data[: form.unsigned])
    return _Parts(kid.decode(), issued, ends, data[: _START.size], cti, place, signed, signature)


def _signed_bytes(unsigned: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052, section 4.4, without external data."""
    return b"\x84\x6aSignature1" + unsigned[2:16] + b"\x40" + unsigned[17:]
