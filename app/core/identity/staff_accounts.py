"""Accounts of officers and inspectors alike: a password that somebody else gives, and the one that its owner chooses.

Who gives a password knows it, so it opens nothing but the choice of another, and ends if it is not used in time.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.errors import FieldError, Problem
from app.core.passwords import find_password_errors, generate_password, given_until, hash_password, verify_password


class StaffAccount:
    """The columns of such an account.

    `must_change_password`: somebody else knows the password, and its owner chooses another at the next log-in, until
    `password_ends_at`.
    """

    username: Mapped[str] = mapped_column(String(32), unique=True)
    password_hash: Mapped[str] = mapped_column(String(128))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    password_ends_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    def lacks_password(self, now: datetime) -> bool:
        """Return whether somebody has to set a password before the owner can log in."""
        return self.password_ends_at is not None and self.password_ends_at <= now

    def is_open(self, now: datetime) -> bool:
        """Return whether the right password opens the account."""
        return self.disabled_at is None and not self.lacks_password(now)


def give_password(account: StaffAccount, now: datetime, password: str | None = None) -> str:
    """Give a locked account a password, made here unless it is there, and return it; the caller ends its sessions."""
    given = password or generate_password()
    account.password_hash, account.must_change_password = hash_password(given), True
    account.password_ends_at = given_until(now)
    return given


def choose_password(session: Session, account: StaffAccount, current: str, new: str, pointer: str) -> None:
    """Set the password that the owner chooses; the caller ends the other sessions.

    Raises Problem `wrong-credentials` for the current one, or with what is wrong with the new one, which is at the
    pointer.
    """
    session.refresh(account, with_for_update=True)  # another may have been set since the account was read
    verify_password(current, account.password_hash)
    wrong = find_password_errors(new, account.username)
    if wrong := [FieldError(pointer, "password-same")] if new == current else wrong:
        raise Problem("invalid-request", fields=tuple(replace(one, pointer=pointer) for one in wrong))
    account.password_hash, account.must_change_password = hash_password(new), False
    account.password_ends_at = None
