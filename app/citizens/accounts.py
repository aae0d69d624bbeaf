"""Accounts of citizens: log-in and profile.

Personal data is masked before it leaves, but for `OwnData`, which its holder exports. `lookup` finds citizens,
`registration` makes accounts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor, failed_logins
from app.citizens.documents import mask_name, mask_number, mask_phone
from app.citizens.models import Account, Citizen
from app.codes import ledger
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.core.identity import spelling
from app.core.passwords import verify_password


@dataclass(frozen=True, slots=True)
class Profile:
    """An account as its holder sees it, masked. `username` is empty until one is chosen.

    Without a phone: the holder withdrew the number in WeChat.
    """

    username: str
    name: str
    document_type: str
    document_number: str
    phone: str | None


class OwnData(NamedTuple):
    """An account in the clear, for its holder alone. `username` is empty until one is chosen."""

    username: str
    name: str
    document_type: str
    document_number: str
    phone: str | None
    registered_at: datetime
    text_messages: bool


def log_in(session: Session, username: str, password: str) -> Account:
    """Return the account. Raises Problem `wrong-credentials`, whichever of the two is wrong."""
    account = session.scalar(select(Account).filter_by(username=spelling.fold_username(username)))
    verify_password(password, account.password_hash if account else None)
    assert account is not None  # verify_password raises without an account
    return account


def count_failed_login(session: Session, username: str, now: datetime) -> None:
    """Count a wrong log-in for the audit; for an unknown name the same work is done."""
    serial = session.scalar(select(Account.serial).filter_by(username=spelling.fold_username(username)))
    failed_logins.count(session, Actor("citizen", "" if serial is None else str(serial)), "login-failed", now)


def relock(session: Session, account: Account) -> None:
    """Lock the code of an account that logs in. Raises Problem `wrong-credentials` if the account was replaced."""
    ledger.lock_code(session, account.serial)
    password_hash = account.password_hash
    current = session.get(Account, account.serial, populate_existing=True)
    if current is None or current.password_hash != password_hash:
        raise Problem("wrong-credentials")


def get_profile(session: Session, encryption: FieldEncryption, serial: int) -> Profile | None:
    """Return the account of a code as its holder may see it, or None when the citizen has not registered."""
    own = get_own_data(session, encryption, serial)
    if own is None:
        return None
    return Profile(
        username=own.username,
        name=mask_name(own.name),
        document_type=own.document_type,
        document_number=mask_number(own.document_number),
        phone=mask_phone(own.phone) if own.phone else None,
    )


def get_own_data(session: Session, encryption: FieldEncryption, serial: int) -> OwnData | None:
    """Return the account of a code unmasked, or None when the citizen has not registered."""
    # always read, for whether a row of this transaction is still in memory differs with how the citizen was found
    account = session.get(Account, serial, populate_existing=True)
    citizen = session.get(Citizen, serial, populate_existing=True)
    if account is None or citizen is None or citizen.name_ciphertext is None or citizen.document_ciphertext is None:
        return None
    return OwnData(
        username=account.username or "",
        name=encryption.decrypt("citizens.name", citizen.name_ciphertext),
        document_type=citizen.document_type,
        document_number=encryption.decrypt("citizens.document", citizen.document_ciphertext),
        phone=encryption.decrypt("citizens.phone", citizen.phone_ciphertext) if citizen.phone_ciphertext else None,
        registered_at=account.created_at,
        text_messages=account.sms_on,
    )
