"""Messages that are about no color of their recipient, by the same channels as a notice, each once.

Of a recovery, a correction or an answer everybody hears who is, or was, bound in WeChat; by text message the person,
where that reached nobody. Of a change in the family the holder hears, where no reminder in the mini-program said so.
Whether there is still something to say, and what, is for the package that the message is about.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple, cast

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.codes.models import Code
from app.core import queue
from app.notifications import delivery
from app.notifications.channels import (
    Candidate,
    Channel,
    DeliveryOutcome,
    DeliveryPostponed,
    MessageRow,
    Words,
)
from app.notifications.delivery import Letters, Round
from app.notifications.models import AccountMessage
from app.notifications.notices import EXPIRES_AFTER, list_channels
from app.notifications.sms.channel import SMS
from app.notifications.subscription_messages import SUBSCRIPTION, find_users
from app.runtime import Services
from app.wechat.models import WeChatUser

PHONE: Final = 0  # the user_id of the row for a phone
_TRIED_BEFORE: Final = {"family": SUBSCRIPTION}  # by kind, what has been tried where such a message begins
_REFUSED: Final = frozenset({"failed", "no-subscription"})
_KEPT: Final = timedelta(days=30)


class Subject(NamedTuple):
    """What a message is about, by kind and number, and the person who hears of it."""

    kind: str
    about: int
    serial: int


FindWords = Callable[[Session, Subject, WeChatUser | None, datetime], Words | None]


class _Ground(NamedTuple):
    """What is the same for all rows of one subject."""

    services: Services
    subject: Subject
    find_words: FindWords
    channels: Sequence[Channel]


def announce(session: Session, subject: Subject, users: Collection[int], now: datetime) -> None:
    """Have a person hear of something: these WeChat users, or else their phone. Announced again, nothing is new."""
    for user_id in sorted(users) or [PHONE]:
        _add(session, subject, user_id, now)
    queue.defer_messages(session, *subject)


def deliver(services: Services, subject: Subject, find_words: FindWords) -> None:
    """Send what waits about a subject. Raises DeliveryPostponed when something has to wait."""
    wechat = [one for one in list_channels(services) if one.name not in (SMS, _TRIED_BEFORE.get(subject.kind))]
    postponed = _deliver(_Ground(services, subject, find_words, wechat), phone=False)
    with services.begin() as session:
        if not postponed and _reached_nobody(session, subject):
            _add(session, subject, PHONE, services.clock.now())
    by_phone = [one for one in list_channels(services) if one.name == SMS]
    if _deliver(_Ground(services, subject, find_words, by_phone), phone=True) or postponed:
        raise DeliveryPostponed


def hand_on(session: Session, row: AccountMessage, error: str, now: datetime) -> None:
    """Record that a message did not arrive; the phone is next where it reached nobody else."""
    delivery.mark(row, DeliveryOutcome("failed", error, row.msgid), now)
    queue.defer_messages(session, row.kind, row.about, row.serial)


def list_own(session: Session, serial: int) -> Sequence[AccountMessage]:
    """List the messages to the present holder of a code, newest first."""
    mine = select(AccountMessage).join(Code, Code.serial == AccountMessage.serial).where(Code.serial == serial)
    mine = mine.where(AccountMessage.created_at >= Code.claimed_at)
    return session.scalars(mine.order_by(AccountMessage.id.desc())).all()


def delete_old(session: Session, now: datetime, limit: int) -> int:
    """Delete messages of long ago; return their number."""
    old = select(AccountMessage.id).where(AccountMessage.created_at <= now - _KEPT).limit(limit)
    gone = delete(AccountMessage).where(AccountMessage.id.in_(old)).returning(AccountMessage.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _add(session: Session, subject: Subject, user_id: int, now: datetime) -> None:
    row = insert(AccountMessage).values(**subject._asdict(), user_id=user_id, created_at=now, delivery="waiting")
    session.execute(row.on_conflict_do_nothing())


def _of(subject: Subject) -> dict[str, object]:
    return {"kind": subject.kind, "about": subject.about, "serial": subject.serial}


def _reached_nobody(session: Session, subject: Subject) -> bool:
    """Return whether everybody in WeChat was refused, for certain."""
    ends = session.scalars(select(AccountMessage.delivery).filter_by(**_of(subject))).all()
    return bool(ends) and set(ends) <= _REFUSED


def _deliver(ground: _Ground, *, phone: bool) -> bool:
    """Send the rows of a subject for WeChat, or that for the phone; return whether something has to wait."""
    letters = Letters(ground.channels, partial(_lease, ground), _lock, lambda row: row.id)
    with ground.services.sessions() as session:
        ours = select(AccountMessage.id).filter_by(**_of(ground.subject)).order_by(AccountMessage.id)
        ids = session.scalars(ours.where((AccountMessage.user_id == PHONE) == phone)).all()
    try:
        delivery.deliver(ground.services, letters, ids)
    except DeliveryPostponed:
        return True
    return False


def _lock(session: Session, ids: Sequence[int]) -> Sequence[MessageRow]:
    rows = select(AccountMessage).where(AccountMessage.id.in_(ids)).order_by(AccountMessage.id)
    return session.scalars(rows.with_for_update()).all()


def _lease(ground: _Ground, ids: Sequence[int]) -> Round:
    """Return the messages to send, marked as being sent, and whether another worker is sending one of them."""
    now, candidates, elsewhere = ground.services.clock.now(), list[Candidate](), False
    with ground.services.begin() as session, session.no_autoflush:
        for row in cast(Sequence[AccountMessage], _lock(session, ids)):
            if delivery.is_leased(row, now):
                elsewhere = True
            elif row.delivery == "sending":
                delivery.mark(row, DeliveryOutcome("unknown", "interrupted"), now)
            elif row.delivery == "waiting" and (candidate := _candidate(ground, session, row, now)) is not None:
                candidates.append(candidate)
        leased, postponed = delivery.lease(ground.channels, session, candidates, now)
        return Round(leased, postponed or elsewhere)


def _candidate(ground: _Ground, session: Session, row: AccountMessage, now: datetime) -> Candidate | None:
    """Return what a channel needs to know of a message; close one of which there is nothing to say any more."""
    user = session.get(WeChatUser, row.user_id) if row.user_id != PHONE else None
    if user is None and row.user_id != PHONE:  # erased since
        delivery.mark(row, DeliveryOutcome("no-subscription"), now)
        return None
    words = ground.find_words(session, ground.subject, user, now)
    if words is None or now - row.created_at > EXPIRES_AFTER:
        delivery.mark(row, DeliveryOutcome("expired"), now)
        return None
    reader = user or find_users(session, [row.serial]).get(row.serial)
    return Candidate(row, session.get_one(Code, row.serial), None, reader, words)
