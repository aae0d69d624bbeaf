"""Tables of text messages: what may still be sent, to a number and on a day."""

from datetime import date, datetime

from sqlalchemy import Date, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class SmsNumber(Base):
    """A phone number, by its keyed hash alone: how many messages it was sent on its last day, whoever it belongs to.

    `stopped_at`: when somebody replied from it that they want no more; `undeliverable_until`: until when it is not
    tried, because it does not exist or takes no messages.
    """

    __tablename__ = "sms_numbers"

    number_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    day: Mapped[date] = mapped_column(Date, index=True)
    messages: Mapped[int] = mapped_column(SmallInteger)
    stopped_at: Mapped[datetime | None]
    undeliverable_until: Mapped[datetime | None]


class SmsSpending(Base):
    """How many messages were charged for a day of Beijing: of the whole installation ("") and of each district."""

    __tablename__ = "sms_spending"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    district: Mapped[str] = mapped_column(String(40), primary_key=True)
    messages: Mapped[int]
