"""Registration and log-in of citizens, and how a person is found by a document.

Owns citizens and accounts. Personal data is sealed before it reaches a row, and masked before it leaves.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens.documents import DocumentType, mask_name, mask_number, mask_phone, normalize
from app.citizens.models import Account, Citizen
from app.codes import claims, ledger
from app.core.clock import BEIJING
from app.core.db import among, insert_rows
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem, bad_field
from app.core.passwords import check_strength, hash_password, verify_password

Document = tuple[DocumentType, str]  # with its normalized number

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
    phone: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """An account as its holder sees it: masked. Without a phone: its holder took that number back in WeChat."""

    username: str
    name: str
    document_type: str
    document_number: str
    phone: str | None


def register(session: Session, encryption: FieldEncryption, form: Registration, now: datetime) -> int:
    """Make an account; returns the serial of its code.

    A person whom officers know already by this document keeps the code with its evidence.
    Raises Problem with every bad field, or when the user name or the document has an account.
    """
    form = validate(form, now)
    assert form.phone is not None  # the caller has asked WeChat by now
    password_hash = hash_password(form.password)
    citizen = find_or_add(session, encryption, form.document_type, form.document_number, now)
    _replace_account(session, citizen.serial, now)
    check_username_free(session, form.username)
    citizen.name_ciphertext = encryption.encrypt("citizens.name", form.name)
    citizen.phone_ciphertext = encryption.encrypt("citizens.phone", form.phone)
    session.add(Account(serial=citizen.serial, username=form.username, password_hash=password_hash, created_at=now))
    try:
        session.flush()
    except IntegrityError:  # somebody was faster by a moment
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),)) from None
    actor = Actor("citizen", str(citizen.serial))
    claims.claim(session, citizen.serial, actor=actor, now=now)
    audit.append(session, actor, "registered", now, serial=citizen.serial)
    return citizen.serial


def _replace_account(session: Session, serial: int, now: datetime) -> None:
    """Make room for a new account. Raises Problem `document-registered` where one is there to stay."""
    account = session.get(Account, serial)
    if account is None:
        return
    if not claims.can_be_claimed(ledger.lock_code(session, serial), now):
        raise Problem("document-registered")
    session.delete(account)
    session.flush()


def check_username_free(session: Session, username: str) -> None:
    """Raises Problem `username-taken` when an account has this name, in its kept spelling."""
    if session.scalar(select(Account.serial).filter_by(username=username)) is not None:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),))


def log_in(session: Session, username: str, password: str) -> Account:
    """The account. Raises Problem `wrong-credentials`, whichever of the two is wrong."""
    account = session.scalar(select(Account).filter_by(username=username.strip().lower()))
    verify_password(password, account.password_hash if account else None)
    assert account is not None  # check_password refuses where there is none
    return account


def relock(session: Session, account: Account) -> None:
    """Lock the code of an account that logs in. Raises Problem `wrong-credentials` when it is another's by now."""
    ledger.lock_code(session, account.serial)
    now_there = session.get(Account, account.serial, populate_existing=True)
    if now_there is None or now_there.password_hash != account.password_hash:
        raise Problem("wrong-credentials")


def get_profile(session: Session, encryption: FieldEncryption, serial: int) -> Profile | None:
    """The account of a code as its holder may see it, or None when the person has not registered."""
    account, citizen = session.get(Account, serial), session.get(Citizen, serial)
    if account is None or citizen is None or citizen.name_ciphertext is None or citizen.document_ciphertext is None:
        return None
    phone = encryption.decrypt("citizens.phone", citizen.phone_ciphertext) if citizen.phone_ciphertext else None
    return Profile(
        username=account.username,
        name=mask_name(encryption.decrypt("citizens.name", citizen.name_ciphertext)),
        document_type=citizen.document_type,
        document_number=mask_number(encryption.decrypt("citizens.document", citizen.document_ciphertext)),
        phone=mask_phone(phone) if phone else None,
    )


def find_serial(session: Session, encryption: FieldEncryption, kind: DocumentType, number: str) -> int | None:
    """The serial of the person with this normalized document, or None when nobody has it."""
    return session.scalar(
        select(Citizen.serial).filter_by(document_hash=encryption.fingerprint(f"document:{kind}", number))
    )


