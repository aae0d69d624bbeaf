"""What is known of a phone number, by its keyed hash: messages of the day, a reply that ends them, and bounces.

Several accounts may have one number, and a number gets a new holder one day: so all of it belongs to the number.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.clock import BEIJING
from app.core.encryption import FieldEncryption
from app.notifications.models import SmsNumber

STOPPED_KEPT: Final = timedelta(days=365)  # a number that was given up is somebody else's by then
_COUNTED_DAYS: Final = 2


def hash_of(encryption: FieldEncryption, phone: str) -> bytes:
    """Return the keyed hash of a folded phone number."""
    return encryption.fingerprint("sms-number", phone)


def beijing_day(now: datetime) -> date:
    """Return the day of the ceilings."""
    return now.astimezone(BEIJING).date()


def lock(session: Session, hashes: Collection[bytes], now: datetime) -> Mapping[bytes, SmsNumber]:
    """Return the rows of these numbers, locked in one order and with the count of today; add those that are missing."""
    day = beijing_day(now)
    session.flush()  # what is read anew below must not undo a change of this transaction
    for number_hash in sorted(set(hashes)):
        row = insert(SmsNumber).values(number_hash=number_hash, day=day, messages=0)
        session.execute(row.on_conflict_do_nothing())
    rows = select(SmsNumber).where(SmsNumber.number_hash.in_(hashes)).order_by(SmsNumber.number_hash)
    found = session.scalars(rows.with_for_update(), execution_options={"populate_existing": True}).all()
    for number in found:
        if number.day < day:
            number.day, number.messages = day, 0
    return {number.number_hash: number for number in found}


def find(session: Session, number_hash: bytes) -> SmsNumber | None:
    """Return what is known of a number, if anything is."""
    return session.get(SmsNumber, number_hash)


def give_back(session: Session, number_hash: bytes, now: datetime) -> None:
    """Uncount a message of today that was not sent."""
    number = lock(session, [number_hash], now)[number_hash]
    number.messages = max(number.messages - 1, 0)


def mark_undeliverable(session: Session, number_hash: bytes, until: datetime, now: datetime) -> None:
    """Record that a number takes no messages."""
    lock(session, [number_hash], now)[number_hash].undeliverable_until = until


def delete_old(session: Session, now: datetime, limit: int) -> int:
    """Delete up to `limit` numbers of which nothing is worth keeping; return their number."""
    counted_before = beijing_day(now) - timedelta(days=_COUNTED_DAYS)
    old = (
        select(SmsNumber.number_hash)
        .where(
            SmsNumber.day < counted_before,
            func.coalesce(SmsNumber.undeliverable_until, now) <= now,
            func.coalesce(SmsNumber.stopped_at, now - STOPPED_KEPT) <= now - STOPPED_KEPT,
        )
        .limit(limit)
    )
    gone = delete(SmsNumber).where(SmsNumber.number_hash.in_(old)).returning(SmsNumber.number_hash)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())
