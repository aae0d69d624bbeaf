"""Signatures and encryption of WeChat's message push, with its token, appid and EncodingAESKey.

Owns the bytes of the cipher. It never reveals why a text cannot be decrypted: a wrong padding, a wrong length and a
wrong signature cause the same error. SHA-1 and CBC are WeChat's choice, not ours.
"""

import base64
import hmac
import re
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from app.core.errors import ConfigError
from app.wechat.callbacks.errors import CallbackRefused

RANDOM_BYTES: Final = 16
_LENGTH: Final = 4
_BLOCK: Final = 32  # of the padding; that of AES is 16
_KEY_LENGTH: Final = 43
_TOKEN: Final = re.compile(r"[A-Za-z0-9]{3,32}")
_ALPHABET: Final = re.compile(r"[A-Za-z0-9]*")


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """The values that WeChat's console shows for the message push; `aes_key` is None where nothing is encrypted.

    Raises ConfigError for a value that the console cannot show.
    """

    token: str = field(repr=False)
    appid: str
    aes_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise ConfigError("The token of WeChat's callbacks must be 3 to 32 letters and digits.")
        if not self.appid:
            raise ConfigError("WeChat's callbacks need the appid of the mini-program; set wechat.appid.")
        if self.aes_key is not None and len(self.aes_key) != _KEY_LENGTH:
            raise ConfigError(f"The EncodingAESKey must have 43 characters, not {len(self.aes_key)}.")
        if self.aes_key is not None and not _ALPHABET.fullmatch(self.aes_key):
            raise ConfigError("The EncodingAESKey must have letters and digits only.")


def sign(keys: CallbackKeys, *parts: str) -> str:
    """Return the signature of the parts with our token, in hexadecimal digits."""
    joined = b"".join(sorted(_bytes(part) for part in (keys.token, *parts)))
    return sha1(joined).hexdigest()  # noqa: S324 - the protocol's


def verify(keys: CallbackKeys, signature: str, *parts: str) -> None:
    """Verify a signature in constant time. Raises CallbackRefused when it is not that of the parts."""
    if not hmac.compare_digest(_bytes(signature), _bytes(sign(keys, *parts))):
        raise CallbackRefused("signature")


def encrypt(keys: CallbackKeys, plaintext: bytes, random: bytes) -> str:
    """Return the plaintext, encrypted for our appid, in base64; `random` is 16 fresh bytes.

    Raises ValueError without an EncodingAESKey, or with another number of random bytes.
    """
    if len(random) != RANDOM_BYTES:
        raise ValueError("16 random bytes are needed")
    data = random + len(plaintext).to_bytes(_LENGTH, "big") + plaintext + keys.appid.encode()
    padding = _BLOCK - len(data) % _BLOCK
    encryptor = _cipher(keys).encryptor()
    encrypted = encryptor.update(data + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(encrypted).decode()


def decrypt(keys: CallbackKeys, text: str) -> bytes:
    """Return the plaintext of a text encrypted for our appid; its signature must have been verified before.

    Raises CallbackRefused when it cannot be decrypted, or was encrypted for another appid.
    """
    try:
        encrypted = base64.b64decode(text, validate=True)
    except ValueError:
        raise CallbackRefused("signature") from None
    if not encrypted or len(encrypted) % _BLOCK:
        raise CallbackRefused("signature")
    decryptor = _cipher(keys).decryptor()
    plaintext, appid = _split(_unpad(decryptor.update(encrypted) + decryptor.finalize()))
    if not hmac.compare_digest(appid, keys.appid.encode()):
        raise CallbackRefused("not-for-us")
    return plaintext


def _cipher(keys: CallbackKeys) -> Cipher[CBC]:
    if keys.aes_key is None:
        raise ValueError("an EncodingAESKey is needed")
    key = base64.b64decode(keys.aes_key + "=")
    return Cipher(AES(key), CBC(key[:16]))


def _unpad(data: bytes) -> bytes:
    padding = data[-1]
    if not 1 <= padding <= _BLOCK or data[-padding:] != bytes([padding]) * padding:
        raise CallbackRefused("signature")
    return data[:-padding]


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Return plaintext and appid of decrypted bytes."""
    start = RANDOM_BYTES + _LENGTH
    end = start + int.from_bytes(data[RANDOM_BYTES:start], "big")
    if end > len(data):  # also when the length itself is incomplete
        raise CallbackRefused("signature")
    return data[start:end], data[end:]


def _bytes(text: str) -> bytes:
    """Encode any text in UTF-8: a decoded query string need not be valid Unicode."""
    return text.encode("utf-8", "surrogatepass")
