"""Delivery of notices: messages in WeChat about color changes.

Three short steps for one code or many: lease the newest notice of each, with a credit for it; call WeChat with no
transaction open; record the outcomes. At most one message to a citizen is being sent, by whichever worker: the row of
the notice is the lease. A lease without an outcome is a message with an unknown outcome, which is not sent again
automatically: one message too few is better than a false second one.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal, NamedTuple, Protocol, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.models import Code, DecisionRow, Notice
from app.codes.states import State
from app.core import upstream
from app.core.clock import BEIJING
from app.core.metrics import NOTICES
from app.core.texts import text
from app.core.upstream import Upstream
from app.notifications import subscriptions
from app.rules import Policy
from app.runtime import Services
from app.wechat.client import SubscribeMessage, WeChatOutcomeUnknown, WeChatRefused, WeChatUnavailable
from app.wechat.models import WeChatUser
from app.wechat.templates import TemplateFieldError, fit_field

log = structlog.get_logger()

NO_QUOTA = 43101
BUSY = 43108  # WeChat accepts one message to a user at a time
LEASE = timedelta(minutes=2)  # no send takes so long: a worker without an outcome by then has died
EXPIRES_AFTER = timedelta(hours=24)  # an older change is not worth a message any more


class Message(Protocol):
    """A message to send: what was decided, to whom, and `about` whom where it is not the recipient."""

    @property
    def decision(self) -> DecisionRow: ...
    @property
    def user(self) -> WeChatUser: ...
    @property
    def about(self) -> str: ...


_Message = TypeVar("_Message", bound=Message)


class NoticeMessage(NamedTuple):
    """One message to send: a leased notice, its decision and the recipient."""

    notice: Notice
    decision: DecisionRow
    user: WeChatUser
    about: str = ""


class DeliveryOutcome(NamedTuple):
    """The outcome of a message, and of the credit that was taken for it."""

    delivery: str
    error: str | None = None
    msgid: str | None = None
    credit: Literal["used", "back", "none-left"] = "used"


class DeliveryPostponed(Exception):
    """A notice has to be sent later: WeChat is unavailable, or another worker is sending to the same citizen."""


def deliver(services: Services, serials: Sequence[int]) -> None:
    """Send the newest waiting notice of each code. Raises DeliveryPostponed when one has to wait; others are sent."""
    messages, leased_elsewhere = _lease(services, serials)
    sent = send_all(services, messages)
    outcomes = [(message, end.result()) for message, end in sent if end.exception() is None]
    _record_outcomes(services, outcomes)
    for _, end in sent:
        end.result()  # an error of ours leaves only its own notice unknown, and is raised
    if leased_elsewhere or any(outcome.delivery == "waiting" for _, outcome in outcomes):
        raise DeliveryPostponed


# --- leasing ------------------------------------------------------------------------------------------------------


def _lease(services: Services, serials: Sequence[int]) -> tuple[list[NoticeMessage], bool]:
    """Return the messages to send, marked as being sent, and whether another worker is sending to a citizen."""
    now, chosen, leased_elsewhere = services.clock.now(), [], False
    open_notices = select(Notice).where(Notice.serial.in_(serials), Notice.delivery.in_(("waiting", "sending")))
    with services.begin() as session, session.no_autoflush:
        # always in this order, so that two workers with the same citizens cannot deadlock
        rows = list(session.scalars(open_notices.order_by(Notice.serial, Notice.id).with_for_update()))
        for _, of_code in groupby(rows, key=lambda notice: notice.serial):
            notices = list(of_code)
            if any(_is_leased(notice, now) for notice in notices):
                leased_elsewhere = True
            elif (notice := _newest(notices, now)) is not None:
                chosen.append(notice)
        return _prepare(services, session, chosen, now), leased_elsewhere


def _is_leased(notice: Notice, now: datetime) -> bool:
    leased_at = notice.updated_at if notice.delivery == "sending" else None
    return leased_at is not None and now - leased_at < LEASE


def _newest(notices: list[Notice], now: datetime) -> Notice | None:
    """Return the one notice of a citizen that is worth a message, if any; close the others."""
    for notice in notices:
        if notice.delivery == "sending":
            _mark(notice, "unknown", now, "interrupted")
        elif notice is not notices[-1]:
            _mark(notice, "superseded", now)
        elif now - notice.created_at > EXPIRES_AFTER:
            _mark(notice, "expired", now)
        else:
            return notice
    return None


def _prepare(services: Services, session: Session, notices: list[Notice], now: datetime) -> list[NoticeMessage]:
    """Take a credit for each notice and mark it as being sent; close those that may not or cannot be sent."""
    serials = [notice.serial for notice in notices]
    users, messages = find_users(session, serials), []
    codes = {code.serial: code for code in session.scalars(select(Code).where(Code.serial.in_(serials)))}
    decisions = select(DecisionRow).where(DecisionRow.id.in_([notice.decision_id for notice in notices]))
    by_id = {decision.id: decision for decision in session.scalars(decisions)}
    for notice in sorted(notices, key=lambda notice: users[notice.serial].id if notice.serial in users else 0):
        user = users.get(notice.serial)
        if codes[notice.serial].is_withheld:
            _mark(notice, "withheld", now)
        elif user is None or not take_credit(services, session, user):
            _mark(notice, "no-subscription", now)
        else:
            _mark(notice, "sending", now)
            messages.append(NoticeMessage(notice, by_id[notice.decision_id], user))
    return messages


def find_users(session: Session, serials: Collection[int]) -> dict[int, WeChatUser]:
    """Return the WeChat user who gets the notices of each code: the one who logged in last."""
    found = select(WeChatUser).where(WeChatUser.serial.in_(serials)).order_by(WeChatUser.last_login_at)
    return {user.serial: user for user in session.scalars(found) if user.serial is not None}


def take_credit(services: Services, session: Session, user: WeChatUser) -> bool:
    """Take one credit of a user before sending; a long-term template needs none."""
    template = services.settings.wechat.color_change
    return template.long_term or subscriptions.take_credit(session, user.id, template.template_id)


# --- sending ------------------------------------------------------------------------------------------------------


def send_all(services: Services, messages: list[_Message]) -> list[tuple[_Message, Future[DeliveryOutcome]]]:
    """Send all at once, each in a thread of its own, so that no leased notice waits for another."""
    if not messages:
        return []
    with ThreadPoolExecutor(len(messages), thread_name_prefix="send") as threads:
        return [(message, threads.submit(_send, services, message)) for message in messages]


def _send(services: Services, message: Message) -> DeliveryOutcome:
    try:
        msgid = services.wechat.send_subscribe_message(_compose(services, message))
    except WeChatUnavailable as error:
        return DeliveryOutcome("waiting", error.reason, credit="back")
    except WeChatOutcomeUnknown as error:
        return DeliveryOutcome("unknown", error.reason)
    except WeChatRefused as error:
        return _refused(error.errcode)
    except TemplateFieldError as error:  # the configured template does not fit, which is no citizen's fault
        log.error("notice-does-not-fit-template", field=error.key)
        return DeliveryOutcome("failed", "template", credit="back")
    return DeliveryOutcome("sent", msgid=msgid)


def _compose(services: Services, message: Message) -> SubscribeMessage:
    wechat, user = services.settings.wechat, message.user
    return SubscribeMessage(
        openid=services.encryption.decrypt("wechat_users.openid", user.openid_ciphertext),
        template_id=wechat.color_change.template_id,
        data=compose_fields(services, message.decision, user.language, message.about),
        page=wechat.notice_page,
        language="en_US" if user.language == "en" else "zh_CN",
        miniprogram_state=wechat.miniprogram_state,
    )


def _refused(errcode: int) -> DeliveryOutcome:
    if errcode == BUSY:
        return DeliveryOutcome("waiting", str(errcode), credit="back")
    return DeliveryOutcome("failed", str(errcode), credit="none-left" if errcode == NO_QUOTA else "back")


def compose_fields(services: Services, decision: DecisionRow, language: str, about: str = "") -> dict[str, str]:
    """Return the fields of the template for one decision, each within WeChat's limits."""
    template, state = services.settings.wechat.color_change, State(decision.state).name
    time = decision.decided_at.astimezone(BEIJING)
    fields = {
        template.color_field: text("notice-color", state, language),
        template.reason_field: about + _title(services.policy, decision, language),
        template.time_field: f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}",
        template.advice_field: text("notice-advice", state, language),
    }
    return {key: fit_field(key, value) for key, value in fields.items()}


