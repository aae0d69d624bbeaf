"""The signed list of cards on paper that were reported lost: `GET /.well-known/jixiang-revoked`, a Bloom filter."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import cbor2

from jixiang_verifier.keys import KeySet
from jixiang_verifier.tokens import Refused, to_sign

_MOST_FILLED = 0.6  # of the bits
_LISTED, _ABSENT, _FALSE_HITS = 16, 1024, 10  # numbers that every list hits, and numbers of which at most ten may hit


@dataclass(frozen=True)
class RevocationList:
    """Cards that were reported lost, as of `made_at`. A list with a greater version takes its place."""

    version: int
    cards: int
    hashes: int
    bits: bytes

    @property
    def made_at(self) -> datetime:
        return datetime.fromtimestamp(self.version, UTC)

    def may_list(self, number: str) -> bool:
        """Return whether a card may have been reported lost: then ask for another proof; it is no proof by itself."""
        place, step = int(number[:8], 16), int(number[8:], 16)
        for n in range(self.hashes):
            at = place % (8 * len(self.bits))
            if not self.bits[at // 8] >> at % 8 & 1:
                return False
            place, step = place + step, step + n
        return True


def read_revocation_list(content: bytes, keys: KeySet) -> RevocationList:
    """Return a list that works. Raises Refused: go on with the one before, or with none."""
    try:
        header, _, payload, signature = cbor2.loads(content).value
        protected, listed = cbor2.loads(header), cbor2.loads(payload)
        read = RevocationList(*(listed[label] for label in (1, 2, 3, 4)))
        kid = protected[4].decode("ascii")
    except (cbor2.CBORDecodeError, ValueError, LookupError, TypeError, AttributeError):
        raise Refused("malformed") from None
    numbers, strings = (read.version, read.cards, read.hashes), (read.bits, header, payload, signature)
    if any(type(one) is not int for one in numbers) or any(type(one) is not bytes for one in strings):
        raise Refused("malformed")
    key = keys.find(kid, read.version)
    if key is None:
        raise Refused("unknown-key")
    if not key.signed(to_sign(header, payload), signature):
        raise Refused("forged")
    if not _works(read):
        raise Refused("broken")
    return read


def _works(read: RevocationList) -> bool:
    """Return whether a filter hits what it must, and little else: one of all ones would stop everybody."""
    filled = sum(byte.bit_count() for byte in read.bits) / max(8 * len(read.bits), 1)
    absent = sum(read.may_list(_number("absent", n)) for n in range(_ABSENT))
    return (
        filled <= _MOST_FILLED
        and absent <= _FALSE_HITS
        and all(read.may_list(_number("listed", n)) for n in range(_LISTED))
    )


def _number(kind: str, n: int) -> str:
    return hashlib.sha256(f"jixiang-revoked {kind} {n}".encode()).digest()[:8].hex()
