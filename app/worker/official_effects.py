"""Effects of the official account's callbacks: who follows it, who does not any more, what became of a message.

An event names an openid and nothing else. Who that is, WeChat is asked while no transaction is open; so a forged or
late event can say of nobody that they follow. That somebody unfollows is believed at once.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.models import Notice
from app.core import queue
from app.notifications import account_messages, delivery, notices
from app.notifications.channels import DeliveryOutcome, MessageRow
from app.notifications.models import AccountMessage
from app.notifications.official import following
from app.notifications.official.channel import OFFICIAL
from app.runtime import Services
from app.wechat.callbacks import events, receipts
from app.wechat.callbacks.events import CallbackEvent
from app.wechat.official import followers
from app.wechat.official.client import Follower

log = structlog.get_logger()


class NotRecordedYet(Exception):
    """The notice that the event reports on has no number yet; the job is tried again."""


class OfficialContext(NamedTuple):
    """One event of the official account; `follower` is what WeChat says of a new one, if they follow."""

    services: Services
    session: Session
    event: CallbackEvent
    follower: Follower | None
    last_attempt: bool

    @property
    def now(self) -> datetime:
        return self.services.clock.now()


def apply(services: Services, receipt_id: int, event: CallbackEvent, *, last_attempt: bool) -> None:
    """Apply a receipt, unless that was done. Raises WeChatUnavailable, and NotRecordedYet but at the last attempt."""
    follower = following.read(services, event.openid) if event.name == events.FOLLOW else None
    with services.begin() as session:
        receipt = receipts.lock_unhandled(session, receipt_id)
        if receipt is None:
            return
        outcome = EFFECTS[event.name](OfficialContext(services, session, event, follower, last_attempt))
        receipts.mark_handled(receipt, outcome, services.clock.now())
        queue.forget_lock(session, receipts.lock_of(services.encryption, event.openid))
    log.info("callback-handled", event_name=event.name, outcome=outcome)


def _follow(context: OfficialContext) -> str:
    """Store who follows, as WeChat says."""
    encryption = context.services.encryption
    if context.follower is None:
        followers.remove(context.session, [followers.hash_of(encryption, context.event.openid)])
        return "does not follow"
    stored = followers.save(context.session, encryption, context.follower, context.now)
    return "follows" if stored else "no unionid"


def _unfollow(context: OfficialContext) -> str:
    """Delete who follows no more, unless they have followed again since."""
    openid_hash = followers.hash_of(context.services.encryption, context.event.openid)
    gone = followers.remove(context.session, [openid_hash], context.event.at)
    return "unfollowed" if gone else receipts.NOTHING_TO_DO


def _sent(context: OfficialContext) -> str:
    """Record the result of a message that WeChat had accepted."""
    [result] = context.event.results
    row = _find_row(context.session, result.message_id)
    if row is None and not context.last_attempt:
        raise NotRecordedYet("no message with this id")
    if row is None or row.delivery == "failed":
        return "no such message" if row is None else f"message {row.id} had failed"
    if not result.code:
        delivery.mark(row, DeliveryOutcome("sent", msgid=row.msgid), context.now)
    else:
        _hand_on(context, row, result.status[:40])
    return f"message {row.id} {row.delivery}"


def _find_row(session: Session, msgid: str) -> MessageRow | None:
    """Return the notice, or the message about an account, that the official account has sent with this id."""
    notice = select(Notice).where(Notice.channel == OFFICIAL, Notice.msgid == msgid)
    other = select(AccountMessage).where(AccountMessage.channel == OFFICIAL, AccountMessage.msgid == msgid)
    found = session.scalar(notice.limit(1).with_for_update())
    return found or session.scalar(other.limit(1).with_for_update())


def _hand_on(context: OfficialContext, row: MessageRow, error: str) -> None:
    """Let the next channel have a message that did not arrive."""
    if isinstance(row, AccountMessage):
        account_messages.hand_on(context.session, row, error, context.now)
    elif delivery.hand_on(notices.list_channels(context.services), row, error, context.now):
        queue.defer_notices(context.session, [row.serial], bulk=False)


EFFECTS: Final[Mapping[str, Callable[[OfficialContext], str]]] = {
    events.FOLLOW: _follow,
    events.UNFOLLOW: _unfollow,
    events.TEMPLATE_SENT: _sent,
}
assert EFFECTS.keys() == events.WITH_EFFECT[events.OFFICIAL]
