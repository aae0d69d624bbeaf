"""Tables of what citizens ask for about venues; the venues themselves are beside their stations (`stations.models`)."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class VenueApplication(Base):
    """An application of a citizen for a venue, by whoever held their code at `claimed_at`.

    `state`: waiting, approved (then `venue_id` is made), refused for a `reason`, or withdrawn by the citizen.
    """

    __tablename__ = "venue_applications"
    __table_args__ = (
        Index("ix_venue_applications_waiting", "district", postgresql_where="state = 'waiting'"),
        Index("ix_venue_applications_applied_at", "applied_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), index=True)
    claimed_at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(16))
    district: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(120))
    credit_code: Mapped[str] = mapped_column(String(18))
    hours: Mapped[list[str]] = mapped_column(ARRAY(String(11)))
    entrances: Mapped[list[str]] = mapped_column(ARRAY(String(18)))
    applied_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(20))
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("venues.id"))


class VenueHandover(Base):
    """A manager offers their venue to whoever has this document and this name, whether we know them or not."""

    __tablename__ = "venue_handovers"
    __table_args__ = (Index("ix_venue_handovers_document_fingerprint", "document_fingerprint"),)

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"), primary_key=True)
    manager: Mapped[int] = mapped_column(ForeignKey("codes.serial"), index=True)
    manager_claimed_at: Mapped[datetime]
    document_fingerprint: Mapped[bytes] = mapped_column(LargeBinary)  # see `citizens.lookup.hash_of`
    name_fingerprint: Mapped[bytes] = mapped_column(LargeBinary)  # of the document with the folded name
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