def _title(policy: Policy, decision: DecisionRow, language: str) -> str:
    return policy.text(decision.rule, language).title


# --- recording outcomes -------------------------------------------------------------------------------------------


def _record_outcomes(services: Services, outcomes: list[tuple[NoticeMessage, DeliveryOutcome]]) -> None:
    """Record the outcome of each message; return the credits that were not used."""
    if not outcomes:
        return
    now, by_id = services.clock.now(), {message.notice.id: outcome for message, outcome in outcomes}
    leased = select(Notice).where(Notice.id.in_(by_id)).order_by(Notice.serial, Notice.id).with_for_update()
    with services.begin() as session, session.no_autoflush:
        for notice in session.scalars(leased):
            outcome = by_id[notice.id]
            _mark(notice, outcome.delivery, now, outcome.error, outcome.msgid)
        for message, outcome in outcomes:
            return_credit(services, session, message.user.id, outcome)
    report_outcomes(services, [outcome for _, outcome in outcomes])


def report_outcomes(services: Services, outcomes: Sequence[DeliveryOutcome]) -> None:
    """Report whether WeChat answers, and count the outcomes."""
    _record_upstream_status(services, outcomes, services.clock.now())
    for (delivery, error), count in Counter((end.delivery, end.error) for end in outcomes).items():
        NOTICES.labels(delivery).inc(count)
        log.info("notice-outcome", delivery=delivery, error=error, count=count)


def _record_upstream_status(services: Services, outcomes: Sequence[DeliveryOutcome], now: datetime) -> None:
    """Record whether WeChat answers: it sent, or refused with an error number; every other error is no answer."""
    failures = {outcome.error for outcome in outcomes if outcome.delivery in ("waiting", "unknown")} - {str(BUSY)}
    if any(outcome.delivery == "sent" or (outcome.error or "").isdigit() for outcome in outcomes):
        upstream.record_success(services.redis, Upstream.WECHAT, now)
    elif failures:
        upstream.record_failure(services.redis, Upstream.WECHAT, min(map(str, failures)), now)


def return_credit(services: Services, session: Session, user_id: int, outcome: DeliveryOutcome) -> None:
    """Return the credit of a message, if it was not used; remove all where WeChat says that none is left."""
    template = services.settings.wechat.color_change
    if outcome.credit == "none-left":
        subscriptions.clear_credits(session, user_id, template.template_id, services.clock.now())
    elif outcome.credit == "back" and not template.long_term:
        subscriptions.return_credit(session, user_id, template.template_id)


def _mark(notice: Notice, delivery: str, now: datetime, error: str | None = None, msgid: str | None = None) -> None:
    notice.delivery, notice.updated_at, notice.error, notice.msgid = delivery, now, error, msgid
