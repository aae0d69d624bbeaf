"""The table of document corrections. Numbers are encrypted, and deleted once nobody needs them any more."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class DocumentCorrection(Base):
    """A correction that somebody asks for: from the former document to the new one.

    `state`: waiting (for a first officer), proposed (waits for a second one), done, refused, lapsed, or undone by an
    objection. `district` is that of the officers. `window_id`: where a clerk proposed it. The former number is kept
    while the correction can be undone, the new one until it is decided.
    """

    __tablename__ = "document_corrections"
    __table_args__ = (
        Index(
            "uq_document_corrections_open",
            "serial",
            unique=True,
            postgresql_where=text("state in ('waiting', 'proposed')"),
        ),
        Index(
            "ix_document_corrections_kept",
            "asked_at",
            postgresql_where=text("document_ciphertext is not null or former_ciphertext is not null"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("citizens.serial"), index=True)
    reason: Mapped[str] = mapped_column(String(20))
    district: Mapped[str | None] = mapped_column(String(40))
    window_id: Mapped[int | None] = mapped_column(ForeignKey("windows.id"))
    document_type: Mapped[str] = mapped_column(String(30))
    document_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_type: Mapped[str] = mapped_column(String(30))
    former_ciphertext: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    is_return: Mapped[bool] = mapped_column(default=False)  # the new document was the person's before
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    proposed_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    resolved_at: Mapped[datetime | None]
