"""The receipts of callbacks: what arrived once is written down once, and acted upon once.

Owns the rows and the sealing of their messages. A message is kept until it is acted upon, a receipt for some days
more, so that a late retry is known. It does not know what an event does.
"""

import json
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.queue import HANDLE_CALLBACK, defer
from app.vault import Vault
from app.wechat.callbacks.events import Event, event_key, read_event
from app.wechat.callbacks.message import Message
from app.wechat.models import CallbackReceipt

NOTHING_TO_DO = "nothing to do"
_COLUMN = "wechat_callbacks.message"
_LONGEST_OUTCOME = 200


def keep(session: Session, vault: Vault, message: Message, event: Event, now: datetime, *, work: bool) -> bool:
    """Write a callback down, with the job that acts on it where there is `work`; False when it had come before.

    Jobs of one person run one at a time, in the order in which their callbacks came.
    """
    sealed = vault.seal(_COLUMN, json.dumps(message)) if work else None
    row = insert(CallbackReceipt).values(
        event_key=event_key(message),
        name=event.name,
        message_sealed=sealed,
        received_at=now,
        settled_at=None if work else now,
        outcome=None if work else NOTHING_TO_DO,
    )
    new = row.on_conflict_do_nothing(index_elements=["event_key"]).returning(CallbackReceipt.id)
    receipt_id = session.scalar(new)
    if receipt_id is None:
        return False
    if work:
        lock = "wechat:" + vault.fingerprint("openid", event.openid).hex()
        defer(session, HANDLE_CALLBACK, lock=lock, receipt=receipt_id)
    return True


def unsettled(session: Session, receipt_id: int) -> CallbackReceipt | None:
    """The receipt, locked until the transaction ends; None when it was acted upon, or is not kept any more."""
    row = session.get(CallbackReceipt, receipt_id, with_for_update=True, populate_existing=True)
    return None if row is None or row.settled_at is not None else row


def event_of(vault: Vault, receipt: CallbackReceipt) -> Event:
    """The event in a receipt that is not settled."""
    assert receipt.message_sealed is not None  # it goes when the receipt is settled
    return read_event(json.loads(vault.open(_COLUMN, receipt.message_sealed)))


def settle(receipt: CallbackReceipt, outcome: str, now: datetime) -> None:
    """Write down what came of it, for operators; what it said is forgotten."""
    receipt.settled_at, receipt.outcome, receipt.message_sealed = now, outcome[:_LONGEST_OUTCOME], None


def purge(session: Session, before: datetime, most: int) -> int:
    """Delete up to `most` receipts from before that moment, acted upon or not; returns how many they were."""
    old = select(CallbackReceipt.id).where(CallbackReceipt.received_at < before).limit(most)
    gone = delete(CallbackReceipt).where(CallbackReceipt.id.in_(old)).returning(CallbackReceipt.id)
    return len(session.scalars(gone).all())
