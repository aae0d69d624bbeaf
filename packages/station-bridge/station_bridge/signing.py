"""Signed requests: HTTP Message Signatures (RFC 9421) with the private key of this device."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

TAG: Final = "jixiang-device"
_COVERED: Final = ("@method", "@path")


@dataclass
class Message:
    """What is signed: a method, an address, and a body, to which the headers are added."""

    method: str
    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class _Key(HTTPSignatureKeyResolver):
    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        del key_id
        return self._private


class Signer:
    """Signs as one device."""

    def __init__(self, device: int, private: Ed25519PrivateKey) -> None:
        self._device = str(device)
        self._private = private
        self._signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Key(private))

    @classmethod
    def of_text(cls, device: int, private: str) -> Self:
        """Return the signer with a private key as it was shown when the device was added. Raises ValueError."""
        padded = private.strip() + "=" * (-len(private.strip()) % 4)
        return cls(device, Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(padded)))

    @classmethod
    def of_file(cls, device: int, file: Path) -> Self:
        """Return the signer with the key in a file. Raises OSError and ValueError."""
        return cls.of_text(device, file.read_text(encoding="ascii"))

    def headers(self, method: str, url: str, body: bytes, now: datetime) -> Mapping[str, str]:
        """Return the headers that sign a request, good for this once."""
        message = Message(method, url, body)
        self._signer.sign(
            message,
            key_id=self._device,
            created=now,
            nonce=secrets.token_urlsafe(16),
            tag=TAG,
            label="device",
            covered_component_ids=_COVERED,
            body=body or None,
        )
        return message.headers


def make_key(file: Path) -> str:
    """Write a new private key to a file that only its owner reads; return the public key to register.

    Raises FileExistsError: a key that is in use is not replaced.
    """
    private = Ed25519PrivateKey.generate()
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(_text(private.private_bytes_raw()), encoding="ascii")
    return _text(private.public_key().public_bytes_raw())


def _text(key: bytes) -> str:
    return urlsafe_b64encode(key).decode().rstrip("=")
