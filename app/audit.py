"""The record of who did what to whose code, written in the same transaction as the deed. Append only.

Rows name people by serial or by role, never by name or number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db import Base, insert_rows


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a citizen, an inspector, an officer, the platform, or the system itself (clock, jobs)."""

    kind: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


CLOCK = Actor("clock")
PLATFORM = Actor("platform")


class AuditEntry(Base):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(60))
    serial: Mapped[int | None] = mapped_column(BigInteger, index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


def enter(
    session: Session,
    actor: Actor,
    action: str,
    now: datetime,
    *,
    serial: int | None = None,
    **detail: Any,
) -> None:
    """Write one entry; `detail` holds ids and codes only, never personal data."""
    session.add(AuditEntry(at=now, actor=str(actor), action=action, serial=serial, detail=detail))


def enter_many(
    session: Session, actor: Actor, action: str, deeds: Sequence[tuple[datetime, int, dict[str, Any]]]
) -> None:
    """Write one entry for each of many deeds of a kind: when, to whose code, and its detail."""
    rows = [
        {"at": at, "actor": str(actor), "action": action, "serial": serial, "detail": detail}
        for at, serial, detail in deeds
    ]
    insert_rows(session, AuditEntry, rows)
