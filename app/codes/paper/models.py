"""Tables of the cards on paper. Whose a card is is in the row alone: the paper has neither serial nor color."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class PaperCard(Base):
    """A card, valid until `ends_at` unless it is revoked before.

    `place` is where it was issued. `tail_fingerprint` is the keyed hash of the last characters of the document, and
    `number` that of the card in the revocation list. A card whose holder was erased has neither serial nor tail.
    `reprint_asked_at` is when an auditor asked for another print of it, which has a row of its own.
    """

    __tablename__ = "paper_cards"
    __table_args__ = (
        Index("uq_paper_cards_live", "serial", unique=True, postgresql_where=text("revoked_at is null")),
        Index("ix_paper_cards_serial", "serial"),
        Index("ix_paper_cards_revoked", "ends_at", postgresql_where=text("revoked_at is not null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    serial: Mapped[int | None] = mapped_column(ForeignKey("codes.serial"))
    issued_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(80))
    place: Mapped[str] = mapped_column(String(60))
    tail_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    number: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[datetime | None]
    revoked_for: Mapped[str | None] = mapped_column(String(30))
    reprint_asked_at: Mapped[datetime | None]


class PublishedList(Base):
    """The revocation list as it is published: the version, what it lists, and the signed content."""

    __tablename__ = "published_lists"

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    made_at: Mapped[datetime]
    listed: Mapped[int]
    last_revoked_at: Mapped[datetime | None]
    kid: Mapped[str] = mapped_column(String(8))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class PaperScan(Base):
    """How often a card was scanned on a Beijing day, and how often with a wrong tail. Where is not kept."""

    __tablename__ = "paper_scans"

    card_id: Mapped[int] = mapped_column(ForeignKey("paper_cards.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    scans: Mapped[int] = mapped_column(default=0)
    wrong_tails: Mapped[int] = mapped_column(default=0)
