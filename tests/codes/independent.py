"""A verifier as somebody else would write it: from the text of docs/reference/token.md alone, with public libraries.

It imports nothing of ours, and has none of our shortcuts: base45, CBOR and the signature are read by general libraries.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import base45
import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

STATES = {2: "UNVERIFIED", 3: "GREEN", 4: "YELLOW", 5: "ORANGE", 6: "RED"}
FIXED = {  # the table "byte by byte": what must stand at an offset
    0: "d2844da201270448", 16: "a05836a4041a", 26: "061a", 32: "075820", 67: "3a00010000", 73: "5840",
}  # fmt: skip


PAPER = {0: "d2844da201270448", 16: "a05828a3041a", 26: "061a", 32: "075818", 59: "5840"}  # of a card on paper


STRIP = {  # of a strip
    0: "d2844da201270448", 16: "a05838a5041a", 26: "051a", 32: "061a", 38: "07581c", 69: "3a00010000", 75: "5840",
}  # fmt: skip


class Refused(Exception):
    """The first check that a token does not pass."""


def check(text: str, key_set: Mapping[str, Any], at: datetime, skew: int) -> dict[str, Any]:
    """State and times of a good token, in seconds from 1970. Raises Refused."""
    claims = _verified(_message(text, "JX1:", 139, FIXED), key_set, at, skew)
    return {"state": STATES[claims[-65537]], "iat": claims[6], "exp": claims[4]}


def check_paper(text: str, key_set: Mapping[str, Any], at: datetime, skew: int) -> dict[str, Any]:
    """Times of a good card on paper, and its number in the revocation list. Raises Refused."""
    known = {"keys": [*key_set["keys"], *key_set.get("retired", [])]}
    claims = _verified(_message(text, "JX2:", 125, PAPER), known, at, skew)
    return {"iat": claims[6], "exp": claims[4], "number": claims[7][:8].hex()}


def check_strip(text: str, key_set: Mapping[str, Any], at: datetime, skew: int) -> dict[str, Any]:
    """State and times of a good token of a strip. Raises Refused."""
    known = {"keys": [*key_set["keys"], *key_set.get("retired", [])]}
    claims = _verified(_message(text, "JX3:", 141, STRIP), known, at, skew)
    if claims[5] > at.timestamp() + skew:
        raise Refused("not-yet-valid")
    return {"state": STATES[claims[-65537]], "iat": claims[6], "nbf": claims[5], "exp": claims[4]}


def read_revoked(content: bytes, key_set: Mapping[str, Any]) -> tuple[int, int, int, bytes]:
    """Version, number of cards, hashes and filter of a revocation list that works. Raises Refused."""
    try:
        header, _, payload, signature = cbor2.loads(content).value
        protected, listed = cbor2.loads(header), cbor2.loads(payload)
        version, count, hashes, bits = (listed[label] for label in (1, 2, 3, 4))
    except (cbor2.CBORDecodeError, ValueError, KeyError, TypeError, AttributeError):
        raise Refused("malformed") from None
    key = next((key for key in key_set["keys"] if key["kid"] == protected[4].decode("ascii")), None)
    if key is None or (key["until"] and version >= datetime.fromisoformat(key["until"]).timestamp()):
        raise Refused("unknown-key")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    try:
        public.verify(signature, cbor2.dumps(["Signature1", header, b"", payload]))
    except InvalidSignature:
        raise Refused("forged") from None

    def test(kind: str, number: int) -> list[bool]:
        texts = (f"jixiang-revoked {kind} {n}" for n in range(number))
        return [hit((version, count, hashes, bits), hashlib.sha256(text.encode()).digest()[:8]) for text in texts]

    filled = sum(byte.bit_count() for byte in bits) / (8 * len(bits))
    if filled > 0.6 or not all(test("listed", 16)) or sum(test("absent", 1024)) > 10:
        raise Refused("broken")
    return version, count, hashes, bits


def hit(listed: tuple[int, int, int, bytes], number: bytes) -> bool:
    """Whether a list has a card, by the 8 bytes of its number; or seems to."""
    _, _, hashes, bits = listed
    place, step = int.from_bytes(number[:4], "big"), int.from_bytes(number[4:], "big")
    for n in range(hashes):
        at = place % (8 * len(bits))
        if not bits[at // 8] >> at % 8 & 1:
            return False
        place, step = place + step, step + n
    return True


def _verified(
    message: tuple[dict[int, Any], dict[int, Any], bytes, bytes], key_set: Mapping[str, Any], at: datetime, skew: int
) -> dict[int, Any]:
    """The claims of a message whose signature and times are good. Raises Refused."""
    protected, claims, payload, signature = message
    kid = protected[4].decode("ascii")
    key = next((key for key in key_set["keys"] if key["kid"] == kid), None)
    if key is None or (key["until"] and claims[6] >= datetime.fromisoformat(key["until"]).timestamp()):
        raise Refused("unknown-key")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    try:
        public.verify(signature, cbor2.dumps(["Signature1", cbor2.dumps(protected), b"", payload]))
    except InvalidSignature:
        raise Refused("forged") from None
    if claims[6] > at.timestamp() + skew:
        raise Refused("not-yet-valid")
    if claims[4] < at.timestamp() - skew:
        raise Refused("expired")
    return claims


def _message(
    text: str, prefix: str, size: int, fixed_bytes: Mapping[int, str]
) -> tuple[dict[int, Any], dict[int, Any], bytes, bytes]:
    """Protected header, claims, payload and signature of a text in the one form that a kind of token has."""
    if len(text) != 4 + size // 2 * 3 + 2 or not text.startswith(prefix):
        raise Refused("malformed")
    try:
        data = base45.b45decode(text[4:])
    except ValueError:
        raise Refused("malformed") from None
    if len(data) != size or any(not data[at:].startswith(bytes.fromhex(fixed)) for at, fixed in fixed_bytes.items()):
        raise Refused("malformed")
    header, _, payload, signature = cbor2.loads(data).value
    protected, claims = cbor2.loads(header), cbor2.loads(payload)
    if claims.get(-65537, 3) not in STATES or not protected[4].isascii():
        raise Refused("malformed")
    return protected, claims, payload, signature
