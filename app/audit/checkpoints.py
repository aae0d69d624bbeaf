"""Checkpoints: the length and the last hash of the chain at the end of a Beijing day, signed.

Owns the signed and the published form (JSON `heads`). With a saved checkpoint anybody can prove later that the chain up
to it was rewritten or cut off. A day without sealer has no checkpoint; each one covers everything before it.
"""

import base64
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import BigInteger, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column, sessionmaker

from app.audit import AuditEvent
from app.audit.chain import ChainEnd
from app.core.clock import BEIJING, Clock
from app.core.db import Base
from app.core.keys import Keys, signing_key_at

PUBLISHED_DAYS = 90
_PURPOSE = b"jixiang-audit-head-v1\n"  # signed tokens begin with byte 84: no signature is valid for both


class AuditCheckpoint(Base):
    """A stored checkpoint, with its public key, because the published key set drops old ones."""

    __tablename__ = "audit_checkpoints"

    day: Mapped[date] = mapped_column(primary_key=True)
    entries: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    kid: Mapped[str] = mapped_column(String(16))
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class Checkpoint(NamedTuple):
    """A checkpoint, stored here or elsewhere."""

    day: date
    entries: int
    hash: bytes
    kid: str
    public_key: bytes
    signature: bytes


class CheckpointSigner:
    """Signs checkpoints with the current signing key, and verifies the signatures of all keys, old ones included."""

    def __init__(self, keys: Keys) -> None:
        self._signing = keys.signing

    def sign(self, day: date, end: ChainEnd, now: datetime) -> Checkpoint:
        """Return the checkpoint of a day."""
        key = signing_key_at(self._signing, now)
        return Checkpoint(day, end.entries, end.hash, key.kid, key.public, key.private.sign(_signed_text(day, end)))

    def signature_fault(self, checkpoint: Checkpoint) -> str | None:
        """Return the fault of a signature: `unknown-key`, `forged`, or None."""
        key = next((key for key in self._signing if key.kid == checkpoint.kid), None)
        if key is None or key.public != checkpoint.public_key:
            return "unknown-key"
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(
                checkpoint.signature, _signed_text(checkpoint.day, ChainEnd(checkpoint.entries, checkpoint.hash))
            )
        except InvalidSignature:
            return "forged"
        return None


class ChainServices(Protocol):
    """The services that sealing and verifying the chain need; `app.runtime.Services` has them."""

    @property
    def clock(self) -> Clock: ...
    @property
    def sessions(self) -> sessionmaker[Session]: ...
    @property
    def checkpoint_signer(self) -> CheckpointSigner: ...


def sign_yesterday(session: Session, keys: CheckpointSigner, end: ChainEnd, now: datetime) -> None:
    """Store the checkpoint of yesterday, unless it is stored already or the chain was empty then."""
    today = now.astimezone(BEIJING).date()
    day = today - timedelta(days=1)
    first = session.scalar(select(AuditEvent.at).where(AuditEvent.place == 1))
    if first is None or first.astimezone(BEIJING).date() >= today or session.get(AuditCheckpoint, day) is not None:
        return
    session.add(AuditCheckpoint(**keys.sign(day, end, now)._asdict()))


def stored_checkpoints(session: Session, since: date = date.min) -> list[Checkpoint]:
    """Return the stored checkpoints from a day on, the oldest first."""
    rows = session.scalars(select(AuditCheckpoint).where(AuditCheckpoint.day >= since).order_by(AuditCheckpoint.day))
    return [Checkpoint(*(getattr(row, name) for name in Checkpoint._fields)) for row in rows]


def published_checkpoints(session: Session, now: datetime) -> dict[str, Any]:
    """Return the public document with the checkpoints of the last PUBLISHED_DAYS, the newest first."""
    since = now.astimezone(BEIJING).date() - timedelta(days=PUBLISHED_DAYS)
    return {"heads": [_to_json(checkpoint) for checkpoint in reversed(stored_checkpoints(session, since))]}


def parse_checkpoints(document: Mapping[str, Any]) -> list[Checkpoint]:
    """Return the checkpoints in a published document. Raises ValueError for any other document."""
    try:
        return [_from_json(head) for head in document["heads"]]
    except (KeyError, TypeError, AttributeError):
        raise ValueError("no heads") from None


def sort_by_day(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Return checkpoints in the order of their days, each once."""
    return sorted(set(checkpoints), key=lambda checkpoint: (checkpoint.day, checkpoint.entries))


def _to_json(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "day": checkpoint.day.isoformat(),
        "entries": checkpoint.entries,
        "hash": checkpoint.hash.hex(),
        "kid": checkpoint.kid,
        "key": _to_base64url(checkpoint.public_key),
        "signature": _to_base64url(checkpoint.signature),
    }


def _from_json(head: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(
        date.fromisoformat(head["day"]),
        int(head["entries"]),
        bytes.fromhex(head["hash"]),
        str(head["kid"]),
        _from_base64url(head["key"]),
        _from_base64url(head["signature"]),
    )


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(letters: str) -> bytes:
    return base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))


def _signed_text(day: date, end: ChainEnd) -> bytes:
    """Return the signed bytes: purpose, day, number of events and hash, each on a line of its own."""
    return _PURPOSE + f"{day.isoformat()}\n{end.entries}\n{end.hash.hex()}\n".encode()
