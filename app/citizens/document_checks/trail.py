"""The trail of document checks: who looked a person up, and where that was, for this person alone.

No look-up without a trace: it waits in Redis, encrypted, for the worker to store it, and is stored at once where Redis
does not answer. Whose it is only a keyed hash says; the audit has none of it, for there officers could search where a
person was. It is deleted after `document_checks.kept_days`, and with the account.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4

import structlog
from redis import RedisError
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.citizens.document_checks.models import DocumentCheck
from app.citizens.models import Account
from app.codes.row_digests.digests import digests_of
from app.core.clock import BEIJING
from app.core.db import among
from app.core.encryption import FieldEncryption
from app.core.redis_client import Command
from app.core.settings import DocumentCheckSettings
from app.runtime import Services
from app.stations.models import Station

log = structlog.get_logger()

WAITING: Final = "jx:document-checks"  # the set of those that are not stored yet
_COLUMN: Final = "document_checks.content"
_BATCH: Final = 500


class SeenCheck(NamedTuple):
    """A check as the person who was checked reads it: when, and at which station."""

    at: datetime
    station: str
    district: str


def keep(services: Services, serial: int, station_id: int, now: datetime) -> None:
    """Keep that a person was looked up at a station. Raises OperationalError where neither Redis nor database does."""
    entry = make_entry(services.encryption, serial, station_id, now)
    try:
        services.cache.connections.execute_all(*commands(services.settings.document_checks, entry))
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)
        with services.sessions.begin() as session:
            _store(session, services.encryption, [entry])


def make_entry(encryption: FieldEncryption, serial: int, station_id: int, now: datetime) -> bytes:
    """Return a check, encrypted."""
    content = {"id": str(uuid4()), "serial": serial, "station": station_id, "at": now.isoformat()}
    return encryption.encrypt(_COLUMN, json.dumps(content))


def commands(settings: DocumentCheckSettings, entry: bytes) -> list[Command]:
    """Return the commands that keep a check in Redis; without a worker it ends there all the same."""
    return [("SADD", WAITING, entry), ("EXPIRE", WAITING, settings.kept_days * 24 * 3600)]


def store_waiting(services: Services) -> None:
    """Store what waits in Redis; what was stored before is not stored twice."""
    redis = services.cache.connections
    while entries := redis.execute("SRANDMEMBER", WAITING, _BATCH):
        with services.sessions.begin() as session:
            _store(session, services.encryption, entries)
        redis.execute("SREM", WAITING, *entries)


def _store(session: Session, encryption: FieldEncryption, entries: Sequence[bytes]) -> None:
    """Store checks of those who still have an account: an erasure waits for this transaction, or this one for it."""
    read = [(entry, content) for entry in entries if (content := _read(encryption, entry))]
    held = select(Account.serial).where(among(Account.serial, {content["serial"] for _, content in read}))
    serials = set(session.scalars(held.with_for_update(read=True, key_share=True)))
    rows = [
        {
            "id": content["id"],
            "person": person_of(session, content["serial"]),
            "day": datetime.fromisoformat(content["at"]).astimezone(BEIJING).date(),
            "content_ciphertext": entry,
        }
        for entry, content in read
        if content["serial"] in serials
    ]
    if rows:
        session.execute(insert(DocumentCheck).on_conflict_do_nothing(), rows)


def _read(encryption: FieldEncryption, entry: bytes) -> dict[str, Any] | None:
    with suppress(ValueError):
        content: dict[str, Any] = json.loads(encryption.decrypt(_COLUMN, entry))
        return content
    log.warning("document-check-unreadable")  # of other keys, before the database was given these
    return None


def list_checks(session: Session, encryption: FieldEncryption, serial: int, limit: int) -> list[SeenCheck]:
    """Return the checks of a person, newest first, at most this many."""
    stored = session.scalars(select(DocumentCheck).filter_by(person=person_of(session, serial)))
    read = [content for row in stored if (content := _read(encryption, row.content_ciphertext))]
    read.sort(key=lambda content: str(content["at"]), reverse=True)
    newest = read[:limit]
    stations = session.scalars(select(Station).where(among(Station.id, {content["station"] for content in newest})))
    known = {station.id: station for station in stations}
    return [
        SeenCheck(datetime.fromisoformat(content["at"]), station.name, station.district)
        for content in newest
        if (station := known.get(content["station"]))
    ]


def delete_of(session: Session, serial: int) -> None:
    """Delete the checks of a person."""
    session.execute(delete(DocumentCheck).filter_by(person=person_of(session, serial)))


def delete_old(session: Session, now: datetime, kept_days: int, limit: int) -> int:
    """Delete checks that are past their retention; return their number."""
    last = (now - timedelta(days=kept_days)).astimezone(BEIJING).date()
    old = select(DocumentCheck.id).where(DocumentCheck.day <= last).limit(limit)
    gone = delete(DocumentCheck).where(DocumentCheck.id.in_(old)).returning(DocumentCheck.id)
    return len(session.scalars(gone).all())


def person_of(session: Session, serial: int) -> str:
    """Return the keyed hash of a person in this table: with the keys alone is it known whose a check is."""
    return digests_of(session).of_values(DocumentCheck.__tablename__, [serial], "")
