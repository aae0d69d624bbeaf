"""Session tokens: encrypted, so that no client can read or make one, and verified without the database.

A token names its subject and the epoch of the subject's sessions; a session ends when the epoch has moved on.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.core.errors import Problem
from app.core.keys import Keys

_LAYOUT = struct.Struct(">BQQHI")
_TAG = 16
_TEXT_LENGTH = -(-(_LAYOUT.size + _TAG) * 4 // 3)
_PURPOSE = [b"session"]
CACHE_SIZE = 10_000  # decrypted sessions that a process keeps: an inspector sends the same one every few seconds


class SessionKind(IntEnum):
    """The kind of user. The numbers are permanent, because tokens contain them."""

    CITIZEN = 1
    INSPECTOR = 2


@dataclass(frozen=True, slots=True)
class UserSession:
    """A session. `subject` is the WeChat user (0 without one) or the inspector; `serial` is 0 before registration."""

    kind: SessionKind
    subject: int
    serial: int
    epoch: int
    ends_at: datetime


class SessionTokens:
    """Makes and reads session tokens with one key."""

    def __init__(self, keys: Keys) -> None:
        self._cipher = AESSIV(keys.session)
        self._decrypted = lru_cache(CACHE_SIZE)(self._decrypt)

    def issue(self, session: UserSession) -> str:
        """Return the bearer token of a session."""
        data = _LAYOUT.pack(
            session.kind, session.subject, session.serial, session.epoch, int(session.ends_at.timestamp())
        )
        return base64.urlsafe_b64encode(self._cipher.encrypt(data, _PURPOSE)).rstrip(b"=").decode()

    def read(self, text: str, now: datetime) -> UserSession:
        """Return the session in a token; the caller checks its epoch.

        Raises Problem `session-invalid` or `session-expired`.
        """
        session = self._decrypted(text)
        if session.ends_at <= now:
            raise Problem("session-expired")
        return session

    def _decrypt(self, text: str) -> UserSession:
        try:
            if len(text) != _TEXT_LENGTH:
                raise ValueError("length")
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            kind, subject, serial, epoch, ends = _LAYOUT.unpack(self._cipher.decrypt(data, _PURPOSE))
        except (ValueError, binascii.Error, InvalidTag, struct.error):
            raise Problem("session-invalid") from None
        return UserSession(SessionKind(kind), subject, serial, epoch, datetime.fromtimestamp(ends, UTC))
