"""The receipts of callbacks: what arrived once is written down once, and acted upon once.

Owns the rows and the sealing of their messages. A message is kept until it is acted upon, a receipt for some days
more, so that a late retry is known. It does not know what an event does.
"""

import json
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.encryption import FieldEncryption
from app.core.queue import HANDLE_CALLBACK, defer
from app.wechat.callbacks.events import CallbackEvent, event_key, read_event
from app.wechat.callbacks.message import Message
from app.wechat.models import CallbackReceipt

NOTHING_TO_DO = "nothing to do"
_COLUMN = "wechat_callbacks.message"
_LONGEST_OUTCOME = 200


def store_receipt(
    session: Session,
    encryption: FieldEncryption,
    message: Message,
    event: CallbackEvent,
    now: datetime,
    *,
    has_effect: bool,
) -> bool:
    """Write a callback down, with the job that acts on it where there is `work`; False when it had come before.

    Jobs of one person run one at a time, in the order in which their callbacks came.
    """
    sealed = encryption.encrypt(_COLUMN, json.dumps(message)) if has_effect else None
    row = insert(CallbackReceipt).values(
        event_key=event_key(message),
        name=event.name,
        message_ciphertext=sealed,
        received_at=now,
        handled_at=None if has_effect else now,
        outcome=None if has_effect else NOTHING_TO_DO,
    )
    new = row.on_conflict_do_nothing(index_elements=["event_key"]).returning(CallbackReceipt.id)
    receipt_id = session.scalar(new)
    if receipt_id is None:
        return False
    if has_effect:
        lock = "wechat:" + encryption.fingerprint("openid", event.openid).hex()
        defer(session, HANDLE_CALLBACK, lock=lock, receipt=receipt_id)
    return True


def lock_unhandled(session: Session, receipt_id: int) -> CallbackReceipt | None:
    """The receipt, locked until the transaction ends; None when it was acted upon, or is not kept any more."""
    row = session.get(CallbackReceipt, receipt_id, with_for_update=True, populate_existing=True)
    return None if row is None or row.handled_at is not None else row


def decrypt_event(encryption: FieldEncryption, receipt: CallbackReceipt) -> CallbackEvent:
    """The event in a receipt that is not settled."""
    assert receipt.message_ciphertext is not None  # it goes when the receipt is settled
    return read_event(json.loads(encryption.decrypt(_COLUMN, receipt.message_ciphertext)))


def mark_handled(receipt: CallbackReceipt, outcome: str, now: datetime) -> None:
    """Write down what came of it, for operators; what it said is forgotten."""
    receipt.handled_at, receipt.outcome, receipt.message_ciphertext = now, outcome[:_LONGEST_OUTCOME], None


def purge(session: Session, before: datetime, limit: int) -> int:
    """Delete up to `most` receipts from before that moment, acted upon or not; returns how many they were."""
    old = select(CallbackReceipt.id).where(CallbackReceipt.received_at < before).limit(limit)
    gone = delete(CallbackReceipt).where(CallbackReceipt.id.in_(old)).returning(CallbackReceipt.id)
    return len(session.scalars(gone).all())
