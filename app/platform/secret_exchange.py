"""The secret that signs: one from a file, or one that a gateway gives for a time against the application's key."""

import base64
import binascii
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from app.platform.exchange import Answered
from app.platform.messages import PlatformUnavailable

KEY_SIZES: Final = (16, 24, 32)
_EARLY: Final = 60  # seconds: a secret is renewed this long before it ends


class Secrets(Protocol):
    """The secret that signs at a moment, in seconds since 1970."""

    def current(self, seconds: float) -> str:
        """Return the secret of now. Raises PlatformUnavailable."""

    def renewed(self, used: str, seconds: float) -> str | None:
        """Return another one, if the `used` one was renewed. Raises PlatformUnavailable."""


class FixedSecret:
    """A secret from a file, which ends when the file changes."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def current(self, seconds: float) -> str:
        return self._secret

    def renewed(self, used: str, seconds: float) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class _Given:
    """A secret, when it came and when it ends, in seconds since 1970."""

    secret: str = field(repr=False)
    came: float
    ends: float


class ExchangedSecret:
    """A secret that a gateway gives for a time, renewed before it ends; one object serves all threads.

    `fetch` asks the gateway; `key` decrypts what it gives: AES in the mode that Java takes when none is named (ECB,
    PKCS #7), which is an inference. Raises ValueError for a key that AES cannot use.
    """

    def __init__(self, fetch: Callable[[float], Answered], key: str) -> None:
        if len(key.encode()) not in KEY_SIZES:
            raise ValueError(f"a key of AES has {KEY_SIZES} bytes")
        self._fetch, self._key = fetch, key.encode()
        self._lock = threading.Lock()
        self._given: _Given | None = None

    def current(self, seconds: float) -> str:
        with self._lock:
            if self._given is None or seconds >= self._given.ends - _EARLY:
                self._given = self._ask(seconds)
            return self._given.secret

    def renewed(self, used: str, seconds: float) -> str | None:
        with self._lock:
            given = self._given
            if given is not None and given.secret == used:
                if given.came >= seconds:  # it came for this very question
                    return None
                given = self._given = self._ask(seconds)
            return None if given is None or given.secret == used else given.secret

    def _ask(self, seconds: float) -> _Given:
        answered = self._fetch(seconds)
        try:
            envelope: Any = json.loads(answered.text)
            if answered.status == 200 and str(envelope["code"]) == "200":
                data = envelope["data"]
                secret = _decrypt(self._key, base64.b64decode(data["secret"], validate=True))
                return _Given(secret, seconds, int(data["endtime"]) / 1000)
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            pass
        raise PlatformUnavailable("no-secret")


def _decrypt(key: bytes, content: bytes) -> str:
    """Return the text of what AES has encrypted. Raises ValueError."""
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 # one short secret; the gateway's choice
    padded = decryptor.update(content) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode()
