"""Tables of the check stations. They keep who may scan, and counts; never who passed where."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class Station(Base):
    """A place where codes are checked."""

    __tablename__ = "stations"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    district: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]


class Inspector(Base):
    """A person who may scan at one station; `epoch` ends their sessions when it changes."""

    __tablename__ = "inspectors"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    username: Mapped[str] = mapped_column(String(32), unique=True)
    password_hash: Mapped[str] = mapped_column(String(128))
    epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
