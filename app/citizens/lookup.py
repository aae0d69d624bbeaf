"""Lookup of citizens by their identity documents, and adding of those that are unknown yet.

A document is found by the keyed hash of its kind and normalized number; the number itself is stored encrypted.
A citizen whose data was erased keeps the hash, and so keeps code and evidence when the document comes up again.
Whose document was corrected is found by the earlier ones too: a document is that of one citizen, now or formerly.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Select, delete, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.citizens.documents import DocumentType
from app.citizens.models import Citizen, FormerDocument
from app.codes import ledger
from app.core.db import among, insert_rows, to_array
from app.core.encryption import FieldEncryption

Document = tuple[DocumentType, str]  # with its normalized number
_HASH_BYTES = 15


def find_serial(session: Session, encryption: FieldEncryption, kind: DocumentType, number: str) -> int | None:
    """Return the serial of the citizen with this normalized document, or None when it is unknown."""
    return session.scalar(_serial_of(hash_of(encryption, (kind, number))))


def find_or_add(
    session: Session, encryption: FieldEncryption, kind: DocumentType, number: str, now: datetime
) -> Citizen:
    """Return the citizen with this normalized document; add one, with a new code, when it is unknown.

    An erased citizen gets the document back, and with it the same code, whose evidence was kept.
    """
    hash_ = hash_of(encryption, (kind, number))
    by_hash = select(Citizen).where(Citizen.serial == _serial_of(hash_).scalar_subquery())
    by_hash = by_hash.with_for_update(key_share=True, of=Citizen)
    citizen = session.scalar(by_hash)
    if citizen is None:
        try:
            with session.begin_nested():
                _add_many(session, encryption, {hash_: (kind, number)}, now)
        except IntegrityError:  # another transaction added the same document at this moment
            pass
        return session.scalars(by_hash).one()
    if citizen.document_ciphertext is None:
        make_current(session, encryption, citizen, (kind, number), now)
    return citizen


def find_or_add_evenly(
    session: Session, encryption: FieldEncryption, kind: DocumentType, number: str, now: datetime
) -> Citizen:
    """Return the citizen as `find_or_add` does, by the same statements for a known document as for an unknown one.

    So the time of a registration does not reveal whom officers know. A known document uses a serial up.
    """
    hash_ = hash_of(encryption, (kind, number))
    with suppress(IntegrityError), session.begin_nested():
        _add_many(session, encryption, {hash_: (kind, number)}, now)
    return find_or_add(session, encryption, kind, number, now)


def find_or_add_many(
    session: Session, encryption: FieldEncryption, documents: Collection[Document], now: datetime
) -> tuple[dict[Document, int], int]:
    """Return the serials of the citizens with these normalized documents, and how many of them were added.

    Works as `find_or_add` does for one. Citizens are added in the order of their hashes and locked in the order of
    their serials, so that two lists with the same people wait for each other instead of deadlocking.
    """
    by_hash = {hash_of(encryption, document): document for document in documents}
    added = 0
    while (serials := _lock_all(session, encryption, by_hash, now)) is None:
        known = find_many(session, by_hash)
        unknown = {hash_: by_hash[hash_] for hash_ in sorted(by_hash.keys() - known.keys())}
        try:
            with session.begin_nested():
                _add_many(session, encryption, unknown, now)
            added += len(unknown)
        except IntegrityError:  # another transaction added one of them at this moment
            pass
    return serials, added


def find_many(session: Session, hashes: Collection[bytes]) -> dict[bytes, int]:
    """Return the serials of the citizens whose document has one of these hashes, by hash."""
    current, former = Citizen.document_fingerprint, FormerDocument.document_fingerprint
    rows = select(current, Citizen.serial).where(among(current, hashes))
    rows_of_former = select(former, FormerDocument.serial).where(among(former, hashes))
    return {row[0]: row[1] for row in session.execute(rows.union_all(rows_of_former))}


def make_current(
    session: Session, encryption: FieldEncryption, citizen: Citizen, document: Document, now: datetime
) -> None:
    """Make a document the current one of a locked citizen, by which the one before it still finds them.

    Raises IntegrityError for the current document of somebody else.
    """
    hash_, (kind, number) = hash_of(encryption, document), document
    if citizen.document_fingerprint != hash_:
        session.execute(delete(FormerDocument).filter_by(document_fingerprint=hash_, serial=citizen.serial))
        earlier = FormerDocument(
            document_fingerprint=citizen.document_fingerprint, serial=citizen.serial,
            document_type=citizen.document_type, replaced_at=now,
        )  # fmt: skip
        citizen.document_fingerprint, citizen.document_type = hash_, kind
        session.flush()
        session.add(earlier)
    citizen.document_ciphertext, citizen.erased_at = encryption.encrypt("citizens.document", number), None
    session.flush()


def hash_of(encryption: FieldEncryption, document: Document) -> bytes:
    """Return the keyed hash by which a document is found: 120 bits, which with their length take 16 bytes of a row."""
    kind, number = document
    return encryption.fingerprint(f"document:{kind}", number)[:_HASH_BYTES]


def _serial_of(hash_: bytes) -> Select[int]:
    """Return the query for the serial of the citizen whose document is or was the one with this hash."""
    former = select(FormerDocument.serial).filter_by(document_fingerprint=hash_)
    either = select(Citizen.serial).filter_by(document_fingerprint=hash_).union_all(former).subquery()
    return select(either.c.serial)


def _add_many(
    session: Session, encryption: FieldEncryption, documents: Mapping[bytes, Document], now: datetime
) -> None:
    serials = ledger.create_codes(session, len(documents), now)
    rows = [
        {
            "serial": serial,
            "document_type": kind,
            "document_ciphertext": encryption.encrypt("citizens.document", number),
            "document_fingerprint": hash_,
            "created_at": now,
        }
        for serial, (hash_, (kind, number)) in zip(serials, documents.items(), strict=True)
    ]
    insert_rows(session, Citizen, rows)


def _lock_all(
    session: Session, encryption: FieldEncryption, by_hash: Mapping[bytes, Document], now: datetime
) -> dict[Document, int] | None:
    """Lock citizens until the transaction ends, and give those who were erased their document back.

    Returns their serials; None, with nobody locked, when one of them is unknown: others may wait for those while this
    transaction waits for somebody whom they add.
    """
    with session.begin_nested() as attempt:
        rows = session.execute(_LOCK, {"hashes": to_array(f"\\x{hash_.hex()}" for hash_ in by_hash)}).all()
        if len(rows) < len(by_hash):
            attempt.rollback()
            return None
        for serial, hash_, is_erased in rows:
            if is_erased:
                citizen = session.get_one(Citizen, serial, populate_existing=True)
                make_current(session, encryption, citizen, by_hash[hash_], now)
    return {by_hash[hash_]: serial for serial, hash_, _ in rows}


_LOCK = text("""
    with named as (
        select serial, document_fingerprint from citizens where document_fingerprint = any(cast(:hashes as bytea[]))
        union all
        select serial, document_fingerprint from former_documents
        where document_fingerprint = any(cast(:hashes as bytea[]))
    )
    select citizens.serial, named.document_fingerprint, document_ciphertext is null as is_erased
    from named join citizens using (serial) order by citizens.serial for no key update of citizens
""")