def find_or_add(
    session: Session, encryption: FieldEncryption, kind: DocumentType, number: str, now: datetime
) -> Citizen:
    """The person with this normalized document; a new one, with a new code, when nobody has it yet.

    Who had been erased is known again: the same person with the same code, whose evidence was kept.
    """
    fingerprint = encryption.fingerprint(f"document:{kind}", number)
    by_document = select(Citizen).filter_by(document_hash=fingerprint).with_for_update(key_share=True)
    known = session.scalar(by_document)
    if known is not None:
        if known.document_ciphertext is None:
            known.document_ciphertext, known.erased_at = encryption.encrypt("citizens.document", number), None
        return known
    try:
        with session.begin_nested():
            code = ledger.create_code(session, now)
            citizen = Citizen(
                serial=code.serial,
                document_type=kind,
                document_ciphertext=encryption.encrypt("citizens.document", number),
                document_hash=fingerprint,
                created_at=now,
            )
            session.add(citizen)
            session.flush()
    except IntegrityError:  # entered by somebody else at this very moment
        return session.scalars(by_document).one()
    return citizen


def find_or_add_many(
    session: Session, encryption: FieldEncryption, documents: Collection[Document], now: datetime
) -> tuple[dict[Document, int], int]:
    """The serials of the people with these normalized documents, as `find_or_add` does for one; and how many are new.

    New people are added in the order of their hashes and rows locked in that of their serials: two lists with the same
    people wait for each other and not in a circle.
    """
    hashes = {encryption.fingerprint(f"document:{kind}", number): (kind, number) for kind, number in documents}
    known, added = find_many(session, hashes), 0
    while len(known) < len(hashes):
        unknown = {hash_: hashes[hash_] for hash_ in sorted(hashes.keys() - known.keys())}
        try:
            with session.begin_nested():
                _add_many(session, encryption, unknown, now)
            added += len(unknown)
        except IntegrityError:  # somebody else entered one of them at this very moment
            pass
        known = find_many(session, hashes)
    _lock_many(session, encryption, hashes)
    return {hashes[hash_]: serial for hash_, serial in known.items()}, added


def find_many(session: Session, hashes: Collection[bytes]) -> dict[bytes, int]:
    """The serials of those whose document has one of these hashes, by hash."""
    rows = select(Citizen.document_hash, Citizen.serial).where(among(Citizen.document_hash, hashes))
    return {row.document_hash: row.serial for row in session.execute(rows)}


def _add_many(session: Session, encryption: FieldEncryption, people: Mapping[bytes, Document], now: datetime) -> None:
    serials = ledger.create_codes(session, len(people), now)
    rows = [
        {
            "serial": serial,
            "document_type": kind,
            "document_ciphertext": encryption.encrypt("citizens.document", number),
            "document_hash": hash_,
            "created_at": now,
        }
        for serial, (hash_, (kind, number)) in zip(serials, people.items(), strict=True)
    ]
    insert_rows(session, Citizen, rows)


def _lock_many(session: Session, encryption: FieldEncryption, hashes: Mapping[bytes, Document]) -> None:
    """Lock people's rows until the transaction ends; who had been erased is known again."""
    rows = select(Citizen.document_hash, Citizen.document_ciphertext.is_(None).label("erased"))
    rows = rows.where(among(Citizen.document_hash, hashes)).order_by(Citizen.serial).with_for_update(key_share=True)
    for row in session.execute(rows).all():
        if row.erased:
            sealed = encryption.encrypt("citizens.document", hashes[row.document_hash][1])
            again = update(Citizen).where(Citizen.document_hash == row.document_hash)
            session.execute(again.values(document_ciphertext=sealed, erased_at=None))


def validate(form: Registration, now: datetime) -> Registration:
    """The form in its kept spelling; a phone that is None is still to come from WeChat.

    Raises Problem with every bad field at once.
    """
    wrong: list[FieldError] = []
    username = form.username.strip().lower()
    phone = None if form.phone is None else re.sub(r"[\s-]", "", form.phone)
    name = " ".join(unicodedata.normalize("NFC", form.name).split())
    number = form.document_number
    if not _USERNAME.fullmatch(username):
        wrong.append(FieldError("/username", "username-form"))
    if phone is not None and not _PHONE.fullmatch(phone):
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


def normalize_phone(country_code: str, number: str) -> str:
    """WeChat's phone number in its kept spelling. Raises Problem for `/phone_code` when it can be none."""
    phone = number if country_code == "86" else f"+{country_code}{number}"
    if not _PHONE.fullmatch(phone):
        raise bad_field("/phone_code", "phone-form")
    return phone


def _is_name(name: str) -> bool:
    """Letters of any script, with the points and signs that names have."""
    kinds = [unicodedata.category(sign)[0] for sign in name]
    signs = all(kind in "LM" or sign in " ·•.'’-" for sign, kind in zip(name, kinds, strict=True))
    return len(name) >= 2 and "L" in kinds and signs
