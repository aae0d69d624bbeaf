"""Encryption of personal data in columns: names, document numbers, phones and openids.

Owns the format of the ciphertexts. There is no column type that decrypts by itself, so that each reading of a name is
a visible line of code.
"""

import hmac
import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.keys import Keys

_KEY_NUMBER = b"\x01"  # identifies the key, so that keys can be changed later
_NONCE = 12


class FieldEncryption:
    """Encrypts values for one column, and makes keyed hashes by which they are found."""

    def __init__(self, keys: Keys) -> None:
        self._cipher = AESGCM(keys.sealing)
        self._lookup = keys.lookup

    def encrypt(self, column: str, text: str) -> bytes:
        """Return the ciphertext of a text. It is bound to the column: in another one it cannot be decrypted."""
        return self.encrypt_bytes(column, text.encode())

    def decrypt(self, column: str, ciphertext: bytes) -> str:
        """Return the text of a ciphertext. Raises ValueError for another key, another column or changed bytes."""
        return self.decrypt_bytes(column, ciphertext).decode()

    def encrypt_bytes(self, column: str, content: bytes) -> bytes:
        """Return the ciphertext of bytes, as `encrypt` does of a text."""
        nonce = os.urandom(_NONCE)
        return _KEY_NUMBER + nonce + self._cipher.encrypt(nonce, content, column.encode())

    def decrypt_bytes(self, column: str, ciphertext: bytes) -> bytes:
        """Return the bytes of a ciphertext. Raises ValueError as `decrypt` does."""
        if ciphertext[:1] != _KEY_NUMBER:
            raise ValueError(f"{column} was encrypted with an unknown key")
        nonce, body = ciphertext[1 : 1 + _NONCE], ciphertext[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, body, column.encode())
        except InvalidTag:
            raise ValueError(f"{column} cannot be decrypted with this key") from None

    def fingerprint(self, kind: str, text: str) -> bytes:
        """Return the keyed hash of a value, 32 bytes: equal for equal values of one kind.

        Limits hash what a request says before anything checks it, so half a surrogate pair has a hash too.
        """
        return hmac.digest(self._lookup, f"{kind}:{text}".encode("utf-8", "surrogatepass"), sha256)
