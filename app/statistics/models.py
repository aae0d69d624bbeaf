"""The table of counts for the console: numbers by hour and day, without any person."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class StatisticCount(Base):
    """A number of one hour, which begins at `at`, or for colors of that Beijing day.

    `district` is empty where there is none. The row with an empty key says that the hour or day was counted, which sets
    zero apart from not counted.
    """

    __tablename__ = "statistic_counts"

    figure: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime]
