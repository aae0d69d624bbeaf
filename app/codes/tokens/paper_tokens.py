"""Tokens on paper: valid for months, without a color, and the same on each print of a card.

The card is in the pseudonym, which only our keys decrypt. Everything in a token follows from card, times
and key, so none is stored: it is minted again whenever the card is printed. The form: docs/reference/token.md.
"""

import hmac
import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.codes.tokens.base45 import Base45
from app.codes.tokens.checking import check_time, published_key, require_signed, signing_key
from app.codes.tokens.layout import TokenRefused
from app.codes.tokens.revocation import pack_list
from app.core.keys import Keys, signing_key_at

PAPER_PREFIX = "JX2:"

_HEAD = bytes.fromhex("d2844da201270448")  # COSE_Sign1: protected {alg: EdDSA, kid: 8 bytes that follow},
_EXP = bytes.fromhex("a05828a3041a")  # unprotected {}, payload {exp: 4 bytes that follow,
_IAT = bytes.fromhex("061a")  # iat: 4 bytes,
_CTI = bytes.fromhex("075818")  # cti: 24 bytes},
_SIGNATURE = bytes.fromhex("5840")  # signature: 64 bytes
_START = struct.Struct(">8s8s6sI2sI")
_REST = struct.Struct(">3s24s2s64s")
_FIXED = (_HEAD, _EXP, _IAT, _CTI, _SIGNATURE)
_UNSIGNED = _START.size + 3 + 24
_BASE45 = Base45(_START.size + _REST.size)
_PURPOSE = PAPER_PREFIX.encode()  # a pseudonym of another form does not decrypt
_CARD = struct.Struct(">Q")
_NUMBER = struct.Struct(">q")


class Paper(NamedTuple):
    """What a paper is about: the id of its card, and its times, in whole seconds."""

    card: int
    issued_at: datetime
    ends_at: datetime


class ReadPaper(NamedTuple):
    """The content of a paper. `card` is None when it was read without our keys.

    `number` is that of the card in the revocation list: 64 bits of its pseudonym, which say nothing of the holder.
    """

    card: int | None
    issued_at: datetime
    ends_at: datetime
    number: int


class PaperTokens:
    """Mints and reads tokens on paper with our keys, which also give the card."""

    def __init__(self, keys: Keys, skew: timedelta) -> None:
        self._signing = keys.signing
        self._by_kid = {key.kid: key for key in keys.signing}
        self._cipher = AESSIV(keys.pseudonym)
        self._skew = skew

    def mint(self, paper: Paper) -> str:
        """Return the token of a card, 192 characters of QR's alphanumeric alphabet; always the same."""
        key = signing_key_at(self._signing, paper.issued_at)
        unsigned = self._unsigned(paper)
        return PAPER_PREFIX + _BASE45.encode(unsigned + _SIGNATURE + key.private.sign(_signed_bytes(unsigned)))

    def number_of(self, paper: Paper) -> int:
        """Return the number of a card in the revocation list."""
        number: int = _NUMBER.unpack_from(self._unsigned(paper), _START.size + 3)[0]
        return number

    def kid_at(self, now: datetime) -> str:
        """Return the kid of the key that signs at a moment."""
        return signing_key_at(self._signing, now).kid

    def sign_list(self, numbers: Iterable[int], count: int, version: int) -> bytes:
        """Return the revocation list of cards by their numbers, signed by the key of the second that is its version."""
        return pack_list(numbers, count, signing_key_at(self._signing, datetime.fromtimestamp(version, UTC)), version)

    def read(self, token: str, now: datetime) -> ReadPaper:
        """Return the content of a token with its card. Raises TokenRefused."""
        parts = _parse(token)
        key = signing_key(self._by_kid, parts.kid, parts.issued)
        try:
            (card,) = _CARD.unpack(self._cipher.decrypt(parts.pseudonym, [_PURPOSE, parts.start]))
        except InvalidTag:
            raise TokenRefused("forged") from None
        if not hmac.compare_digest(key.private.sign(parts.signed), parts.signature):
            raise TokenRefused("forged")
        check_time(parts.issued, parts.ends, now, self._skew)
        return parts.to_paper(card)

    def _unsigned(self, paper: Paper) -> bytes:
        issued, ends = int(paper.issued_at.timestamp()), int(paper.ends_at.timestamp())
        key = signing_key_at(self._signing, paper.issued_at)
        start = _START.pack(_HEAD, key.kid.encode(), _EXP, ends, _IAT, issued)
        return start + _CTI + self._cipher.encrypt(_CARD.pack(paper.card), [_PURPOSE, start])


def verify_paper(token: str, key_set: Mapping[str, Any], now: datetime, skew: timedelta) -> ReadPaper:
    """Return the content of a token on paper, read by the published key set alone. Raises TokenRefused."""
    parts = _parse(token)
    require_signed(published_key(key_set, parts.kid, retired=True), parts.issued, parts.signed, parts.signature)
    check_time(parts.issued, parts.ends, now, skew)
    return parts.to_paper(None)


class _Parts(NamedTuple):
    """The fields of a token. `start` is all bytes up to the times, `signed` the bytes that the signature covers."""

    kid: str
    issued: int
    ends: int
    start: bytes
    pseudonym: bytes
    signed: bytes
    signature: bytes

    def to_paper(self, card: int | None) -> ReadPaper:
        from_1970 = datetime.fromtimestamp
        number: int = _NUMBER.unpack_from(self.pseudonym)[0]
        return ReadPaper(card, from_1970(self.issued, UTC), from_1970(self.ends, UTC), number)


def _parse(token: str) -> _Parts:
    """Return the fields of a token, with nothing but its form checked. Raises TokenRefused `malformed`."""
    if not token.startswith(PAPER_PREFIX):
        raise TokenRefused("malformed")
    try:
        data = _BASE45.decode(token[len(PAPER_PREFIX) :])
    except ValueError:
        raise TokenRefused("malformed") from None
    head, kid, exp, ends, iat, issued = _START.unpack_from(data)
    cti, pseudonym, label, signature = _REST.unpack_from(data, _START.size)
    if (head, exp, iat, cti, label) != _FIXED or not kid.isascii():
        raise TokenRefused("malformed")
    signed = _signed_bytes(data[:_UNSIGNED])
    return _Parts(kid.decode(), issued, ends, data[: _START.size], pseudonym, signed, signature)


def _signed_bytes(unsigned: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052, section 4.4, without external data."""
    return b"\x84\x6aSignature1" + unsigned[2:16] + b"\x40" + unsigned[17:]
