"""Registration of citizens: what is wrong with a form, and the account that a valid one makes.

Personal data is encrypted before it reaches a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.audit import Actor, failed_logins
from app.citizens import credentials
from app.citizens.document_checks import identities
from app.citizens.documents import NEEDS_GUARDIAN, DocumentType, normalize
from app.citizens.lookup import find_or_add_evenly, find_serial, hash_of, make_current
from app.citizens.models import Account, Citizen
from app.codes import claims, ledger
from app.codes.claims import Assurance
from app.core.clock import BEIJING
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem, bad_field
from app.core.identity import spelling
from app.core.identity.names import fold_person_name, is_person_name
from app.core.identity.phones import fold_phone, is_phone
from app.core.passwords import hash_password


@dataclass(frozen=True, slots=True)
class Registration:
    """The form by which a citizen registers, with user name and password or with neither.

    Without a phone: WeChat is still to be asked for it, or a clerk at a service window has the document in hand.
    """

    username: str | None
    password: str | None = field(repr=False)
    name: str = field(repr=False)
    document_type: DocumentType
    document_number: str = field(repr=False)
    phone: str | None = field(repr=False)
    phone_by_wechat: bool = False  # WeChat has vouched for it
    wechat_user: int | None = None  # who registers
    clerk: Actor | None = None  # who registers the person before them, with the document in hand

    def assurance(self, *, confirmed: bool) -> Assurance:
        """Return the assurance of the claim, which the platform has confirmed or not.

        A clerk's replaces no account that the platform has confirmed: such a one is recovered, which its holder sees.
        """
        if not confirmed:
            return Assurance.NONE
        return Assurance.VOUCHED if self.phone_by_wechat else Assurance.PLATFORM


def count_mismatch(session: Session, encryption: FieldEncryption, form: Registration, now: datetime) -> None:
    """Count a registration that the platform contradicts, for whose document it is; with an unknown one likewise."""
    serial = find_serial(session, encryption, form.document_type, form.document_number)
    actor = Actor("citizen", "" if serial is None else str(serial))
    failed_logins.count(session, actor, failed_logins.MISMATCHED, now)


def require_same_person(session: Session, encryption: FieldEncryption, held: int, form: Registration) -> None:
    """Require that who holds a code registers anew as its person. Raises Problem `already-registered`.

    Whom the platform has confirmed, and does not know so any more, has the document corrected: with another one as
    somebody else they would leave their record behind.
    """
    known = find_serial(session, encryption, form.document_type, form.document_number)
    if known != held and ledger.get_code(session, held).confirmed_at is not None:
        raise Problem("already-registered")


def register(
    session: Session, encryption: FieldEncryption, form: Registration, now: datetime, *, confirmed: bool = False
) -> int:
    """Create an account and return the serial of its code; `confirmed` by the platform, the holder sees all of it.

    A citizen whom officers have recorded by this document keeps the code with its evidence. Raises Problem with every
    bad field, when the user name has an account, and only then when the document has one that does not give way.
    """
    form = validate(form, now)
    assert form.phone is not None or form.clerk is not None  # the caller has asked WeChat by now
    # before the document is looked up: the answer reveals nothing of it
    credentials.check_username_free(session, form.username, form.wechat_user)
    password_hash = None if form.password is None else hash_password(form.password)
    document = form.document_type, form.document_number
    citizen = find_or_add_evenly(session, encryption, *document, now)
    is_former = citizen.document_fingerprint != hash_of(encryption, document)
    _replace_account(session, citizen, form.assurance(confirmed=confirmed), now, is_former=is_former)
    if is_former:  # of somebody who has erased their account
        make_current(session, encryption, citizen, document, now)
    citizen.name_ciphertext = encryption.encrypt("citizens.name", form.name)
    citizen.phone_ciphertext = None if form.phone is None else encryption.encrypt("citizens.phone", form.phone)
    identities.change(session, citizen, identities.fingerprint_of(encryption, document, form.name))
    account = Account(serial=citizen.serial, username=form.username, password_hash=password_hash, created_at=now)
    account.phone_proven_at = now if form.phone_by_wechat else None
    account.attested_at = now if form.clerk is not None else None
    account.registered_by = form.wechat_user
    credentials.add_account(session, account)
    actor = form.clerk or Actor("citizen", str(citizen.serial))
    now = claims.claim(session, citizen.serial, actor=actor, now=now)
    if confirmed:
        claims.confirm(session, citizen.serial, now)
    return citizen.serial


def _replace_account(
    session: Session, citizen: Citizen, assurance: Assurance, now: datetime, *, is_former: bool
) -> None:
    """Delete an account that gives way to this assurance. Raises Problem `document-registered` for any other.

    None gives way to a former document: its number may have been given to somebody else.
    """
    account = session.get(Account, citizen.serial)
    if account is None:
        return
    code = ledger.lock_code(session, citizen.serial)
    held = claims.assurance_of(code, is_vouched=account.is_vouched and not account.opens_nothing)
    if is_former or not claims.gives_way(code, held, assurance, now):
        raise Problem("document-registered")
    session.delete(account)
    session.flush()


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
    if form.document_type in NEEDS_GUARDIAN and form.clerk is None:
        errors.append(FieldError("/document/type", "needs-guardian"))
    try:
        number = normalize(form.document_type, number, now.astimezone(BEIJING).date())
    except Problem as problem:
        errors.extend(problem.fields if number.strip() else [FieldError("/document/number", "number-needed")])
    if phone is not None and not is_phone(phone):
        errors.append(FieldError("/phone", "phone-form" if phone else "phone-needed"))
    if (username, form.password) != (None, None):
        errors.extend(credentials.find_errors(username or "", form.password or ""))
    if errors:
        raise Problem("invalid-request", fields=tuple(errors))
    return replace(form, username=username, name=name, document_number=number, phone=phone)


def normalize_phone(country_code: str, number: str) -> str:
    """Return WeChat's phone number in our spelling. Raises Problem with the field `/phone_code` for a bad one."""
    phone = fold_phone(f"+{fold_phone(country_code).lstrip('+0')}{number}")
    if not is_phone(phone):
        raise bad_field("/phone_code", "phone-form")
    return phone
