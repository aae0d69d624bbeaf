"""Tables of the service windows: who was looked up by whom, holds of clerks, statements, recoveries.

No name and no number is kept: people are serials, as in the audit.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class WindowLookup(Base):
    """One look-up at a window, which counts for the ceiling of the clerk.

    With a serial it is a visit: until `ends_at` the clerk acts for this person. Without, nobody was shown.
    """

    __tablename__ = "window_lookups"
    __table_args__ = (Index("ix_window_lookups_officer_id_at", "officer_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"))
    at: Mapped[datetime] = mapped_column(index=True)
    serial: Mapped[int | None] = mapped_column(BigInteger)
    ends_at: Mapped[datetime | None]


class WindowHold(Base):
    """A clerk who reached a ceiling looks nobody up until an auditor has cleared it; `span` is that of the ceiling."""

    __tablename__ = "window_holds"
    __table_args__ = (
        Index("uq_window_holds_open", "officer_id", unique=True, postgresql_where=text("cleared_at is null")),
        Index("ix_window_holds_officer_id_cleared_at", "officer_id", "cleared_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"))
    at: Mapped[datetime]
    span: Mapped[str] = mapped_column(String(4))
    lookups: Mapped[int]
    cleared_at: Mapped[datetime | None]
    cleared_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))
    reason: Mapped[str | None] = mapped_column(String(30))


class WindowStatement(Base):
    """A declaration with a symptom or a contact, made at a window: evidence once a second officer has confirmed it.

    `state`: waiting, confirmed, refused or lapsed. What was stated is deleted when it is resolved.
    """

    __tablename__ = "window_statements"
    __table_args__ = (Index("ix_window_statements_waiting", "recorded_at", postgresql_where=text("state = 'waiting'")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, index=True)
    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    recorded_at: Mapped[datetime]
    symptoms: Mapped[list[str] | None] = mapped_column(ARRAY(String(30)))
    contact_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))


class Recovery(Base):
    """A recovery of an account at a window, to which those who were bound may object for a day.

    `state`: done, objected, kept or undone. `registered_by` is what the account had.
    """

    __tablename__ = "recoveries"
    __table_args__ = (Index("ix_recoveries_objected", "at", postgresql_where=text("state = 'objected'")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, index=True)
    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"))
    officer_id: Mapped[int] = mapped_column(ForeignKey("officers.id"))
    at: Mapped[datetime] = mapped_column(index=True)
    registered_by: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10), default="done")
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("officers.id"))


class FormerBinding(Base):
    """A WeChat user who was bound to an account that was recovered."""

    __tablename__ = "former_bindings"

    recovery_id: Mapped[int] = mapped_column(ForeignKey("recoveries.id", ondelete="CASCADE"), primary_key=True)
    wechat_user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)
    objected_at: Mapped[datetime | None]
