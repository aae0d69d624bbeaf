"""The format of a token, which docs/reference/token.md describes: packing and parsing, without keys.

A token is a COSE_Sign1 message whose every length is fixed, so that it is read by its layout alone: each token has one
valid spelling, and any other text is refused. Nothing but key, times and state may be equal in two tokens.
"""

import struct
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from app.codes.states import State
from app.codes.tokens.base45 import Base45

PREFIX = "JX1:"
STATES_WITH_TOKEN = (State.UNVERIFIED, State.GREEN, State.YELLOW, State.ORANGE, State.RED)
_STATES = {int(state): state for state in STATES_WITH_TOKEN}

# what a scanner adds: the key that ends its line, blanks, a byte order mark; no token begins or ends with one
_ADDED_BY_SCANNERS = " \t\r\n\ufeff"

TokenFault = Literal["malformed", "unknown-key", "forged", "expired", "not-yet-valid"]

# The CBOR between the fields. The layouts below give their sizes: 139 bytes in all.
_HEAD = bytes.fromhex("d2844da201270448")  # COSE_Sign1: protected {alg: EdDSA, kid: 8 bytes that follow},
_EXP = bytes.fromhex("a05836a4041a")  # unprotected {}, payload {exp: 4 bytes that follow,
_IAT = bytes.fromhex("061a")  # iat: 4 bytes,
_CTI = bytes.fromhex("075820")  # cti: 32 bytes,
_STATE = bytes.fromhex("3a00010000")  # -65537: 1 byte},
_SIGNATURE = bytes.fromhex("5840")  # signature: 64 bytes
_START = struct.Struct(">8s8s6sI2sI")
_REST = struct.Struct(">3s32s5sB2s64s")
_NUMBER = struct.Struct(">q")
_FIXED = (_HEAD, _EXP, _IAT, _CTI, _STATE, _SIGNATURE)
_UNSIGNED = 73  # bytes before the header of the signature
_BASE45 = Base45(139)


class TokenRefused(Exception):
    """A text that is no valid token; `outcome` says why."""

    def __init__(self, outcome: TokenFault) -> None:
        super().__init__(outcome)
        self.outcome: TokenFault = outcome


class ReadToken(NamedTuple):
    """The content of a token. `serial` is None when it was read without our keys.

    `number` is different for each token and says nothing of the holder: it is part of what authenticates the pseudonym.
    """

    serial: int | None
    state: State
    issued_at: datetime
    ends_at: datetime
    number: int


class TokenParts(NamedTuple):
    """The fields of a token. `start` is all bytes up to the times, `unsigned` those before the signature."""

    kid: str
    state: State
    issued: int
    ends: int
    start: bytes
    pseudonym: bytes
    unsigned: bytes
    signature: bytes

    def to_read_token(self, serial: int | None) -> ReadToken:
        from_1970 = datetime.fromtimestamp
        return ReadToken(serial, self.state, from_1970(self.issued, UTC), from_1970(self.ends, UTC), self.number)

    @property
    def signed(self) -> bytes:
        """Return the bytes that the signature covers."""
        return signed_bytes(self.unsigned)

    @property
    def number(self) -> int:
        """Return a number that no other token has, and that no change of this one can alter: 64 bits, signed."""
        number: int = _NUMBER.unpack_from(self.pseudonym)[0]
        return number


def trim(text: str) -> str:
    """Return the text of a scan without what the scanner added at its ends."""
    return text.strip(_ADDED_BY_SCANNERS)


def pack_start(kid: str, issued: int, ends: int) -> bytes:
    """Return the bytes of a token before the pseudonym; the times are seconds since 1970."""
    return _START.pack(_HEAD, kid.encode(), _EXP, ends, _IAT, issued)


def pack_unsigned(start: bytes, pseudonym: bytes, state: State) -> bytes:
    """Return the bytes of a token before its signature."""
    return b"".join((start, _CTI, pseudonym, _STATE, bytes((state,))))


def pack_token(unsigned: bytes, signature: bytes) -> str:
    """Return the text of a token: 213 characters of QR's alphanumeric alphabet."""
    return PREFIX + _BASE45.encode(unsigned + _SIGNATURE + signature)


def signed_bytes(unsigned: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052, section 4.4, without external data."""
    return b"\x84\x6aSignature1" + unsigned[2:16] + b"\x40" + unsigned[17:_UNSIGNED]


def parse(token: str) -> TokenParts:
    """Return the fields of a token, with nothing but its form checked. Raises TokenRefused `malformed`."""
    if not token.startswith(PREFIX):
        raise TokenRefused("malformed")
    try:
        data = _BASE45.decode(token[len(PREFIX) :])
    except ValueError:
        raise TokenRefused("malformed") from None
    head, kid, exp, ends, iat, issued = _START.unpack_from(data)
    cti, pseudonym, label, state, label_of_signature, signature = _REST.unpack_from(data, _START.size)
    fixed = (head, exp, iat, cti, label, label_of_signature)
    known = _STATES.get(state)
    if fixed != _FIXED or known is None or not kid.isascii():
        raise TokenRefused("malformed")
    start, unsigned = data[: _START.size], data[:_UNSIGNED]
    return TokenParts(kid.decode(), known, issued, ends, start, pseudonym, unsigned, signature)
