"""A person as somebody else names them: name and document, cleaned and checked as in a registration."""

from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.citizens.documents import NEEDS_GUARDIAN, DocumentType, birth_date, normalize
from app.citizens.lookup import hash_of
from app.citizens.models import Citizen
from app.core.clock import BEIJING
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem
from app.core.identity.names import fold_person_name, is_person_name

_HASH_BYTES = 15


class Person(NamedTuple):
    """Name, kind of document and number."""

    name: str
    kind: DocumentType
    number: str

    @property
    def born_on(self) -> date | None:
        """Return the day of birth that the number has, if any."""
        return birth_date(self.kind, self.number)

    def fingerprints(self, encryption: FieldEncryption) -> tuple[bytes, bytes]:
        """Return the keyed hashes of the document, and of the document with the name."""
        named = encryption.fingerprint(f"family:{self.kind}", f"{self.number}:{self.name}")
        return hash_of(encryption, (self.kind, self.number)), named[:_HASH_BYTES]


def validate(person: Person, now: datetime, *, child: bool = False) -> Person:
    """Return the person with normalized values. Raises Problem with every bad field.

    A birth certificate is taken of a child alone.
    """
    errors, number, name = [], person.number, fold_person_name(person.name)
    if not is_person_name(name):
        errors.append(FieldError("/name", "name-form" if name else "name-needed"))
    if person.kind in NEEDS_GUARDIAN and not child:
        errors.append(FieldError("/document/type", "certificate-of-child"))
    try:
        number = normalize(person.kind, number, now.astimezone(BEIJING).date())
    except Problem as problem:
        errors.extend(problem.fields if number.strip() else [FieldError("/document/number", "number-needed")])
    if errors:
        raise Problem("invalid-request", fields=tuple(errors))
    return Person(name, person.kind, number)


def read(session: Session, encryption: FieldEncryption, serial: int) -> Person | None:
    """Return a registered citizen as their own record names them; None where it does not."""
    citizen = session.get(Citizen, serial, populate_existing=True)
    if citizen is None or citizen.name_ciphertext is None or citizen.document_ciphertext is None:
        return None
    name = fold_person_name(encryption.decrypt("citizens.name", citizen.name_ciphertext))
    number = encryption.decrypt("citizens.document", citizen.document_ciphertext)
    return Person(name, DocumentType(citizen.document_type), number)
