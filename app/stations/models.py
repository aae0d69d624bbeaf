"""Tables of the check stations: who may scan, and counts; never who passed where."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Identity, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Station(Base):
    """A check station."""

    __tablename__ = "stations"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    district: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]


class Inspector(Base):
    """A person who may scan at one station, until `disabled_at`; `epoch` ends their sessions when it changes.

    `must_change_password`: somebody else knows the password, and the inspector chooses another at the next log-in,
    until `password_ends_at`.
    """

    __tablename__ = "inspectors"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    username: Mapped[str] = mapped_column(String(32), unique=True)
    password_hash: Mapped[str] = mapped_column(String(128))
    epoch: Mapped[int] = mapped_column(default=1)
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    password_ends_at: Mapped[datetime | None]


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
