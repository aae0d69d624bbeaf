"""Effects of WeChat's callbacks: one table from the name of an event to a function. Each receipt has a job.

Effect and outcome are written in one transaction, so that an event is applied once, however often the job runs. For an
openid that never logged in nothing is written. Outcomes are for operators: they name numbers of rows, never a person.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor
from app.citizens.models import Account
from app.codes.models import Notice
from app.core import queue
from app.core.settings import ColorChangeTemplate
from app.notifications import delivery, notices, subscriptions
from app.notifications.channels import Channel
from app.notifications.subscriptions import TemplateAnswer
from app.privacy import erasure
from app.runtime import Services
from app.wechat import login
from app.wechat.callbacks import events, receipts
from app.wechat.callbacks.events import CallbackEvent, DeliveryReport
from app.wechat.models import WeChatUser
from app.worker import official_effects
from app.worker.official_effects import NotRecordedYet

log = structlog.get_logger()

MAX_ATTEMPTS = 6  # with the jobs' back-off about a minute, in which every sender has recorded its outcome
REVOKED_PHONE = 8  # WeChat's number for the phone number among the data that can be revoked
UNKNOWN_USER = "unknown user"
OUTDATED = "outdated"
_SKEW: Final = timedelta(minutes=1)  # between WeChat's clock and ours
_WECHAT = Actor("wechat")


class EffectContext(NamedTuple):
    """One event of a user of ours, the moment when it reached us, and whether this is the last attempt."""

    session: Session
    event: CallbackEvent
    user: WeChatUser
    template: ColorChangeTemplate
    channels: Sequence[Channel]
    at: datetime
    now: datetime
    last_attempt: bool


def apply_callback(services: Services, receipt_id: int, attempts: int) -> None:
    """Apply a receipt, unless that was done. Raises NotRecordedYet, but for the last of `MAX_ATTEMPTS` attempts."""
    with services.sessions() as session:
        found = receipts.find_event(session, services.encryption, receipt_id)
    if found is not None and found.account == events.OFFICIAL:
        official_effects.apply(services, receipt_id, found, last_attempt=attempts >= MAX_ATTEMPTS)
    elif found is not None:
        _apply(services, receipt_id, attempts)


def _apply(services: Services, receipt_id: int, attempts: int) -> None:
    with services.begin() as session:
        receipt = receipts.lock_unhandled(session, receipt_id)
        if receipt is None:
            return
        event, now = receipts.decrypt_event(services.encryption, receipt), services.clock.now()
        user = login.lock_user_by_openid(session, services.encryption, event.openid)
        outcome = UNKNOWN_USER
        if user is not None:
            template, last_attempt = services.settings.wechat.color_change, attempts >= MAX_ATTEMPTS
            channels, at = notices.list_channels(services), receipt.received_at
            context = EffectContext(session, event, user, template, channels, at, now, last_attempt)
            outdated = _is_outdated(session, event, user, now - services.real_clock.now())
            outcome = OUTDATED if outdated else EFFECTS[event.name](context)
        receipts.mark_handled(receipt, outcome, now)
        erased = user is not None and event.name == events.CANCELLATION
        queue.forget_lock(session, receipts.lock_of(services.encryption, event.openid), also_failed=erased)
        name = receipt.name
    log.info("callback-handled", event_name=name, outcome=outcome)


def _is_outdated(session: Session, event: CallbackEvent, user: WeChatUser, ahead: timedelta) -> bool:
    """Return whether the user withdrew something before this registration: it is not what they withdrew.

    `ahead` is how far a demonstration has set the clock ahead of WeChat's.
    """
    if event.at is None or event.name not in (events.REVOKE, events.CANCELLATION):
        return False
    account = None if user.serial is None else session.get(Account, user.serial)
    bound_at = user.created_at if account is None else max(user.created_at, account.created_at)
    return event.at + max(ahead, timedelta(0)) < bound_at - _SKEW


def _popup(context: EffectContext) -> str:
    """Give one credit for each accept, unless the mini-program has reported the same one."""
    template, given = context.template, 0
    for answer in context.event.answers:
        if answer.template_id == template.template_id:
            answered = TemplateAnswer(answer.template_id, answer.status, "event", context.at, template.long_term)
            given += subscriptions.record_answer(context.session, context.user.id, answered)
    return f"credits given: {given}"


def _change(context: EffectContext) -> str:
    """Void the credits of a template that was switched off in WeChat's settings."""
    ours = [answer for answer in context.event.answers if answer.template_id == context.template.template_id]
    if subscriptions.REJECT not in [subscriptions.read_answer(answer.status, "event") for answer in ours]:
        return receipts.NOTHING_TO_DO
    subscriptions.record_opt_out(context.session, context.user.id, context.template.template_id, context.at)
    return "credits set to 0"


