"""The checks that every form of token shares: the published key, the signature, and the times."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.codes.tokens.layout import TokenRefused
from app.core.keys import SigningKey


def signing_key(by_kid: Mapping[str, SigningKey], kid: str, issued: int) -> SigningKey:
    """Return our key that signed a token issued at a second. Raises TokenRefused `unknown-key`."""
    key = by_kid.get(kid)
    if key is None or (key.until is not None and issued >= key.until.timestamp()):
        raise TokenRefused("unknown-key")
    return key


def published_key(key_set: Mapping[str, Any], kid: str, *, retired: bool = False) -> Mapping[str, Any]:
    """Return the key of the published set with this kid, also a `retired` one. Raises TokenRefused `unknown-key`."""
    known = [*key_set["keys"], *(key_set.get("retired", ()) if retired else ())]
    key = next((key for key in known if key["kid"] == kid), None)
    if key is None:
        raise TokenRefused("unknown-key")
    found: Mapping[str, Any] = key
    return found


def require_signed(key: Mapping[str, Any], issued: int, signed: bytes, signature: bytes) -> None:
    """Require that a published key, while it signed, has signed these bytes. Raises TokenRefused."""
    if key["until"] and issued >= datetime.fromisoformat(key["until"]).timestamp():
        raise TokenRefused("unknown-key")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    try:
        public.verify(signature, signed)
    except InvalidSignature:
        raise TokenRefused("forged") from None


def check_time(begins: int, ends: int, now: datetime, skew: timedelta, grace: timedelta = timedelta(0)) -> None:
    """Require a moment from `begins` to `ends`, and `grace` after it, by any clock. Raises TokenRefused."""
    moment, tolerated = now.timestamp(), skew.total_seconds()
    if begins > moment + tolerated:
        raise TokenRefused("not-yet-valid")
    if ends < moment - tolerated - grace.total_seconds():
        raise TokenRefused("expired")
