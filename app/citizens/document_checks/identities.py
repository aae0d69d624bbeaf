"""Identities: document and name together, as one keyed hash, by which a person is found.

One hash for both, so that a wrong name is to the database what an unknown number is: a hash that nobody has. The same
commands and statements miss it, and no stored name is decrypted to compare. What was found is kept in Redis beside the
colors, by the hash, and written around the commit of a change, as inspectors are (`app/stations/inspector_cache.py`).
"""

from contextlib import suppress
from typing import Final

from redis import RedisError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.citizens.documents import DocumentType
from app.citizens.lookup import Document
from app.citizens.models import Citizen
from app.codes.cache.color_cache import CacheReplaced, LeasedRead
from app.codes.cache.parts import VALUE_PREFIX
from app.codes.cache.writing import CHANGED_VALUES, IN_DOUBT
from app.core.encryption import FieldEncryption
from app.runtime import Services

_BYTES: Final = 15  # with its length 16 of a row, as the hash of a document alone
_KEPT_SECONDS: Final = 24 * 3600  # in Redis: a change replaces it long before
_NOBODY: Final = b"0"
_LIMIT: Final = text("select set_config('statement_timeout', '1s', true)")  # people wait in line


def fingerprint_of(encryption: FieldEncryption, document: Document, name: str) -> bytes:
    """Return the keyed hash of a normalized document and a folded name."""
    kind, number = document
    return encryption.fingerprint(f"identity:{kind}", f"{number}:{name}")[:_BYTES]


def change(session: Session, citizen: Citizen, fingerprint: bytes | None) -> None:
    """Give a citizen another identity, or none, and Redis with the commit of this transaction."""
    changed = session.info.setdefault(CHANGED_VALUES, {})
    if citizen.identity_fingerprint is not None:
        changed[key_of(citizen.identity_fingerprint)] = _NOBODY.decode()
    citizen.identity_fingerprint = fingerprint
    if fingerprint is not None:
        changed[key_of(fingerprint)] = str(citizen.serial)


def find_serial(services: Services, fingerprint: bytes) -> int | None:
    """Return the serial of the person with this identity, from Redis, or from the database if Redis does not know."""
    key, cached = key_of(fingerprint), LeasedRead(b"", None)
    with suppress(RedisError):
        cached = services.cache.read_value(key)
    known = serial_of(cached.value)
    if cached.generation is not None and known is not None:
        return known
    with services.sessions() as session:
        serial = find_stored(session, fingerprint)
    if serial is not None and cached.generation is not None:
        with suppress(RedisError, CacheReplaced):  # a change in between has newer values
            services.cache.put_value(key, str(serial), _KEPT_SECONDS, cached.generation)
    return serial


def serial_of(value: bytes) -> int | None:
    """Return the serial in a value of Redis; None where the database has to be asked.

    That nobody has it is asked again: an erased identity takes as long as one that never was.
    """
    return None if value in (b"", _NOBODY, IN_DOUBT) else int(value)


def find_stored(session: Session, fingerprint: bytes) -> int | None:
    """Return the serial that the database has for an identity."""
    session.execute(_LIMIT)
    by_hash = select(Citizen.serial).filter_by(identity_fingerprint=fingerprint)
    return session.scalar(by_hash.where(Citizen.name_ciphertext.is_not(None)))


def add_missing(session: Session, encryption: FieldEncryption, limit: int) -> int:
    """Add the identities of citizens who registered before there were any; return their number."""
    missing = select(Citizen).where(Citizen.name_ciphertext.is_not(None), Citizen.identity_fingerprint.is_(None))
    citizens = session.scalars(missing.order_by(Citizen.serial).limit(limit).with_for_update(skip_locked=True)).all()
    for citizen in citizens:
        assert citizen.name_ciphertext is not None
        name = encryption.decrypt("citizens.name", citizen.name_ciphertext)
        number = encryption.decrypt("citizens.document", citizen.document_ciphertext or b"")
        citizen.identity_fingerprint = fingerprint_of(encryption, (DocumentType(citizen.document_type), number), name)
    return len(citizens)


def key_of(fingerprint: bytes) -> str:
    """Return the key of an identity in Redis."""
    return f"{VALUE_PREFIX}identity:{fingerprint.hex()}"
