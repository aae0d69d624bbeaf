"""Tables of venue codes: which print of an entrance is good, alarms, and notices of exposure. No visitor is in them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Identity, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class VenueCode(Base):
    """The print of an entrance that is good until `ends_at`, by its mark; and for a short overlap the one before it."""

    __tablename__ = "venue_codes"

    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), primary_key=True)
    mark: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    earlier_mark: Mapped[bytes | None] = mapped_column(LargeBinary)
    earlier_until: Mapped[datetime | None]


class VenueAlarm(Base):
    """That the code of an entrance was scanned implausibly often in an hour: one of an entrance and Beijing day.

    It is open while the print with this mark is the newest. `id` is for the message about it.
    """

    __tablename__ = "venue_alarms"

    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    hour: Mapped[int] = mapped_column(SmallInteger)  # of Beijing, 0 to 23
    scans: Mapped[int]
    receipts: Mapped[int]
    mark: Mapped[bytes] = mapped_column(LargeBinary)
    raised_at: Mapped[datetime]
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)


class ExposureNotice(Base):
    """That an infection was at a venue in an interval: proposed by one officer, and published by another.

    `state`: waiting, published (until `expires_at`), or withdrawn. It names the venue, and no person.
    """

    __tablename__ = "exposure_notices"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"), index=True)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    proposed_by: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    proposed_at: Mapped[datetime]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    resolved_at: Mapped[datetime | None]
