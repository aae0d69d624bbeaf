"""Tables of messages about accounts, and of text messages: what may still be sent, to a number and on a day."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Date,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class AccountMessage(Base):
    """A message that is about no color of its recipient: of a recovery, a correction, an answer, or a family member.

    `about` is the number of what it is about. Those who were bound in WeChat have a row each, by `user_id`; that with 0
    is for the phone of the person, where none of the others reached anybody. Names nobody; deleted after 30 days.
    """

    __tablename__ = "account_messages"
    __table_args__ = (
        UniqueConstraint("kind", "about", "serial", "user_id"),
        Index("ix_account_messages_official", "msgid", postgresql_where=text("channel = 'official'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    about: Mapped[int] = mapped_column(BigInteger)
    serial: Mapped[int] = mapped_column(BigInteger, index=True)
    user_id: Mapped[int] = mapped_column(BigInteger, index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    delivery: Mapped[str] = mapped_column(String(20), default="waiting")
    channel: Mapped[str | None] = mapped_column(String(12))
    error: Mapped[str | None] = mapped_column(String(40))
    msgid: Mapped[str | None] = mapped_column(String(64))
    updated_at: Mapped[datetime | None]


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
