"""The change itself: a person has another document, and stays the same code with all that is known of it.

Nothing of the code changes, so no color does. The former document still leads to its person.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import not_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.citizens import lookup
from app.citizens.document_checks import identities
from app.citizens.documents import DocumentType
from app.citizens.lookup import Document
from app.citizens.models import Citizen, FormerDocument
from app.codes import ledger
from app.codes.models import EvidenceRow
from app.codes.paper import cards
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.core.identity.names import fold_person_name
from app.corrections.giving_way import give_way, gives_way
from app.entries.models import Entry, EntrySubject
from app.families import invitations
from app.families.people import Person


def is_of_another(
    session: Session, encryption: FieldEncryption, serial: int, document: Document, now: datetime
) -> bool:
    """Return whether a document is or was that of another person, of whom more is known than the number."""
    owner = lookup.find_serial(session, encryption, *document)
    return owner not in (None, serial) and not gives_way(session, owner, now)


def apply(session: Session, encryption: FieldEncryption, serial: int, document: Document, now: datetime) -> bool:
    """Give the holder of a locked code another document; return whether it was theirs before.

    Raises Problem `document-of-another`, with nothing changed.
    """
    citizen = session.get_one(Citizen, serial, with_for_update={"key_share": True}, populate_existing=True)
    former = read_person(encryption, citizen)
    try:
        with session.begin_nested():
            owner = lookup.find_serial(session, encryption, *document)
            if owner not in (None, serial):
                _take(session, encryption, owner, now)
            lookup.make_current(session, encryption, citizen, document, now)
            # asked again: it may have become a former one while this transaction waited for the index
            if session.get(FormerDocument, lookup.hash_of(encryption, document), populate_existing=True) is not None:
                raise Problem("document-of-another")
    except IntegrityError:  # somebody came with it at this moment
        raise Problem("document-of-another") from None
    _follow(session, encryption, citizen, former, now)
    return owner == serial


def _take(session: Session, encryption: FieldEncryption, owner: int, now: datetime) -> None:
    """Take a document from a record that gives way. Raises Problem `document-of-another` where it does not."""
    ledger.lock_code(session, owner)
    if not gives_way(session, owner, now):
        raise Problem("document-of-another")
    give_way(session, encryption, owner, now)


class Undoing(NamedTuple):
    """The document that a person had, and since when others may have named them by the one that was not theirs.

    `keeps`: the other one was theirs before.
    """

    former: Document
    since: datetime
    keeps: bool


def undo(session: Session, encryption: FieldEncryption, serial: int, undoing: Undoing, now: datetime) -> None:
    """Give the holder of a locked code the former document back.

    The other one is nobody's again, unless officers have recorded something since: they may have named it.
    """
    citizen = session.get_one(Citizen, serial, with_for_update={"key_share": True}, populate_existing=True)
    wrong, hash_ = read_person(encryption, citizen), citizen.document_fingerprint
    lookup.make_current(session, encryption, citizen, undoing.former, now)
    if not undoing.keeps and not _is_recorded_since(session, serial, undoing.since):
        session.delete(session.get_one(FormerDocument, hash_))
        session.flush()
    _follow(session, encryption, citizen, wrong, now)


def _is_recorded_since(session: Session, serial: int, since: datetime) -> bool:
    """Return whether others have recorded something about a person since then, or want to."""
    entries = select(EntrySubject.serial).join(Entry, Entry.id == EntrySubject.entry_id)
    entries = entries.where(EntrySubject.serial == serial, Entry.recorded_at >= since)
    evidence = select(EvidenceRow.serial).where(EvidenceRow.serial == serial, EvidenceRow.recorded_at >= since)
    own = EvidenceRow.kind == "verification", EvidenceRow.recorded_by == str(Actor("citizen", str(serial)))
    others = evidence.where(not_(or_(*own)))
    return session.scalar(entries.union_all(others).limit(1)) is not None


def read_person(encryption: FieldEncryption, citizen: Citizen) -> Person:
    """Return a registered citizen with their current document."""
    assert citizen.name_ciphertext is not None and citizen.document_ciphertext is not None
    name = encryption.decrypt("citizens.name", citizen.name_ciphertext)
    number = encryption.decrypt("citizens.document", citizen.document_ciphertext)
    return Person(fold_person_name(name), DocumentType(citizen.document_type), number)


def _follow(session: Session, encryption: FieldEncryption, citizen: Citizen, former: Person, now: datetime) -> None:
    """Have what names a person by their document follow: stations, invitations, and the card, which is printed anew."""
    current = read_person(encryption, citizen)
    document = current.kind, current.number
    identities.change(session, citizen, identities.fingerprint_of(encryption, document, current.name))
    invitations.readdress(session, former.fingerprints(encryption), current.fingerprints(encryption))
    cards.revoke(session, citizen.serial, cards.CORRECTED, actor=audit.CLOCK, now=now)
    session.flush()
