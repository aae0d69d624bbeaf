"""Sealing of personal data: names, document numbers, phones and openids.

Owns the format of sealed columns. A value is opened where it is needed and nowhere else: there is no column type
that opens silently, so that each reading of a name is a visible line of code.
"""

import hmac
import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.keys import Keys

_KEY_NUMBER = b"\x01"  # tells which sealing key was used, for a later change of keys
_NONCE = 12


class FieldEncryption:
    """Seals text for one column and finds it again by a keyed hash."""

    def __init__(self, keys: Keys) -> None:
        self._cipher = AESGCM(keys.sealing)
        self._lookup = keys.lookup

    def encrypt(self, column: str, text: str) -> bytes:
        """The text, encrypted for this column: moved to another column it does not open."""
        return self.encrypt_bytes(column, text.encode())

    def decrypt(self, column: str, sealed: bytes) -> str:
        """The text of a sealed value. Raises ValueError when key, column or bytes do not fit."""
        return self.decrypt_bytes(column, sealed).decode()

    def encrypt_bytes(self, column: str, content: bytes) -> bytes:
        """What is no text, sealed as `seal` does."""
        nonce = os.urandom(_NONCE)
        return _KEY_NUMBER + nonce + self._cipher.encrypt(nonce, content, column.encode())

    def decrypt_bytes(self, column: str, sealed: bytes) -> bytes:
        """What `seal_bytes` sealed. Raises ValueError as `open` does."""
        if sealed[:1] != _KEY_NUMBER:
            raise ValueError(f"{column} was sealed with an unknown key")
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, body, column.encode())
        except InvalidTag:
            raise ValueError(f"{column} cannot be opened with this key") from None

    def fingerprint(self, kind: str, text: str) -> bytes:
        """A keyed hash by which equal values of one kind find each other, 32 bytes."""
        return hmac.digest(self._lookup, f"{kind}:{text}".encode(), sha256)
