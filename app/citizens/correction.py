"""Correction of a citizen's name: the national platform's word decides, and nobody's who asks for it.

A document number stays: another number is another person until two officers know better.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens import accounts, registration
from app.citizens.document_checks import identities
from app.citizens.documents import DocumentType
from app.citizens.models import Citizen
from app.citizens.registration import Registration
from app.core.encryption import FieldEncryption
from app.core.errors import Problem


def make_form(session: Session, encryption: FieldEncryption, serial: int, name: str, now: datetime) -> Registration:
    """Return what the platform is asked: another name with the document and the phone of the account.

    Raises Problem with the field `/name` for what is no name, and `not-registered`.
    """
    own = accounts.get_own_data(session, encryption, serial)
    if own is None:
        raise Problem("not-registered")
    form = Registration(None, None, own.name, DocumentType(own.document_type), own.document_number, own.phone)
    return registration.validate(replace(form, name=name), now)


def correct_name(session: Session, encryption: FieldEncryption, serial: int, form: Registration, now: datetime) -> None:
    """Give the holder of a locked code the name that the platform has confirmed with their document."""
    citizen = session.get_one(Citizen, serial, populate_existing=True)
    citizen.name_ciphertext = encryption.encrypt("citizens.name", form.name)
    document = (form.document_type, form.document_number)
    identities.change(session, citizen, identities.fingerprint_of(encryption, document, form.name))
    audit.append(session, Actor("citizen", str(serial)), "name-corrected", now, serial=serial)
