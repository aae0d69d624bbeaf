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
from app.citizens import erasure
from app.codes.models import Notice
from app.config import ColorChangeTemplate
from app.services import Services
from app.wechat import login, subscriptions
from app.wechat.callbacks import events, receipts
from app.wechat.callbacks.events import Event, Result
from app.wechat.models import WeChatUser

log = structlog.get_logger()

TRIES = 6  # with the back-off of the jobs: up to a minute, by when whoever is sending has written down the outcome
PHONE = 8  # WeChat's number of the phone number among what can be revoked
NOBODY = "nobody we know"
_WECHAT = Actor("wechat")


class NotYet(Exception):
    """What the event tells of is not written down yet; the job tries again."""


class Case(NamedTuple):
    """One event of a user of ours, the moment when it reached us, and whether it is looked at for the last time."""

    session: Session
    event: Event
    user: WeChatUser
    template: ColorChangeTemplate
    at: datetime
    now: datetime
    last_try: bool


def handle(services: Services, receipt_id: int, attempts: int) -> None:
    """Act on a receipt, unless that was done. Raises NotYet; after `attempts` in vain it gives up with an outcome."""
    with services.begin() as session:
        receipt = receipts.unsettled(session, receipt_id)
        if receipt is None:
            return
        event, now = receipts.event_of(services.vault, receipt), services.clock.now()
        user = login.user_by_openid(session, services.vault, event.openid)
        outcome = NOBODY
        if user is not None:
            template, last_try = services.settings.wechat.color_change, attempts >= TRIES
            case = Case(session, event, user, template, receipt.received_at, now, last_try)
            outcome = DEEDS[event.name](case)
        receipts.settle(receipt, outcome, now)
        name = receipt.name
    log.info("callback", event_name=name, outcome=outcome)


def _popup(case: Case) -> str:
    """Each accept is one credit, unless the mini-program has reported the same one."""
    given = 0
    for answer in case.event.answers:
        if answer.template_id == case.template.template_id and answer.status in subscriptions.ANSWERS:
            given += subscriptions.answered(
                case.session,
                case.user.id,
                answer.template_id,
                answer.status,
                "event",
                case.at,
                quota=not case.template.long_term,
            )
    return f"credits given: {given}"


def _change(case: Case) -> str:
    """A template that was switched off in WeChat's settings has no credits any more."""
    off = {answer.template_id for answer in case.event.answers if answer.status == "reject"}
    if case.template.template_id not in off:
        return receipts.NOTHING_TO_DO
    subscriptions.switched_off(case.session, case.user.id, case.template.template_id, case.at)
    return "credits set to 0"


def _sent(case: Case) -> str:
    """What became of messages that WeChat had taken."""
    ours = [result for result in case.event.results if result.template_id == case.template.template_id]
    return "; ".join([_settle_notice(case, result) for result in ours]) or receipts.NOTHING_TO_DO


def _settle_notice(case: Case, result: Result) -> str:
    notice = _notice(case, result)
    if notice is None:
        return "no such notice"
    if notice.delivery == "failed":
        return f"notice {notice.id} had failed"
    notice.msgid, notice.settled_at = result.message_id, notice.settled_at or case.now
    notice.delivery, notice.error = ("failed", _reason(result)) if result.code else ("sent", None)
    return f"notice {notice.id} {notice.delivery}"


def _notice(case: Case, result: Result) -> Notice | None:
    """The notice with this number of WeChat's; at the last try the oldest one of whose sending nobody knows the end.

    WeChat may tell of a message before our own process has written its number down, or that process has died.
    """
    of_this_person = select(Notice).filter_by(serial=case.user.serial).order_by(Notice.id).limit(1).with_for_update()
    notice = case.session.scalar(of_this_person.filter_by(msgid=result.message_id))
    if notice is None and not case.last_try:
        raise NotYet("a notice with this number")
    open_end = Notice.delivery.in_(("sending", "unknown")), Notice.msgid.is_(None)
    return notice or case.session.scalar(of_this_person.where(*open_end))


def _reason(result: Result) -> str:
    return f"{result.code} {result.status}".strip()[:40]


def _revoke(case: Case) -> str:
    """The phone number is deleted; nothing else that can be revoked is kept here."""
    outcome = []
    if PHONE in case.event.revoked:
        serial = case.user.serial
        deleted = serial is not None and erasure.delete_phone(case.session, serial, actor=_WECHAT, now=case.now)
        outcome.append("phone deleted" if deleted else "no phone was kept")
    others = sorted(set(case.event.revoked) - {PHONE})
    if others:
        outcome.append("nothing is kept of " + ", ".join(map(str, others)))
    return "; ".join(outcome)


def _cancel(case: Case) -> str:
    serial = erasure.erase(case.session, case.user, actor=_WECHAT, now=case.now)
    return "erased" if serial is None else f"erased; evidence stays under code {serial}"


DEEDS: Final[Mapping[str, Callable[[Case], str]]] = {
    events.POPUP: _popup,
    events.CHANGE: _change,
    events.SENT: _sent,
    events.REVOKE: _revoke,
    events.CANCELLATION: _cancel,
}  # every other event is acknowledged, and there is nothing to do
