"""User name and password of a citizen, both or neither: what is wrong with them, and how they change."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens.accounts import relock
from app.citizens.models import Account
from app.codes import ledger
from app.core.errors import FieldError, Problem
from app.core.identity import spelling
from app.core.passwords import MIN_LENGTH, find_password_errors, hash_password, verify_password


def find_errors(username: str, password: str) -> list[FieldError]:
    """Return what is wrong with a user name in its normalized spelling, and with a password."""
    wrong = find_password_errors(password, username, MIN_LENGTH)
    if not spelling.USERNAME.fullmatch(username):
        wrong.insert(0, FieldError("/username", "username-form" if username else "username-needed"))
    return wrong


def check_username_free(session: Session, username: str | None, wechat_user: int | None = None) -> None:
    """Raise Problem `username-taken` when an account has this name, in its normalized spelling.

    Not for an account that the same WeChat user has registered: they may register anew and keep the name.
    """
    if username is None:
        return
    of_others = or_(Account.registered_by.is_(None), Account.registered_by != wechat_user)
    if session.scalar(select(Account.serial).where(Account.username == username, of_others)) is not None:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),))


def is_username_of(session: Session, serial: int, username: str) -> bool:
    """Return whether the account of a code has this user name, in its folded spelling."""
    return session.scalar(select(Account.username).filter_by(serial=serial)) == username


def add_account(session: Session, account: Account) -> None:
    """Add an account, or a user name to one. Raises Problem when another transaction took the name at this moment."""
    session.add(account)
    try:
        session.flush()
    except IntegrityError:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),)) from None


def prepare_credentials(username: str, password: str) -> tuple[str, str]:
    """Return a user name in its normalized spelling and the hash of a password. Raises Problem with every bad field."""
    username = spelling.fold_username(username)
    if wrong := find_errors(username, password):
        raise Problem("invalid-request", fields=tuple(wrong))
    return username, hash_password(password)


def choose_credentials(session: Session, serial: int, username: str, password_hash: str, now: datetime) -> None:
    """Give an account its first user name and password. Raises Problem when it has them, or the name is taken."""
    ledger.lock_code(session, serial)
    account = session.get(Account, serial, populate_existing=True)
    if account is None:
        raise Problem("not-registered")
    if account.username is not None:
        raise Problem("credentials-chosen")
    check_username_free(session, username)
    account.username, account.password_hash = username, password_hash
    add_account(session, account)
    audit.append(session, Actor("citizen", str(serial)), "credentials-chosen", now, serial=serial)


def check_own_password(session: Session, serial: int, password: str, pointer: str = "/current") -> Account:
    """Return the account of a code. Raises Problem `wrong-credentials` with the field of the current password."""
    account = session.get(Account, serial)
    try:
        verify_password(password, account.password_hash if account else None)
    except Problem as problem:
        raise Problem(problem.slug, fields=(FieldError(pointer, "password-wrong"),)) from None
    assert account is not None  # verify_password raises without an account
    return account


def hash_new_password(account: Account, current: str, new: str) -> str:
    """Return the hash of a new password. Raises Problem with what is wrong with it."""
    wrong = find_password_errors(new, account.username or "", MIN_LENGTH)
    if new == current:
        wrong = [FieldError("/password", "password-same")]
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return hash_password(new)


def set_password(session: Session, account: Account, password_hash: str, now: datetime) -> None:
    """Set another password and end every session. Raises Problem `wrong-credentials` if the account was replaced."""
    relock(session, account)
    actor = Actor("citizen", str(account.serial))
    session.get_one(Account, account.serial).password_hash = password_hash
    ledger.end_sessions(session, account.serial, actor=actor, now=now)
    audit.append(session, actor, "password-changed", now, serial=account.serial)
