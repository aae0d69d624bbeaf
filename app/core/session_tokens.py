"""Our own session tokens: sealed, so that the client can neither read nor make one, and checked without the database.

A token names its subject and the epoch of the subject's sessions; when the epoch has moved on, the session has ended.
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
CACHE_SIZE = 10_000  # sessions that a process keeps opened: an inspector shows the same one every few seconds


class SessionKind(IntEnum):
    """Whose session it is. The numbers are permanent."""

    CITIZEN = 1
    INSPECTOR = 2


@dataclass(frozen=True, slots=True)
class UserSession:
    """`subject` is the WeChat user (0 without one) or the inspector; `serial` the bound code, 0 before registration."""

    kind: SessionKind
    subject: int
    serial: int
    epoch: int
    ends_at: datetime


class SessionTokens:
    """Makes and reads session tokens with one key."""

    def __init__(self, keys: Keys) -> None:
        self._cipher = AESSIV(keys.session)
        self._known = lru_cache(CACHE_SIZE)(self._open)

    def issue(self, session: UserSession) -> str:
        """The bearer token of a session."""
        data = _LAYOUT.pack(
            session.kind, session.subject, session.serial, session.epoch, int(session.ends_at.timestamp())
        )
        return base64.urlsafe_b64encode(self._cipher.encrypt(data, _PURPOSE)).rstrip(b"=").decode()

    def read(self, text: str, now: datetime) -> UserSession:
        """The session of a token, its epoch still to check. Raises Problem `session-invalid` or `session-expired`."""
        session = self._known(text)
        if session.ends_at <= now:
            raise Problem("session-expired")
        return session

    def _open(self, text: str) -> UserSession:
        try:
            if len(text) != _TEXT_LENGTH:
                raise ValueError("length")
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            kind, subject, serial, epoch, ends = _LAYOUT.unpack(self._cipher.decrypt(data, _PURPOSE))
        except (ValueError, binascii.Error, InvalidTag, struct.error):
            raise Problem("session-invalid") from None
        return UserSession(SessionKind(kind), subject, serial, epoch, datetime.fromtimestamp(ends, UTC))
