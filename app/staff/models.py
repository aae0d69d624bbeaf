"""Tables of the health officers: accounts with roles and districts, service windows, and sessions at the console."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, LargeBinary, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.identity.staff_accounts import StaffAccount
from app.core.identity.staff_sessions import StaffSession


class Role(StrEnum):
    """The roles of officers; one officer may have several. The slugs are permanent."""

    RECORDER = "recorder"
    APPROVER = "approver"
    APPEALS = "appeals"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    CLERK = "clerk"


class Window(Base):
    """A service window, where clerks act for people who are present; `place` is its address."""

    __tablename__ = "windows"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    place: Mapped[str] = mapped_column(String(120))
    district: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Officer(StaffAccount, Base):
    """A health officer; `totp_step` is the last half minute whose code was used, so that a code works once.

    `password_ends_at` of an account that nobody has confirmed yet is the moment it was added. `window_id` is where a
    clerk works.
    """

    __tablename__ = "officers"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    totp_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    district: Mapped[str | None] = mapped_column(String(40))
    window_id: Mapped[int | None] = mapped_column(ForeignKey("windows.id"), index=True)


class OfficerSession(StaffSession, Base):
    """A session at the console; the token itself is in the officer's browser alone."""

    __tablename__ = "officer_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officers.id"), index=True)
