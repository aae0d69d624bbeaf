"""Tables of the check stations and their venues: who may scan, and counts; never who passed where."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Identity, Index, SmallInteger, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.identity.staff_accounts import StaffAccount
from app.core.identity.staff_sessions import StaffSession


class Venue(Base):
    """A place with check stations of its own, one at each entrance, and a citizen who manages them.

    `hours` are seven texts from Monday on, such as `08:00-22:00`, empty for a day on which it is closed. Its manager is
    who held the code `manager` at `manager_claimed_at`; after another claim, and after an erasure, nobody is.
    """

    __tablename__ = "venues"
    __table_args__ = (
        Index("uq_venues_open_name", "name", unique=True, postgresql_where="closed_at IS NULL"),
        Index("ix_venues_credit_code", "credit_code"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(16))
    district: Mapped[str] = mapped_column(String(40))
    address: Mapped[str] = mapped_column(String(120))
    credit_code: Mapped[str] = mapped_column(String(18))
    hours: Mapped[list[str]] = mapped_column(ARRAY(String(11)))
    manager: Mapped[int | None] = mapped_column(ForeignKey("codes.serial"), index=True)
    manager_claimed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Station(Base):
    """A check station. One of a venue is at an entrance of it, and has its name in its own: 示例商场 东门."""

    __tablename__ = "stations"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    district: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("venues.id"), index=True)
    entrance: Mapped[str | None] = mapped_column(String(18))


class Inspector(StaffAccount, Base):
    """A person who may scan at one station, until `disabled_at`; `epoch` ends all their sessions when it changes."""

    __tablename__ = "inspectors"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    epoch: Mapped[int] = mapped_column(default=1)


class InspectorSession(StaffSession, Base):
    """A session of an inspector on one phone; their token names it."""

    __tablename__ = "inspector_sessions"

    inspector_id: Mapped[int] = mapped_column(ForeignKey("inspectors.id"), index=True)


class StationCount(Base):
    """The number of times a station did one action for codes in one state in one hour.

    `seen` is how much of it was the counter in Redis at the last roll-up, in the run of Redis that `run` names.
    """

    __tablename__ = "station_counts"

    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    state: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    action: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int]
    seen: Mapped[int] = mapped_column(default=0)
    run: Mapped[str] = mapped_column(String(40), default="")


class CheckAlert(Base):
    """That the red or orange code of somebody who is followed up was checked on a day, first in this hour; not where.

    One of a person and day, however often and wherever the code was checked.
    """

    __tablename__ = "check_alerts"

    serial: Mapped[int] = mapped_column(ForeignKey("codes.serial"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True, index=True)
    hour: Mapped[int] = mapped_column(SmallInteger)  # of Beijing, 0 to 23
