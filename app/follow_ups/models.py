"""The table of follow-ups."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

OPEN = text("ended_at is null")  # condition of partial indexes


class FollowUp(Base):
    """A person who is handed over to a hospital or a community, and its state: see `transitions.py`.

    `case_number` is that of their case, if one was open. `receiver` is the institution that takes them over, and
    `evidence_id` their last admission. `proposed_district` and `proposed_receiver` are where a transfer would go.
    `officer_id` is who acted last. `due_at` is until when the state has to be left, and `reminded_at` when officers
    were reminded that it was not. `notified_at` is when the person was notified, of all their follow-ups once.
    """

    __tablename__ = "follow_ups"
    __table_args__ = (
        Index("uq_follow_ups_open", "serial", "recipient", unique=True, postgresql_where=OPEN),
        Index("ix_follow_ups_district", "district", "state", postgresql_where=OPEN),
        Index("ix_follow_ups_due_at", "due_at", postgresql_where=OPEN),
        Index("ix_follow_ups_ended_at", "ended_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"))
    recipient: Mapped[str] = mapped_column(String(12))
    case_number: Mapped[str | None] = mapped_column(String(100))
    district: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    notified_at: Mapped[datetime | None]
    receiver: Mapped[str | None] = mapped_column(String(80))
    evidence_id: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    proposed_district: Mapped[str | None] = mapped_column(String(40))
    proposed_receiver: Mapped[str | None] = mapped_column(String(80))
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    acted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def number(self) -> str:
        """Return how lists name it: by the case, or by a number that says nothing of the person."""
        return self.case_number or f"GJ-{self.id}"
