"""The revocation list of cards on paper: a signed Bloom filter, made here and read without our keys.

A filter says "not listed" for certain, and "perhaps listed" otherwise: a hit means to ask, never that a card is dead. A
filter that is wrong as a whole would hit everybody, so a list is refused unless it passes the tests that
docs/reference/token.md describes; its reader then goes on with the list that it had.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from math import ceil
from typing import Any, Literal, NamedTuple

from app.codes.tokens.checking import published_key, require_signed
from app.codes.tokens.layout import TokenRefused
from app.core.keys import SigningKey

ListFault = Literal["malformed", "unknown-key", "forged", "broken"]

BITS_OF_A_CARD, HASHES = 15, 10  # 0.07 % of those that are not listed hit
LEAST_BYTES = 64
LISTED_TESTS, ABSENT_TESTS, MOST_HITS = 16, 1024, 10
MOST_FILLED = 0.6  # of the bits; a filter of this size has 0.49

_HEAD = bytes.fromhex("d2844da201270448")  # COSE_Sign1: protected {alg: EdDSA, kid: 8 bytes that follow},
_SIZE = bytes.fromhex("a05a")  # unprotected {}, payload of 4 bytes' length
_VERSION = bytes.fromhex("a4011a")  # {1: version, 4 bytes,
_COUNT = bytes.fromhex("021a")  # 2: number of cards, 4 bytes,
_HASHES = bytes.fromhex("03")  # 3: hashes of a number, 1 byte,
_FILTER = bytes.fromhex("045a")  # 4: the filter, after 4 bytes of its length}
_SIGNATURE = bytes.fromhex("5840")
_START = struct.Struct(">8s8s2sI3sI2sI1sB2sI")
_PAYLOAD = struct.calcsize(">3sI2sI1sB2sI")  # bytes of the payload before the filter
_FIXED = (_HEAD, _SIZE, _VERSION, _COUNT, _HASHES, _FILTER)


class ListUnusable(Exception):
    """A text that is no revocation list, or one that must not be believed; `fault` says why."""

    def __init__(self, fault: ListFault) -> None:
        super().__init__(fault)
        self.fault: ListFault = fault


class RevocationList(NamedTuple):
    """A list that passed its tests. `version` is the second at which it was made, and grows."""

    version: int
    cards: int
    hashes: int
    filter: bytes

    @property
    def made_at(self) -> datetime:
        return datetime.fromtimestamp(self.version, UTC)

    def may_list(self, number: int) -> bool:
        """Return whether a card may be listed: then ask. False is certain."""
        return _hits(self.filter, self.hashes, number)


def pack_list(numbers: Iterable[int], count: int, key: SigningKey, version: int) -> bytes:
    """Return a signed list of this many cards, by their numbers."""
    filter_ = bytearray(max(LEAST_BYTES, ceil((count + LISTED_TESTS) * BITS_OF_A_CARD / 8)))
    bits = len(filter_) * 8
    for number in (*_tests("listed", LISTED_TESTS), *numbers):
        for at in _places(number, HASHES, bits):
            filter_[at >> 3] |= 1 << (at & 7)
    head = _START.pack(
        _HEAD, key.kid.encode(), _SIZE, _PAYLOAD + len(filter_),
        _VERSION, version, _COUNT, count, _HASHES, HASHES, _FILTER, len(filter_),
    )  # fmt: skip
    unsigned = head + filter_
    return unsigned + _SIGNATURE + key.private.sign(_signed_bytes(unsigned))


def read_list(content: bytes, key_set: Mapping[str, Any]) -> RevocationList:
    """Return the list in a text that a published key has signed and that passes every test. Raises ListUnusable."""
    if len(content) < _START.size + LEAST_BYTES + 66:
        raise ListUnusable("malformed")
    head, kid, *rest = _START.unpack_from(content)
    size, payload, version_, version, count_, count, hashes_, hashes, label, length = rest
    unsigned, signature = content[:-66], content[-64:]
    whole = payload == _PAYLOAD + length and len(unsigned) == _START.size + length
    known = (head, size, version_, count_, hashes_, label) == _FIXED and content[-66:-64] == _SIGNATURE
    if not whole or not known or not kid.isascii() or not 1 <= hashes <= 23:
        raise ListUnusable("malformed")
    try:
        require_signed(published_key(key_set, kid.decode()), version, _signed_bytes(unsigned), signature)
    except TokenRefused as refusal:
        raise ListUnusable("forged" if refusal.outcome == "forged" else "unknown-key") from None
    return require_sound(RevocationList(version, count, hashes, unsigned[_START.size :]))


def require_sound(listed: RevocationList) -> RevocationList:
    """Return a list whose filter works: it is not too full, hits what it must, and hardly anything else."""
    filled = int.from_bytes(listed.filter).bit_count() / (len(listed.filter) * 8)
    missed = not all(map(listed.may_list, _tests("listed", LISTED_TESTS)))
    if filled > MOST_FILLED or missed or sum(map(listed.may_list, _tests("absent", ABSENT_TESTS))) > MOST_HITS:
        raise ListUnusable("broken")
    return listed


def _hits(filter_: bytes, hashes: int, number: int) -> bool:
    return all(filter_[at >> 3] & 1 << (at & 7) for at in _places(number, hashes, len(filter_) * 8))


def _places(number: int, hashes: int, bits: int) -> Iterator[int]:
    """Yield the bits of a number, by double hashing of its two halves, which are random already."""
    place, step = (number >> 32) & 0xFFFFFFFF, number & 0xFFFFFFFF
    for n in range(hashes):
        yield place % bits
        place += step
        step += n  # or two numbers with one step would share all their bits


def _tests(kind: str, number: int) -> Iterator[int]:
    """Yield numbers that each list has, or that none has."""
    return (int.from_bytes(sha256(f"jixiang-revoked {kind} {n}".encode()).digest()[:8]) for n in range(number))


def _signed_bytes(unsigned: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052, section 4.4, whose lengths are as short as can be."""
    payload = unsigned[22:]
    size = len(payload)
    width = next(width for width in (1, 2, 4) if size < 256**width)
    head = {1: b"\x58", 2: b"\x59", 4: b"\x5a"}[width] + size.to_bytes(width)
    return b"".join((b"\x84\x6aSignature1", unsigned[2:16], b"\x40", head, payload))
