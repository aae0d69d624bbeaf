"""A trust list as it travels: content and signature of the root key, a JWS (RFC 7515) in its flattened JSON form.

Not COSE, as tokens are: a list has names and dates of any length, is in no QR code, and phones read JSON, but no CBOR.
The root key signs lists and nothing else: `typ` says so, and no issuer has it.
"""

import base64
import binascii
import json
import re
from typing import Any, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.core.keys import thumbprint
from app.trust.content import TrustContent, parse_content

TYPE: Final = "jixiang-trust"
MOST_BYTES: Final = 1024 * 1024  # of a list: some thousand issuers
_BASE64URL: Final = re.compile("[A-Za-z0-9_-]*")
_MEMBERS: Final = {"protected", "payload", "signature"}

TrustFault = Literal["malformed", "unknown-key", "forged", "broken"]


class TrustListUnusable(Exception):
    """A text that is no trust list of this root, or one that must not be used; `fault` says why."""

    def __init__(self, fault: TrustFault) -> None:
        super().__init__(fault)
        self.fault: TrustFault = fault


def sign_list(content: TrustContent, root: Ed25519PrivateKey) -> str:
    """Return a signed list, one line. Raises ValueError where an issuer has the root key."""
    public = root.public_key().public_bytes_raw()
    content.require_other_keys(_text(public))
    header = {"alg": "EdDSA", "kid": thumbprint(public)[:8], "typ": TYPE}
    protected = _text(json.dumps(header).encode())
    payload = _text(json.dumps(content.model_dump(mode="json", by_alias=True)).encode())
    signature = _text(root.sign(f"{protected}.{payload}".encode()))
    return json.dumps({"payload": payload, "protected": protected, "signature": signature})


def read_list(text: bytes | str, root: bytes) -> TrustContent:
    """Return the content of a list that the root key, 32 bytes, has signed. Raises TrustListUnusable."""
    protected, payload, signature = _members(text)
    try:
        header, content = json.loads(_decoded(protected)), _decoded(payload)
        signed = _decoded(signature)
    except (ValueError, RecursionError):
        raise TrustListUnusable("malformed") from None
    if not isinstance(header, dict) or header.keys() != {"alg", "kid", "typ"}:
        raise TrustListUnusable("malformed")
    if (header["alg"], header["typ"]) != ("EdDSA", TYPE):
        raise TrustListUnusable("malformed")
    if header["kid"] != thumbprint(root)[:8]:
        raise TrustListUnusable("unknown-key")
    try:
        Ed25519PublicKey.from_public_bytes(root).verify(signed, f"{protected}.{payload}".encode())
    except InvalidSignature:
        raise TrustListUnusable("forged") from None
    try:
        read = parse_content(content)
        read.require_other_keys(_text(root))
    except ValueError:
        raise TrustListUnusable("broken") from None
    return read


def _members(text: bytes | str) -> tuple[str, str, str]:
    """Return protected header, payload and signature as they are written. Raises TrustListUnusable."""
    try:
        given: Any = json.loads(text) if len(text) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        given = None
    if (
        not isinstance(given, dict)
        or given.keys() != _MEMBERS
        or not all(isinstance(one, str) for one in given.values())
    ):
        raise TrustListUnusable("malformed")
    return given["protected"], given["payload"], given["signature"]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    """Return the bytes in base64url without padding (RFC 7515). Raises ValueError."""
    if not _BASE64URL.fullmatch(text):  # b64decode takes + and / as well
        raise ValueError("no base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("no base64url") from None
