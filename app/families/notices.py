"""Notices to holders: a change of a dependant's code is sent once to each who may show it, on their own credit.

The row of a notice and a tie is the lease, as with the notices of `notifications`: it is written before the message
is sent, and one without an outcome is not sent again. What WeChat refuses goes on to the official account and to a
text message, which say that a code in the family has changed, and no more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.citizens.documents import mask_name
from app.citizens.models import Citizen
from app.codes.models import DecisionRow, Notice
from app.core import queue
from app.core.db import among
from app.families import ties
from app.families.models import FamilyNotice, FamilyTie
from app.notifications import account_messages, delivery, subscription_messages
from app.notifications.account_messages import Subject
from app.notifications.channels import DeliveryOutcome, DeliveryPostponed, Words
from app.notifications.delivery import LEASE
from app.notifications.notices import EXPIRES_AFTER
from app.runtime import Services
from app.wechat.models import WeChatUser

_INBOX = 50
FAMILY = "family"  # the kind of a message about an account


class FamilyMessage(NamedTuple):
    """One message to send to a holder."""

    tie: FamilyTie
    decision: DecisionRow
    user: WeChatUser
    about: str
    words: Words | None = None


def announce(session: Session, serial: int, seen_by: int | None, now: datetime) -> None:
    """Have the holders hear of a change that was made on a screen; `seen_by`: the holder who looked on, if any."""
    found = ties.list_of_dependant(session, serial, now)
    newest = _newest_notices(session, [serial], now).get(serial)
    if newest is None:
        return
    for tie in found:
        if tie.holder == seen_by:
            _add(session, tie, newest.decision_id, "seen", now)
    if any(tie.holder != seen_by for tie in found):
        queue.defer_notices(session, [serial], bulk=False)


def deliver(services: Services, serials: Sequence[int]) -> None:
    """Send the newest change of each code to its holders. Raises DeliveryPostponed when one has to wait."""
    sent = subscription_messages.send_all(services, _lease(services, serials))
    outcomes = [(message, end.result()) for message, end in sent if end.exception() is None]
    if outcomes:
        with services.begin() as session:
            for message, outcome in outcomes:
                _record(services, session, message, outcome)
        recorded = [outcome for _, outcome in outcomes]
        subscription_messages.report_upstream(services, recorded)
        delivery.report_outcomes(subscription_messages.SUBSCRIPTION, recorded)
    for _, end in sent:
        end.result()  # an error of ours leaves only its own notice unknown, and is raised
    if any(outcome.delivery == "waiting" for _, outcome in outcomes):
        raise DeliveryPostponed


def _lease(services: Services, serials: Sequence[int]) -> list[FamilyMessage]:
    """Return the messages to send, each with a credit and marked as being sent."""
    now, messages = services.clock.now(), []
    with services.begin() as session:
        found = session.scalars(ties.in_force(now).where(among(FamilyTie.dependant, serials))).all()
        if not found:
            return []
        newest = _newest_notices(session, {tie.dependant for tie in found}, now)
        users = subscription_messages.find_users(session, {tie.holder for tie in found})
        for tie in sorted(found, key=lambda tie: users[tie.holder].id if tie.holder in users else 0):
            notice, user = newest.get(tie.dependant), users.get(tie.holder)
            if notice is None or notice.created_at < tie.since or not _take(session, tie, notice.decision_id, now):
                continue
            if user is None or not subscription_messages.take_credit(services, session, user):
                _mark(session, tie, notice.decision_id, DeliveryOutcome("no-subscription"), now)
                _hand_on(services, session, tie, notice.decision_id)
                continue
            decision = session.get_one(DecisionRow, notice.decision_id)
            messages.append(FamilyMessage(tie, decision, user, _about(services, session, tie.dependant, user)))
    return messages


def _newest_notices(session: Session, serials: Sequence[int] | set[int], now: datetime) -> dict[int, Notice]:
    """Return the newest notice of each code that is worth a message; each names its decision."""
    recent = select(Notice).where(among(Notice.serial, serials), Notice.created_at >= now - EXPIRES_AFTER)
    return {notice.serial: notice for notice in session.scalars(recent.order_by(Notice.id))}


def _take(session: Session, tie: FamilyTie, decision_id: int, now: datetime) -> bool:
    """Mark a notice as being sent; return False where it was sent, or is being sent by another worker."""
    if _add(session, tie, decision_id, "sending", now):
        return True
    of_tie = (FamilyNotice.tie_id == tie.id, FamilyNotice.decision_id == decision_id)
    overdue = update(FamilyNotice).where(*of_tie, FamilyNotice.delivery == "sending")
    session.execute(overdue.where(FamilyNotice.updated_at < now - LEASE).values(delivery="unknown", updated_at=now))
    waiting = update(FamilyNotice).where(*of_tie, FamilyNotice.delivery == "waiting")
    again = waiting.values(delivery="sending", updated_at=now).returning(FamilyNotice.decision_id)
    return session.scalar(again.execution_options(synchronize_session=False)) is not None


def _add(session: Session, tie: FamilyTie, decision_id: int, delivery: str, now: datetime) -> bool:
    row = insert(FamilyNotice).values(tie_id=tie.id, decision_id=decision_id, delivery=delivery, updated_at=now)
    added = row.on_conflict_do_nothing().returning(FamilyNotice.decision_id)
    return session.scalar(added) is not None


def _about(services: Services, session: Session, dependant: int, user: WeChatUser) -> str:
    """Return whom the message is about, as the field of the reason begins."""
    name = session.get_one(Citizen, dependant).name_ciphertext
    masked = mask_name(services.encryption.decrypt("citizens.name", name)) if name else ""
    return f"{masked}：" if user.language == "zh" else f"{masked}: "


def _record(services: Services, session: Session, message: FamilyMessage, outcome: DeliveryOutcome) -> None:
    _mark(session, message.tie, message.decision.id, outcome, services.clock.now())
    subscription_messages.return_credit(services, session, message.user.id, outcome)
    if outcome.delivery == "failed":
        _hand_on(services, session, message.tie, message.decision.id)


def _hand_on(services: Services, session: Session, tie: FamilyTie, decision_id: int) -> None:
    """Let the official account or a text message say that the code of somebody in the family has changed."""
    if services.official is None and services.sms is None:
        return
    user = subscription_messages.find_users(session, [tie.holder]).get(tie.holder)
    subject = Subject(FAMILY, decision_id, tie.holder)
    account_messages.announce(session, subject, [] if user is None else [user.id], services.clock.now())


def find_words(session: Session, subject: Subject, user: WeChatUser | None, now: datetime) -> Words | None:
    """Return what a holder hears of a change; None where it is not the newest one, or they show the code no more."""
    decision = session.get(DecisionRow, subject.about)
    if decision is None or (user is not None and user.serial != subject.serial):
        return None
    newest = _newest_notices(session, [decision.serial], now).get(decision.serial)
    holders = {tie.holder for tie in ties.list_of_dependant(session, decision.serial, now)}
    if newest is None or newest.decision_id != decision.id or subject.serial not in holders:
        return None
    return Words("family-notice", decision.decided_at)


def _mark(session: Session, tie: FamilyTie, decision_id: int, outcome: DeliveryOutcome, now: datetime) -> None:
    row = update(FamilyNotice).where(FamilyNotice.tie_id == tie.id, FamilyNotice.decision_id == decision_id)
    values = {"delivery": outcome.delivery, "error": outcome.error, "msgid": outcome.msgid, "updated_at": now}
    session.execute(row.values(values).execution_options(synchronize_session=False))


class FamilyChange(NamedTuple):
    """A change of a dependant's code, as its holder reads it."""

    tie: FamilyTie
    decision: DecisionRow


def inbox(session: Session, holder: int, now: datetime) -> Sequence[FamilyChange]:
    """Return the last changes of the codes that a holder shows, each since they may, newest first."""
    mine = {tie.dependant: tie for tie in ties.list_of_holder(session, holder, now)}
    if not mine:
        return []
    changes = (
        select(Notice, DecisionRow)
        .join(DecisionRow, Notice.decision_id == DecisionRow.id)
        .where(or_(*((Notice.serial == tie.dependant) & (Notice.created_at >= tie.since) for tie in mine.values())))
        .order_by(Notice.id.desc())
        .limit(_INBOX)
    )
    return [FamilyChange(mine[notice.serial], decision) for notice, decision in session.execute(changes)]
