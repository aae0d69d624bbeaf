"""Registration and log-in of citizens, and how a person is found by a document.

Owns citizens and accounts. Personal data is sealed before it reaches a row, and masked before it leaves.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens.documents import (
    DocumentType,
    mask_name,
    mask_number,
    mask_phone,
    normalize,
)
from app.citizens.models import Account, Citizen
from app.clock import BEIJING
from app.codes import ledger
from app.errors import FieldError, Problem
from app.passwords import check_password, check_strength, hash_password
from app.vault import Vault

_PHONE = re.compile(r"1[3-9]\d{9}|\+[1-9]\d{6,14}", re.ASCII)
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{3,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Registration:
    """What a person enters to register."""

    username: str
    password: str = field(repr=False)
    name: str = field(repr=False)
    document_type: DocumentType
    document_number: str = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """An account as its holder sees it: masked."""

    username: str
    name: str
    document_type: str
    document_number: str
    phone: str


def register(session: Session, vault: Vault, form: Registration, now: datetime) -> int:
    """Make an account; returns the serial of its code.

    A person whom officers know already by this document keeps the code with its evidence.
    Raises Problem with every bad field, or when the user name or the document has an account.
    """
    form = _checked(form, now)
    password_hash = hash_password(form.password)
    citizen = find_or_add(session, vault, form.document_type, form.document_number, now)
    if session.get(Account, citizen.serial) is not None:
        raise Problem("document-registered")
    if session.scalar(select(Account.serial).filter_by(username=form.username)) is not None:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),))
    citizen.name_sealed = vault.seal("citizens.name", form.name)
    citizen.phone_sealed = vault.seal("citizens.phone", form.phone)
    session.add(Account(serial=citizen.serial, username=form.username, password_hash=password_hash, created_at=now))
    try:
        session.flush()
    except IntegrityError:  # somebody was faster by a moment
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),)) from None
    audit.enter(session, Actor("citizen", str(citizen.serial)), "registered", now, serial=citizen.serial)
    return citizen.serial


def log_in(session: Session, username: str, password: str) -> int:
    """The serial of the account. Raises Problem `wrong-credentials`, whichever of the two is wrong."""
    account = session.scalar(select(Account).filter_by(username=username.strip().lower()))
    check_password(password, account.password_hash if account else None)
    assert account is not None  # check_password refuses where there is none
    return account.serial


def profile(session: Session, vault: Vault, serial: int) -> Profile | None:
    """The account of a code as its holder may see it, or None when the person has not registered."""
    account, citizen = session.get(Account, serial), session.get(Citizen, serial)
    if account is None or citizen is None or citizen.name_sealed is None or citizen.phone_sealed is None:
        return None
    return Profile(
        username=account.username,
        name=mask_name(vault.open("citizens.name", citizen.name_sealed)),
        document_type=citizen.document_type,
        document_number=mask_number(vault.open("citizens.document", citizen.document_sealed)),
        phone=mask_phone(vault.open("citizens.phone", citizen.phone_sealed)),
    )


def find_or_add(session: Session, vault: Vault, kind: DocumentType, number: str, now: datetime) -> Citizen:
    """The person with this normalized document; a new one, with a new code, when nobody has it yet."""
    fingerprint = vault.fingerprint(f"document:{kind}", number)
    by_document = select(Citizen).filter_by(document_hash=fingerprint)
    known = session.scalar(by_document)
    if known is not None:
        return known
    try:
        with session.begin_nested():
            code = ledger.open_code(session, now)
            citizen = Citizen(
                serial=code.serial,
                document_type=kind,
                document_sealed=vault.seal("citizens.document", number),
                document_hash=fingerprint,
                created_at=now,
            )
            session.add(citizen)
            session.flush()
    except IntegrityError:  # entered by somebody else at this very moment
        return session.scalars(by_document).one()
    return citizen


def _checked(form: Registration, now: datetime) -> Registration:
    """The form in its kept spelling. Raises Problem with every bad field at once."""
    wrong: list[FieldError] = []
    username, phone = form.username.strip().lower(), re.sub(r"[\s-]", "", form.phone)
    name = " ".join(unicodedata.normalize("NFC", form.name).split())
    number = form.document_number
    if not _USERNAME.fullmatch(username):
        wrong.append(FieldError("/username", "username-form"))
    if not _PHONE.fullmatch(phone):
        wrong.append(FieldError("/phone", "phone-form"))
    if not _is_name(name):
        wrong.append(FieldError("/name", "name-form"))
    try:
        number = normalize(form.document_type, number, now.astimezone(BEIJING).date())
    except Problem as problem:
        wrong.extend(problem.fields)
    wrong.extend(check_strength(form.password, username))
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    return Registration(username, form.password, name, form.document_type, number, phone)


def _is_name(name: str) -> bool:
    """Letters of any script, with the points and signs that names have."""
    kinds = [unicodedata.category(sign)[0] for sign in name]
    signs = all(kind in "LM" or sign in " ·•.'’-" for sign, kind in zip(name, kinds, strict=True))
    return len(name) >= 2 and "L" in kinds and signs
