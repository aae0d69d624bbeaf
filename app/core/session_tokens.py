"""Session tokens: encrypted, so that no client can read or make one, and verified without the database.

A token names its subject, the epoch of the subject's sessions and the generation of the installation; a session ends
when one of the two has moved on.
"""

import base64
import binascii
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.core.errors import Problem
from app.core.keys import Keys

_LAYOUT = struct.Struct(">BQQHII")
_FORMER = struct.Struct(">BQQHI")  # up to version 0.2, which knew one generation: 0
_TAG = 16
_LAYOUTS = {-(-(layout.size + _TAG) * 4 // 3): layout for layout in (_LAYOUT, _FORMER)}  # by the length of the text
_PURPOSE = [b"session"]
_KEPT = 10_000  # sessions of inspectors that a process keeps


class SessionKind(IntEnum):
    """The kind of user. The numbers are permanent, because tokens contain them."""

    CITIZEN = 1
    INSPECTOR = 2


class UserSession(NamedTuple):
    """A session. `subject` is the WeChat user (0 without one) or the inspector; `serial` is 0 before registration."""

    kind: SessionKind
    subject: int
    serial: int
    epoch: int
    ends_at: datetime


_Read = tuple[UserSession, int]  # with the generation of the installation


class SessionTokens:
    """Makes and reads session tokens with one key."""

    def __init__(self, keys: Keys, generation: Callable[[], int]) -> None:
        self._generation = generation
        self._cipher = AESSIV(keys.session)
        self._kept: dict[str, _Read] = {}

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
        session, generation = self._kept.get(text) or self._decrypt(text)
        if session.ends_at <= now or generation != self._generation():
            raise Problem("session-expired")
        return session

    def _decrypt(self, text: str) -> _Read:
        """Return a session and its generation, and keep that of an inspector, who sends it every few seconds.

        A citizen sends theirs once a minute, when this process would have forgotten it for those of others.
        """
        try:
            layout = _LAYOUTS[len(text)]
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            kind, subject, serial, epoch, ends, *rest = layout.unpack(self._cipher.decrypt(data, _PURPOSE))
        except (ValueError, KeyError, binascii.Error, InvalidTag, struct.error):
            raise Problem("session-invalid") from None
        session = UserSession(SessionKind(kind), subject, serial, epoch, datetime.fromtimestamp(ends, UTC))
        found = session, rest[0] if rest else 0
        if session.kind is SessionKind.INSPECTOR:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[text] = found
        return found
