"""What each event does, by one plain table from its name to a function; a job a receipt comes here.

Deed and outcome are written in one transaction, so that an event is acted upon once, however often the job runs. An
openid that never logged in is nobody: nothing about it is written. Outcomes are for operators: they name numbers of
rows, never a person.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes.models import Notice
from app.core.settings import ColorChangeTemplate
from app.notifications import subscriptions
from app.privacy import erasure
from app.runtime import Services
from app.wechat import login
from app.wechat.callbacks import events, receipts
from app.wechat.callbacks.events import CallbackEvent, DeliveryReport
from app.wechat.models import WeChatUser

log = structlog.get_logger()

MAX_ATTEMPTS = (
    6  # with the back-off of the jobs: up to a minute, by when whoever is sending has written down the outcome
)
REVOKED_PHONE = 8  # WeChat's number of the phone number among what can be revoked
UNKNOWN_USER = "nobody we know"
_WECHAT = Actor("wechat")


class NotRecordedYet(Exception):
    """What the event tells of is not written down yet; the job tries again."""


class EffectContext(NamedTuple):
    """One event of a user of ours, the moment when it reached us, and whether it is looked at for the last time."""

    session: Session
    event: CallbackEvent
    user: WeChatUser
    template: ColorChangeTemplate
    at: datetime
    now: datetime
    last_try: bool


def apply_callback(services: Services, receipt_id: int, attempts: int) -> None:
    """Act on a receipt, unless that was done. Raises NotYet; after `attempts` in vain it gives up with an outcome."""
    with services.begin() as session:
        receipt = receipts.lock_unhandled(session, receipt_id)
        if receipt is None:
            return
        event, now = receipts.decrypt_event(services.encryption, receipt), services.clock.now()
        user = login.lock_user_by_openid(session, services.encryption, event.openid)
        outcome = UNKNOWN_USER
        if user is not None:
            template, last_try = services.settings.wechat.color_change, attempts >= MAX_ATTEMPTS
            context = EffectContext(session, event, user, template, receipt.received_at, now, last_try)
            outcome = EFFECTS[event.name](context)
        receipts.mark_handled(receipt, outcome, now)
        name = receipt.name
    log.info("callback-handled", event_name=name, outcome=outcome)


def _popup(context: EffectContext) -> str:
    """Each accept is one credit, unless the mini-program has reported the same one."""
    given = 0
    for answer in context.event.answers:
        if answer.template_id == context.template.template_id and answer.status in subscriptions.ANSWERS:
            given += subscriptions.record_answer(
                context.session,
                context.user.id,
                answer.template_id,
                answer.status,
                "event",
                context.at,
                quota=not context.template.long_term,
            )
    return f"credits given: {given}"


def _change(context: EffectContext) -> str:
    """A template that was switched off in WeChat's settings has no credits any more."""
    off = {answer.template_id for answer in context.event.answers if answer.status == "reject"}
    if context.template.template_id not in off:
        return receipts.NOTHING_TO_DO
    subscriptions.record_opt_out(context.session, context.user.id, context.template.template_id, context.at)
    return "credits set to 0"


def _sent(context: EffectContext) -> str:
    """What became of messages that WeChat had taken."""
    ours = [result for result in context.event.results if result.template_id == context.template.template_id]
    return "; ".join([_update_notice(context, result) for result in ours]) or receipts.NOTHING_TO_DO


def _update_notice(context: EffectContext, result: DeliveryReport) -> str:
    notice = _notice(context, result)
    if notice is None:
        return "no such notice"
    if notice.delivery == "failed":
        return f"notice {notice.id} had failed"
    notice.msgid, notice.updated_at = result.message_id, notice.updated_at or context.now
    notice.delivery, notice.error = ("failed", _reason(result)) if result.code else ("sent", None)
    return f"notice {notice.id} {notice.delivery}"


def _notice(context: EffectContext, result: DeliveryReport) -> Notice | None:
    """The notice with this number of WeChat's; at the last try the oldest one of whose sending nobody knows the end.

    WeChat may tell of a message before our own process has written its number down, or that process has died.
    """
    of_this_person = select(Notice).filter_by(serial=context.user.serial).order_by(Notice.id).limit(1).with_for_update()
    notice = context.session.scalar(of_this_person.filter_by(msgid=result.message_id))
    if notice is None and not context.last_try:
        raise NotRecordedYet("a notice with this number")
    open_end = Notice.delivery.in_(("sending", "unknown")), Notice.msgid.is_(None)
    return notice or context.session.scalar(of_this_person.where(*open_end))


def _reason(result: DeliveryReport) -> str:
    return f"{result.code} {result.status}".strip()[:40]


def _revoke(context: EffectContext) -> str:
    """The phone number is deleted; nothing else that can be revoked is kept here."""
    outcome = []
    if REVOKED_PHONE in context.event.revoked:
        serial = context.user.serial
        deleted = serial is not None and erasure.delete_phone(context.session, serial, actor=_WECHAT, now=context.now)
        outcome.append("phone deleted" if deleted else "no phone was kept")
    others = sorted(set(context.event.revoked) - {REVOKED_PHONE})
    if others:
        outcome.append("nothing is kept of " + ", ".join(map(str, others)))
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
}  # every other event is acknowledged, and there is nothing to do
assert EFFECTS.keys() == events.WITH_EFFECT
