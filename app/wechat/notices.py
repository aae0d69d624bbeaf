"""Telling a citizen through WeChat that their code changed.

Notices of one citizen are sent one after the other, in the order of the changes. Three short steps each: reserve a
credit and mark the notice as being sent; call WeChat with no transaction open; settle. A notice found half-sent after a
crash has an unknown outcome and is not sent again by itself: better one message too few than a false second one.
"""

from datetime import datetime
from typing import NamedTuple

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import BEIJING
from app.codes.models import DecisionRow, Notice
from app.codes.states import State
from app.rules import Policy
from app.services import Services
from app.texts import text
from app.wechat import login, subscriptions
from app.wechat.client import OutcomeUnknown, Refused, Unavailable
from app.wechat.templates import FieldError, fit

log = structlog.get_logger()

NO_QUOTA = 43101
BUSY = 43108  # WeChat takes one message to a user at a time


class Message(NamedTuple):
    """A notice that is ready to be sent; holds an openid and is never logged."""

    notice_id: int
    user_id: int
    openid: str
    language: str
    data: dict[str, str]


class NotNow(Exception):
    """WeChat cannot be asked at present; the notice waits."""


def deliver(services: Services, serial: int) -> None:
    """Send every waiting notice of a code. Raises NotNow when WeChat is out of reach; what was sent stays sent."""
    while (notice_id := _next(services, serial)) is not None:
        message = _prepare(services, notice_id)
        if message is not None:
            _send(services, message)


def _next(services: Services, serial: int) -> int | None:
    """The oldest notice that is not settled; one left half-sent by a crash is settled as unknown on the way."""
    with services.begin() as session:
        open_notices = (
            select(Notice)
            .where(Notice.serial == serial, Notice.delivery.in_(("waiting", "sending")))
            .order_by(Notice.id)
        )
        for notice in session.scalars(open_notices):
            if notice.delivery == "waiting":
                return notice.id
            _settle(notice, "unknown", services.clock.now(), "interrupted")
    return None


def _prepare(services: Services, notice_id: int) -> Message | None:
    """Reserve a credit and mark the notice as being sent; None, and settled, when the citizen has not subscribed."""
    template = services.settings.wechat.color_change
    with services.begin() as session:
        notice = session.get_one(Notice, notice_id, with_for_update=True)
        user = login.user_of(session, notice.serial)
        subscribed = user is not None and (
            template.long_term or subscriptions.reserve(session, user.id, template.template_id)
        )
        if user is None or not subscribed:
            _settle(notice, "no-subscription", services.clock.now())
            return None
        notice.delivery = "sending"
        decision = session.get_one(DecisionRow, notice.decision_id)
        return Message(
            notice.id,
            user.id,
            services.vault.open("wechat_users.openid", user.openid_sealed),
            user.language,
            compose(services, decision, user.language),
        )


def compose(services: Services, decision: DecisionRow, language: str) -> dict[str, str]:
    """The fields of the template for one decision, each within WeChat's limits."""
    template, state = services.settings.wechat.color_change, State(decision.state).name
    time = decision.decided_at.astimezone(BEIJING)
    fields = {
        template.color_field: text("notice-color", state, language),
        template.reason_field: _title(services.policy, decision, language),
        template.time_field: f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}",
        template.advice_field: text("notice-advice", state, language),
    }
    return {key: fit(key, value) for key, value in fields.items()}


def _title(policy: Policy, decision: DecisionRow, language: str) -> str:
    return policy.text(decision.rule, language).title


def _send(services: Services, message: Message) -> None:
    wechat = services.settings.wechat
    try:
        msgid = services.wechat.send_subscribe_message(
            openid=message.openid,
            template_id=wechat.color_change.template_id,
            data=message.data,
            page=wechat.notice_page,
            language="zh_CN" if message.language == "zh" else "en_US",
            miniprogram_state=wechat.miniprogram_state,
        )
    except Unavailable as error:
        _not_now(services, message, str(error))
    except OutcomeUnknown as error:
        _close(services, message, "unknown", str(error))
    except Refused as error:
        _refused(services, message, error.errcode)
    except FieldError as error:  # the operator's template does not fit: no citizen can change that
        log.error("notice-does-not-fit-template", field=error.key)
        _close(services, message, "failed", "template", refund=True)
    else:
        _close(services, message, "sent", msgid=msgid)


def _refused(services: Services, message: Message, errcode: int) -> None:
    if errcode == BUSY:
        _not_now(services, message, str(errcode))
    _close(services, message, "failed", str(errcode), refund=errcode != NO_QUOTA, empty=errcode == NO_QUOTA)


def _not_now(services: Services, message: Message, reason: str) -> None:
    """Put the notice back as it was, credit included."""
    with services.begin() as session:
        session.get_one(Notice, message.notice_id).delivery = "waiting"
        _give_back(session, services, message)
    log.warning("wechat-unavailable", reason=reason)
    raise NotNow(reason)


def _close(
    services: Services,
    message: Message,
    delivery: str,
    error: str | None = None,
    *,
    msgid: str | None = None,
    refund: bool = False,
    empty: bool = False,
) -> None:
    template_id = services.settings.wechat.color_change.template_id
    now = services.clock.now()
    with services.begin() as session:
        _settle(session.get_one(Notice, message.notice_id), delivery, now, error, msgid)
        if refund:
            _give_back(session, services, message)
        if empty:
            subscriptions.use_up(session, message.user_id, template_id, now)
    log.info("notice", delivery=delivery, error=error)


def _give_back(session: Session, services: Services, message: Message) -> None:
    template = services.settings.wechat.color_change
    if not template.long_term:
        subscriptions.give_back(session, message.user_id, template.template_id)


def _settle(notice: Notice, delivery: str, now: datetime, error: str | None = None, msgid: str | None = None) -> None:
    notice.delivery, notice.settled_at, notice.error, notice.msgid = delivery, now, error, msgid
