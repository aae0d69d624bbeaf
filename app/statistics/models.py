"""The table of what was counted for the console: numbers of hours and days, of nobody in particular."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class StatisticCount(Base):
    """How much of one thing there was: in the hour that begins at `at`, or for colors on that day of Beijing.

    `district` is empty for what belongs to none. The row with an empty key says that the hour or day was counted, so
    that what nobody has counted is told apart from nothing.
    """

    __tablename__ = "statistic_counts"

    figure: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime]
