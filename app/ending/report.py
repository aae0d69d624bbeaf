"""The report of the end: what was destroyed and what stays, signed with the last signing key before that is destroyed.

Owns the signed and the published form. The signed bytes are a purpose and the text in `signed`, so that an independent
reader needs no canonical JSON. Its key is one that signed tokens and checkpoints: whoever has kept a published key set
or a checkpoint knows it.
"""

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.core.keys import SigningKey, thumbprint

_PURPOSE: Final = b"jixiang-end-v1\n"  # signed tokens begin with byte 84: no signature is valid for both
REPORT_PATH: Final = "/.well-known/jixiang-end"
PAGE_PATH: Final = "/.well-known/jixiang-end.html"


class ReportInvalid(ValueError):
    """A report that proves nothing; `fault` is `not-a-report`, `forged`, or `unknown-key`."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class VerifiedReport(NamedTuple):
    """What a report says, and the public key that signed it."""

    content: Mapping[str, Any]
    kid: str
    key: bytes


def sign(key: SigningKey, content: Mapping[str, Any]) -> dict[str, str]:
    """Return the signed form of a report."""
    text = json.dumps(content, ensure_ascii=False, indent=1)
    signature = key.private.sign(_PURPOSE + text.encode())
    return {"kid": key.kid, "key": _encode(key.public), "signature": _encode(signature), "signed": text}


def to_text(signed: Mapping[str, str], heads: Sequence[Mapping[str, Any]]) -> str:
    """Return the published document: the signed report, and the last checkpoints, each signed itself."""
    return json.dumps({**signed, "heads": heads}, ensure_ascii=False, indent=1) + "\n"


def verify(document: str | bytes, known: Collection[bytes] | None = None) -> VerifiedReport:
    """Return what a published report says, if its signature is good, by one of the `known` keys if given.

    Raises ReportInvalid.
    """
    try:
        form = json.loads(document)
        key, signature, text = _decode(form["key"]), _decode(form["signature"]), str(form["signed"])
        public = Ed25519PublicKey.from_public_bytes(key)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise ReportInvalid("not-a-report") from None
    try:
        public.verify(signature, _PURPOSE + text.encode(errors="replace"))
    except InvalidSignature:
        raise ReportInvalid("forged") from None
    if known is not None and key not in known:
        raise ReportInvalid("unknown-key")
    try:
        content = json.loads(text)
        _ = content["ended_at"], content["rows"], content["chain"]["entries"], content["keys"]["files"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ReportInvalid("not-a-report") from None
    return VerifiedReport(content, thumbprint(key)[:8], key)


def known_keys(document: str | bytes) -> set[bytes]:
    """Return the public keys in a key set or in checkpoints, as published and kept. Raises ValueError."""
    try:
        form = json.loads(document)
        found = {_decode(one["x"]) for one in [*form.get("keys", ()), *form.get("retired", ())]}
        return found | {_decode(head["key"]) for head in form.get("heads", ())}
    except (KeyError, TypeError, AttributeError, binascii.Error, RecursionError):
        raise ValueError("no keys") from None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(letters: str) -> bytes:
    return base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