def _sent(context: EffectContext) -> str:
    """Record the results of messages that WeChat had accepted."""
    ours = [result for result in context.event.results if result.template_id == context.template.template_id]
    return "; ".join([_update_notice(context, result) for result in ours]) or receipts.NOTHING_TO_DO


def _update_notice(context: EffectContext, result: DeliveryReport) -> str:
    notice = _find_notice(context, result)
    if notice is None:
        return "no such notice"
    if notice.delivery == "failed":
        return f"notice {notice.id} had failed"
    notice.msgid, notice.updated_at = result.message_id, notice.updated_at or context.now
    if not result.code:
        notice.delivery, notice.error = "sent", None
    elif delivery.hand_on(context.channels, notice, _reason(result), context.now):
        queue.defer_notices(context.session, [notice.serial], bulk=False)
    return f"notice {notice.id} {notice.delivery}"


def _find_notice(context: EffectContext, result: DeliveryReport) -> Notice | None:
    """Return the notice with this message id; at the last attempt else the oldest one with an unknown outcome.

    WeChat may report on a message before our own process has recorded its id, or that process has died.
    """
    of_person = select(Notice).filter_by(serial=context.user.serial).order_by(Notice.id).limit(1).with_for_update()
    notice = context.session.scalar(of_person.filter_by(msgid=result.message_id))
    if notice is None and not context.last_attempt:
        raise NotRecordedYet("no notice with this message id")
    unknown_outcome = Notice.delivery.in_(("sending", "unknown")), Notice.msgid.is_(None)
    return notice or context.session.scalar(of_person.where(*unknown_outcome))


def _reason(result: DeliveryReport) -> str:
    return f"{result.code} {result.status}".strip()[:40]


def _revoke(context: EffectContext) -> str:
    """Delete the phone number that the user gave; nothing else that can be revoked is stored here."""
    outcome = []
    if REVOKED_PHONE in context.event.revoked:
        serial = erasure.registered_serial(context.session, context.user)
        deleted = serial is not None and erasure.delete_phone(context.session, serial, actor=_WECHAT, now=context.now)
        outcome.append("phone deleted" if deleted else "no phone was stored")
    others = sorted(set(context.event.revoked) - {REVOKED_PHONE})
    if others:
        outcome.append(f"nothing is stored of {', '.join(map(str, others))}")
    return "; ".join(outcome)


def _cancel(context: EffectContext) -> str:
    serial = erasure.erase(context.session, context.user, actor=_WECHAT, now=context.now)
    return "erased" if serial is None else f"erased; evidence stays under code {serial}"


EFFECTS: Final[Mapping[str, Callable[[EffectContext], str]]] = {
    events.POPUP: _popup,
    events.CHANGE: _change,
    events.SENT: _sent,
    events.REVOKE: _revoke,
    events.CANCELLATION: _cancel,
}  # every other event is only acknowledged
assert EFFECTS.keys() == events.WITH_EFFECT[events.MINIPROGRAM]
