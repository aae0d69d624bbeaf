"""Token, appid and EncodingAESKey of the message push: signing and encrypting as WeChat does it.

Owns the bytes of the cipher. It never says why a text does not open: a wrong padding, a wrong length and a
wrong signature look the same from outside. SHA-1 and CBC are WeChat's choice, not ours.
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
    """What WeChat's console shows for the message push; `aes_key` is None where nothing is encrypted.

    Raises ConfigError when one of them cannot be what the console shows.
    """

    token: str = field(repr=False)
    appid: str
    aes_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise ConfigError("The token of WeChat's callbacks must be 3 to 32 letters and digits.")
        if not self.appid:
            raise ConfigError("WeChat's callbacks need the appid of the mini-program.")
        if self.aes_key is not None and len(self.aes_key) != _KEY_LENGTH:
            raise ConfigError(f"The EncodingAESKey must have 43 characters, not {len(self.aes_key)}.")
        if self.aes_key is not None and not _ALPHABET.fullmatch(self.aes_key):
            raise ConfigError("The EncodingAESKey must have letters and digits only.")


def sign(keys: CallbackKeys, *parts: str) -> str:
    """The signature of the parts with our token, in hexadecimal digits."""
    joined = b"".join(sorted(_bytes(part) for part in (keys.token, *parts)))
    return sha1(joined).hexdigest()  # noqa: S324 - the protocol's


def verify(keys: CallbackKeys, signature: str, *parts: str) -> None:
    """Compare a signature in constant time. Raises CallbackRefused when it is not that of the parts."""
    if not hmac.compare_digest(_bytes(signature), _bytes(sign(keys, *parts))):
        raise CallbackRefused("signature")


def encrypt(keys: CallbackKeys, plaintext: bytes, random: bytes) -> str:
    """The plaintext, encrypted for our appid, in base64; `random` is 16 fresh bytes.

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
    """The plaintext of what was encrypted for our appid; the signature must have been verified before.

    Raises CallbackRefused when it does not open, or was meant for another appid.
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
    """Plaintext and appid of decrypted bytes."""
    start = RANDOM_BYTES + _LENGTH
    end = start + int.from_bytes(data[RANDOM_BYTES:start], "big")
    if end > len(data):  # true as well where the length itself is cut off
        raise CallbackRefused("signature")
    return data[start:end], data[end:]


def _bytes(text: str) -> bytes:
    """UTF-8 of any text: what a query string decodes to need not be proper Unicode."""
    return text.encode("utf-8", "surrogatepass")
