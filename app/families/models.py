"""Tables of families: the ties, how often a code was shown by one, the invitations, and the notices to holders.

They name people by serial. An invitation has keyed hashes alone: of whom it is about, nothing is looked up.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class FamilyTie(Base):
    """The consent by which a holder may show the code of a dependant.

    `consent`: own-account, window or guardian. It was given by, and to, whoever held the two codes then: after another
    claim of either it is void. `may_declare`: the holder may declare for the dependant too. `ended_by`: holder,
    dependant, clock or registration.
    """

    __tablename__ = "family_ties"
    __table_args__ = (
        Index("uq_family_ties_open", "holder", "dependant", unique=True, postgresql_where="ended_at IS NULL"),
        Index("ix_family_ties_dependant", "dependant"),
        Index("ix_family_ties_ends_at", "ends_at", postgresql_where="ended_at IS NULL"),
        Index("ix_family_ties_ended_at", "ended_at"),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    holder: Mapped[int] = mapped_column(ForeignKey("codes.serial"))
    dependant: Mapped[int] = mapped_column(ForeignKey("codes.serial"))
    holder_claimed_at: Mapped[datetime]
    dependant_claimed_at: Mapped[datetime]
    consent: Mapped[str] = mapped_column(String(12))
    may_declare: Mapped[bool]
    since: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(12))


class FamilyShow(Base):
    """How often a holder was given the code of a dependant on one day, until it is in the audit."""

    __tablename__ = "family_shows"
    __table_args__ = (Index("ix_family_shows_day", "day"),)

    tie_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("family_ties.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)  # in Beijing
    number: Mapped[int]


class FamilyInvitation(Base):
    """An invitation of whoever has this document and this name, whether we know them or not."""

    __tablename__ = "family_invitations"
    __table_args__ = (
        Index(
            "uq_family_invitations_open",
            "holder",
            "document_fingerprint",
            "name_fingerprint",
            unique=True,
            postgresql_where="declined_at IS NULL",
        ),
        Index("ix_family_invitations_document_fingerprint", "document_fingerprint"),
        Index("ix_family_invitations_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    holder: Mapped[int] = mapped_column(ForeignKey("codes.serial"))
    holder_claimed_at: Mapped[datetime]
    document_fingerprint: Mapped[bytes] = mapped_column(LargeBinary)  # see `citizens.lookup.hash_of`
    name_fingerprint: Mapped[bytes] = mapped_column(LargeBinary)  # of the document with the folded name
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    declined_at: Mapped[datetime | None]


class FamilyNotice(Base):
    """The WeChat message to a holder about a change of a dependant's code; `delivery` as that of a notice."""

    __tablename__ = "family_notices"

    tie_id: Mapped[str] = mapped_column(
        Uuid(as_uuid=False), ForeignKey("family_ties.id", ondelete="CASCADE"), primary_key=True
    )
    decision_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    delivery: Mapped[str] = mapped_column(String(20))
    error: Mapped[str | None] = mapped_column(String(40))
    msgid: Mapped[str | None] = mapped_column(String(64))
    updated_at: Mapped[datetime]
