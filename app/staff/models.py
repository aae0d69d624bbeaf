"""Tables of the health officers: accounts with roles and districts, service windows, and sessions at the console."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Identity, LargeBinary, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


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


class Officer(Base):
    """A health officer; `totp_step` is the last half minute whose code was used, so that a code works once.

    `must_change_password`: somebody else knows the password, and it can be used only to change it, until
    `password_ends_at`. That of an account that nobody has confirmed yet is the moment it was added. `window_id` is
    where a clerk works.
    """

    __tablename__ = "officers"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    username: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    password_hash: Mapped[str] = mapped_column(String(128))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    password_ends_at: Mapped[datetime | None]
    totp_ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    roles: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    district: Mapped[str | None] = mapped_column(String(40))
    window_id: Mapped[int | None] = mapped_column(ForeignKey("windows.id"), index=True)
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    def lacks_password(self, now: datetime) -> bool:
        """Return whether somebody has to set a password before the officer can log in."""
        return self.password_ends_at is not None and self.password_ends_at <= now


class OfficerSession(Base):
    """A session at the console; the token itself is in the officer's browser alone."""

    __tablename__ = "officer_sessions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officers.id"), index=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
