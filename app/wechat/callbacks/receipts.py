"""Receipts of callbacks: each callback is stored once and applied once, however often WeChat sends it.

Owns the rows and the encryption of their messages. A message is kept until it is applied, a receipt for some days
more, so that a late retry is recognized. It does not know the effects of events.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from app.core.encryption import FieldEncryption
from app.core.queue import HANDLE_CALLBACK, defer
from app.wechat.callbacks.events import MINIPROGRAM, OFFICIAL, CallbackEvent, event_key, read_event
from app.wechat.callbacks.message import Message
from app.wechat.models import CallbackReceipt

NOTHING_TO_DO = "nothing to do"
_COLUMN = "wechat_callbacks.message"
_LONGEST_OUTCOME = 200


@dataclass(frozen=True, slots=True)
class ReceivedCallback:
    """A callback that arrived: its message, the event in it, and the moment."""

    message: Message = field(repr=False)
    event: CallbackEvent
    at: datetime


def store_receipt(session: Session, encryption: FieldEncryption, received: ReceivedCallback) -> bool:
    """Store a callback, and defer the job that applies it if it has an effect; return False for a duplicate.

    Jobs about one person run one at a time, in the order in which their callbacks arrived.
    """
    receipt_id = session.scalar(_insert(encryption, received))
    if receipt_id is None:
        return False
    if received.event.has_effect:
        defer(session, HANDLE_CALLBACK, lock=lock_of(encryption, received.event.openid), receipt=receipt_id)
    return True


def lock_of(encryption: FieldEncryption, openid: str) -> str:
    """Return the lock of the jobs about one person; it is forgotten when they have run."""
    return lock_of_hash(encryption.fingerprint("openid", openid))


def lock_of_hash(openid_hash: bytes) -> str:
    """Return the same lock, of a WeChat user who is known."""
    return "wechat:" + openid_hash.hex()


def receipt_key(encryption: FieldEncryption, key: bytes) -> bytes:
    """Return a key of `event_key` as it is stored: without our keys, it cannot be computed from an openid."""
    return encryption.fingerprint("callback", key.hex())


def _insert(encryption: FieldEncryption, received: ReceivedCallback) -> ReturningInsert[tuple[int]]:
    has_effect = received.event.has_effect
    row = insert(CallbackReceipt).values(
        event_key=receipt_key(encryption, event_key(received.message)),
        account=received.event.account,
        name=received.event.name,
        message_ciphertext=encryption.encrypt(_COLUMN, json.dumps(received.message)) if has_effect else None,
        received_at=received.at,
        handled_at=None if has_effect else received.at,
        outcome=None if has_effect else NOTHING_TO_DO,
    )
    return row.on_conflict_do_nothing(index_elements=["event_key"]).returning(CallbackReceipt.id)


def lock_unhandled(session: Session, receipt_id: int) -> CallbackReceipt | None:
    """Return the receipt, locked until the transaction ends; None when it was applied or deleted."""
    row = session.get(CallbackReceipt, receipt_id, with_for_update=True, populate_existing=True)
    return None if row is None or row.handled_at is not None else row


def find_event(session: Session, encryption: FieldEncryption, receipt_id: int) -> CallbackEvent | None:
    """Return the event in a receipt; None when it was applied or deleted."""
    row = session.get(CallbackReceipt, receipt_id)
    return None if row is None or row.handled_at is not None else decrypt_event(encryption, row)


def decrypt_event(encryption: FieldEncryption, receipt: CallbackReceipt) -> CallbackEvent:
    """Return the event in a receipt that is not handled yet."""
    assert receipt.message_ciphertext is not None  # deleted only by `mark_handled`
    message = json.loads(encryption.decrypt(_COLUMN, receipt.message_ciphertext))
    return read_event(message, OFFICIAL if receipt.account == OFFICIAL else MINIPROGRAM)


def mark_handled(receipt: CallbackReceipt, outcome: str, now: datetime) -> None:
    """Store the outcome, for operators, and delete the message."""
    receipt.handled_at, receipt.outcome, receipt.message_ciphertext = now, outcome[:_LONGEST_OUTCOME], None


def purge(session: Session, before: datetime, limit: int) -> int:
    """Delete up to `limit` receipts from before that moment, handled or not; return their number."""
    old = select(CallbackReceipt.id).where(CallbackReceipt.received_at < before).limit(limit)
    gone = delete(CallbackReceipt).where(CallbackReceipt.id.in_(old)).returning(CallbackReceipt.id)
    return len(session.scalars(gone).all())
