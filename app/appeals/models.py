"""Tables of the appeals (纠错): what a citizen says against a decision, and how it was resolved.

What a citizen wrote and attached is encrypted; `retention.py` says how long it is kept.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Appeal(Base):
    """An appeal against one decision: see `appeals.py`.

    `state` is open, upheld (the color was right), overturned, or withdrawn (its citizen was erased). `outcome` is the
    reason, as a slug; the resulting decision is the one in force then. `district` is None for the whole province.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        Index("ix_appeals_serial", "serial", "filed_at"),
        Index("ix_appeals_state", "state", "due_at"),
        Index("uq_appeals_open", "serial", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_appeals_resolved_at", "resolved_at", postgresql_where=text("text_ciphertext is not null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"))
    district: Mapped[str | None] = mapped_column(String(40))
    filed_at: Mapped[datetime]
    due_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    text_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10))
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    resolved_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(30))
    withdrawn_evidence: Mapped[list[str]] = mapped_column(ARRAY(Uuid(as_uuid=False)))
    added_evidence: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    resulting_decision_id: Mapped[int | None] = mapped_column(BigInteger)


class Attachment(Base):
    """A picture or document of an appeal, encrypted. `kind` is jpeg or pdf; `size` in bytes, before encryption."""

    __tablename__ = "attachments"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), index=True)
    kind: Mapped[str] = mapped_column(String(4))
    size: Mapped[int]
    content_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
