"""The head of a day: how long the chain was when the day was over in Beijing, and its last hash, signed.

Owns what is signed, and what is published of it. Whoever keeps a head can prove later that the chain up to there was
written anew, or cut off. A day on which no sealer ran has none; every head vouches for all that was before.
"""

import base64
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import BigInteger, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.audit import AuditEntry
from app.chain.links import End
from app.clock import BEIJING
from app.db import Base
from app.keys import Keys, in_force

PUBLISHED_DAYS = 90
_PURPOSE = b"jixiang-audit-head-v1\n"  # what a token signs begins with the byte 84: neither passes for the other


class AuditHead(Base):
    """A signed head, with the public key beside it, for the published key set forgets old ones."""

    __tablename__ = "audit_heads"

    day: Mapped[date] = mapped_column(primary_key=True)
    entries: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    kid: Mapped[str] = mapped_column(String(16))
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class Head(NamedTuple):
    """A head, wherever it was kept."""

    day: date
    entries: int
    hash: bytes
    kid: str
    public_key: bytes
    signature: bytes


class HeadKeys:
    """Signs heads with the signing key in force, and knows the signature of every key that ever was."""

    def __init__(self, keys: Keys) -> None:
        self._signing = keys.signing

    def sign(self, day: date, end: End, now: datetime) -> Head:
        key = in_force(self._signing, now)
        return Head(day, end.entries, end.hash, key.kid, key.public, key.private.sign(_to_sign(day, end)))

    def wrong_with(self, head: Head) -> str | None:
        """What is wrong with a signature: `unknown-key`, `forged`, or None."""
        key = next((key for key in self._signing if key.kid == head.kid), None)
        if key is None or key.public != head.public_key:
            return "unknown-key"
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(
                head.signature, _to_sign(head.day, End(head.entries, head.hash))
            )
        except InvalidSignature:
            return "forged"
        return None


def sign_yesterday(session: Session, keys: HeadKeys, end: End, now: datetime) -> None:
    """Keep the head of the day that is over, unless it is kept already or nothing had been entered by then."""
    today = now.astimezone(BEIJING).date()
    day = today - timedelta(days=1)
    first = session.scalar(select(AuditEntry.at).where(AuditEntry.place == 1))
    if first is None or first.astimezone(BEIJING).date() >= today or session.get(AuditHead, day) is not None:
        return
    session.add(AuditHead(**keys.sign(day, end, now)._asdict()))


def kept(session: Session, since: date = date.min) -> list[Head]:
    """The heads that the database keeps, from a day on, the oldest first."""
    rows = session.scalars(select(AuditHead).where(AuditHead.day >= since).order_by(AuditHead.day))
    return [Head(*(getattr(row, name) for name in Head._fields)) for row in rows]


def published(session: Session, now: datetime) -> dict[str, Any]:
    """What everybody may read: the heads of the last days, the newest first."""
    since = now.astimezone(BEIJING).date() - timedelta(days=PUBLISHED_DAYS)
    return {"heads": [_told(head) for head in reversed(kept(session, since))]}


def read(document: Mapping[str, Any]) -> list[Head]:
    """The heads in a document that was published. Raises ValueError when it is none."""
    try:
        return [_heard(told) for told in document["heads"]]
    except (KeyError, TypeError, AttributeError):
        raise ValueError("no heads") from None


def by_day(heads: Iterable[Head]) -> list[Head]:
    """Heads in the order of their days, each once."""
    return sorted(set(heads), key=lambda head: (head.day, head.entries))


def _told(head: Head) -> dict[str, Any]:
    return {
        "day": head.day.isoformat(),
        "entries": head.entries,
        "hash": head.hash.hex(),
        "kid": head.kid,
        "key": _letters(head.public_key),
        "signature": _letters(head.signature),
    }


def _heard(told: Mapping[str, Any]) -> Head:
    return Head(
        date.fromisoformat(told["day"]),
        int(told["entries"]),
        bytes.fromhex(told["hash"]),
        str(told["kid"]),
        _bytes(told["key"]),
        _bytes(told["signature"]),
    )


def _letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(letters: str) -> bytes:
    return base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))


def _to_sign(day: date, end: End) -> bytes:
    """Purpose, day, number of entries and hash, each in a line of its own."""
    return _PURPOSE + f"{day.isoformat()}\n{end.entries}\n{end.hash.hex()}\n".encode()
