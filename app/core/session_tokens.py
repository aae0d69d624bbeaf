"""Session tokens: encrypted, so that no client can read or make one, and verified without the database.

A token names its subject, the epoch of the subject's sessions and the generation of the installation; a session ends
when one of the two has moved on.
"""

import base64
import binascii
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.core.errors import Problem
from app.core.keys import Keys

_LAYOUT = struct.Struct(">BQQHII")
_FORMER = struct.Struct(">BQQHI")  # up to version 0.2, which knew one generation: 0
_TAG = 16
_LAYOUTS = {-(-(layout.size + _TAG) * 4 // 3): layout for layout in (_LAYOUT, _FORMER)}  # by the length of the text
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

    def __init__(self, keys: Keys, generation: Callable[[], int]) -> None:
        self._generation = generation
        self._cipher = AESSIV(keys.session)
        self._decrypted = lru_cache(CACHE_SIZE)(self._decrypt)

    def issue(self, session: UserSession) -> str:
        """Return the bearer token of a session."""
        data = _LAYOUT.pack(
            session.kind, session.subject, session.serial, session.epoch, int(session.ends_at.timestamp()),
            self._generation(),
        )  # fmt: skip
        return base64.urlsafe_b64encode(self._cipher.encrypt(data, _PURPOSE)).rstrip(b"=").decode()

    def read(self, text: str, now: datetime) -> UserSession:
        """Return the session in a token; the caller checks its epoch.

        Raises Problem `session-invalid` or `session-expired`.
        """
        session, generation = self._decrypted(text)
        if session.ends_at <= now or generation != self._generation():
            raise Problem("session-expired")
        return session

    def _decrypt(self, text: str) -> tuple[UserSession, int]:
        """Return a session and its generation."""
        try:
            layout = _LAYOUTS[len(text)]
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            kind, subject, serial, epoch, ends, *rest = layout.unpack(self._cipher.decrypt(data, _PURPOSE))
        except (ValueError, KeyError, binascii.Error, InvalidTag, struct.error):
            raise Problem("session-invalid") from None
        session = UserSession(SessionKind(kind), subject, serial, epoch, datetime.fromtimestamp(ends, UTC))
        return session, rest[0] if rest else 0
