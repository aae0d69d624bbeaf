"""Registration, log-in and profile of citizens.

Owns accounts. Personal data is encrypted before it reaches a row, and masked before it leaves; `lookup` finds citizens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, failed_logins
from app.citizens.documents import NEEDS_GUARDIAN, DocumentType, mask_name, mask_number, mask_phone, normalize
from app.citizens.lookup import find_or_add_evenly, find_serial
from app.citizens.models import Account, Citizen
from app.codes import claims, ledger
from app.codes.claims import Assurance
from app.core.clock import BEIJING
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem, bad_field
from app.core.identity import spelling
from app.core.identity.names import fold_person_name, is_person_name
from app.core.identity.phones import fold_phone, is_phone
from app.core.passwords import MIN_LENGTH, find_password_errors, hash_password, verify_password


@dataclass(frozen=True, slots=True)
class Registration:
    """The form by which a citizen registers, with user name and password or with neither.

    Without a phone: WeChat is still to be asked for it.
    """

    username: str | None
    password: str | None = field(repr=False)
    name: str = field(repr=False)
    document_type: DocumentType
    document_number: str = field(repr=False)
    phone: str | None = field(repr=False)
    phone_by_wechat: bool = False  # WeChat has vouched for it
    wechat_user: int | None = None  # who registers

    def assurance(self, *, confirmed: bool) -> Assurance:
        """Return the assurance of the claim, which the platform has confirmed or not."""
        if not confirmed:
            return Assurance.NONE
        return Assurance.PHONE if self.phone_by_wechat else Assurance.PLATFORM


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


def register(
    session: Session, encryption: FieldEncryption, form: Registration, now: datetime, *, confirmed: bool = False
) -> int:
    """Create an account and return the serial of its code; `confirmed` by the platform, the holder sees all of it.

    A citizen whom officers have recorded by this document keeps the code with its evidence. Raises Problem with every
    bad field, when the user name has an account, and only then when the document has one that does not give way.
    """
    form = validate(form, now)
    assert form.phone is not None  # the caller has asked WeChat by now
    # before the document is looked up: the answer reveals nothing of it
    check_username_free(session, form.username, form.wechat_user)
    password_hash = None if form.password is None else hash_password(form.password)
    citizen = find_or_add_evenly(session, encryption, form.document_type, form.document_number, now)
    _replace_account(session, citizen.serial, form.assurance(confirmed=confirmed), now)
    citizen.name_ciphertext = encryption.encrypt("citizens.name", form.name)
    citizen.phone_ciphertext = encryption.encrypt("citizens.phone", form.phone)
    account = Account(serial=citizen.serial, username=form.username, password_hash=password_hash, created_at=now)
    account.phone_proven_at = now if form.phone_by_wechat else None
    account.registered_by = form.wechat_user
    _add_account(session, account)
    actor = Actor("citizen", str(citizen.serial))
    now = claims.claim(session, citizen.serial, actor=actor, now=now)
    if confirmed:
        claims.confirm(session, citizen.serial, now)
    audit.append(session, actor, "registered", now, serial=citizen.serial)
    return citizen.serial


def _add_account(session: Session, account: Account) -> None:
    session.add(account)
    try:
        session.flush()
    except IntegrityError:  # another transaction took the name at this moment
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),)) from None


def _replace_account(session: Session, serial: int, assurance: Assurance, now: datetime) -> None:
    """Delete an account that gives way to this assurance. Raises Problem `document-registered` for any other."""
    account = session.get(Account, serial)
    if account is None:
        return
    code = ledger.lock_code(session, serial)
    held = claims.assurance_of(code, by_wechat=account.phone_proven_at is not None)
    if not claims.gives_way(code, held, assurance, now):
        raise Problem("document-registered")
    session.delete(account)
    session.flush()


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


def count_mismatch(session: Session, encryption: FieldEncryption, form: Registration, now: datetime) -> None:
    """Count a registration that the platform contradicts, for whose document it is; with an unknown one likewise."""
    serial = find_serial(session, encryption, form.document_type, form.document_number)
    actor = Actor("citizen", "" if serial is None else str(serial))
    failed_logins.count(session, actor, failed_logins.MISMATCHED, now)


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


def prepare_credentials(username: str, password: str) -> tuple[str, str]:
    """Return a user name in its normalized spelling and the hash of a password. Raises Problem with every bad field."""
    username = spelling.fold_username(username)
    if wrong := _find_credential_errors(username, password):
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
    _add_account(session, account)
    audit.append(session, Actor("citizen", str(serial)), "credentials-chosen", now, serial=serial)


def relock(session: Session, account: Account) -> None:
    """Lock the code of an account that logs in. Raises Problem `wrong-credentials` if the account was replaced."""
    ledger.lock_code(session, account.serial)
    password_hash = account.password_hash
    current = session.get(Account, account.serial, populate_existing=True)
    if current is None or current.password_hash != password_hash:
        raise Problem("wrong-credentials")


def get_profile(session: Session, encryption: FieldEncryption, serial: int) -> Profile | None:
    """Return the account of a code as its holder may see it, or None when the citizen has not registered."""
    # always read, for whether a row of this transaction is still in memory differs with how the citizen was found
    account = session.get(Account, serial, populate_existing=True)
    citizen = session.get(Citizen, serial, populate_existing=True)
    if account is None or citizen is None or citizen.name_ciphertext is None or citizen.document_ciphertext is None:
        return None
    phone = encryption.decrypt("citizens.phone", citizen.phone_ciphertext) if citizen.phone_ciphertext else None
    return Profile(
        username=account.username or "",
        name=mask_name(encryption.decrypt("citizens.name", citizen.name_ciphertext)),
        document_type=citizen.document_type,
        document_number=mask_number(encryption.decrypt("citizens.document", citizen.document_ciphertext)),
        phone=mask_phone(phone) if phone else None,
    )


def validate(form: Registration, now: datetime, wrong: Sequence[FieldError] = ()) -> Registration:
    """Return the form with normalized values; the phone may still be missing.

    Raises Problem with every bad field at once, and with those that were found `wrong` before.
    """
    errors = list(wrong)
    username = None if form.username is None else spelling.fold_username(form.username)
    phone = None if form.phone is None else fold_phone(form.phone)
    name, number = fold_person_name(form.name), form.document_number
    if not is_person_name(name):
        errors.append(FieldError("/name", "name-form" if name else "name-needed"))
    if form.document_type in NEEDS_GUARDIAN:
        errors.append(FieldError("/document/type", "needs-guardian"))
    try:
        number = normalize(form.document_type, number, now.astimezone(BEIJING).date())
    except Problem as problem:
        errors.extend(problem.fields if number.strip() else [FieldError("/document/number", "number-needed")])
    if phone is not None and not is_phone(phone):
        errors.append(FieldError("/phone", "phone-form" if phone else "phone-needed"))
    if (username, form.password) != (None, None):
        errors.extend(_find_credential_errors(username or "", form.password or ""))
    if errors:
        raise Problem("invalid-request", fields=tuple(errors))
    return replace(form, username=username, name=name, document_number=number, phone=phone)


def _find_credential_errors(username: str, password: str) -> list[FieldError]:
    """Return what is wrong with a user name in its normalized spelling, and with a password."""
    wrong = find_password_errors(password, username, MIN_LENGTH)
    if not spelling.USERNAME.fullmatch(username):
        wrong.insert(0, FieldError("/username", "username-form" if username else "username-needed"))
    return wrong


def normalize_phone(country_code: str, number: str) -> str:
    """Return WeChat's phone number in our spelling. Raises Problem with the field `/phone_code` for a bad one."""
    phone = fold_phone(f"+{fold_phone(country_code).lstrip('+0')}{number}")
    if not is_phone(phone):
        raise bad_field("/phone_code", "phone-form")
    return phone
