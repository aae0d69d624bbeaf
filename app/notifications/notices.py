"""Telling citizens through WeChat that their codes changed.

Three short steps for one code or many: claim the newest notice of each with a credit for it; call WeChat with no
transaction open; settle. One message to a citizen is under way at a time, whoever sends it: the row of the notice is
the claim. A claim that nobody settled is a message with an unknown outcome, and is not sent again by itself: better
one message too few than a false second one.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal, NamedTuple

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
BUSY = 43108  # WeChat takes one message to a user at a time
LEASE = timedelta(minutes=2)  # no send takes so long: who has not settled by then is dead
EXPIRES_AFTER = timedelta(hours=24)  # a color that is older than this is not told any more


class NoticeMessage(NamedTuple):
    """What is to be sent to whom."""

    notice: Notice
    decision: DecisionRow
    user: WeChatUser


class DeliveryOutcome(NamedTuple):
    """What became of a message, and of the credit that was taken for it."""

    delivery: str
    error: str | None = None
    msgid: str | None = None
    credit: Literal["used", "back", "none-left"] = "used"


class DeliveryPostponed(Exception):
    """Somebody has to be told later: WeChat cannot be asked at present, or another worker has the citizen in hand."""


def deliver(services: Services, serials: Sequence[int]) -> None:
    """Send the newest waiting notice of each code. Raises NotNow when one has to wait; what was sent stays sent."""
    messages, leased_elsewhere = _lease(services, serials)
    sent = _send_all(services, messages)
    outcomes = [(message, end.result()) for message, end in sent if end.exception() is None]
    _record_outcomes(services, outcomes)
    for _, end in sent:
        end.result()  # a mistake of ours leaves its own notice unknown, and is told
    if leased_elsewhere or any(outcome.delivery == "waiting" for _, outcome in outcomes):
        raise DeliveryPostponed


# --- claiming -----------------------------------------------------------------------------------------------------


def _lease(services: Services, serials: Sequence[int]) -> tuple[list[NoticeMessage], bool]:
    """What is to be sent now, marked as being sent; and whether another worker is sending to one of the citizens."""
    now, chosen, leased_elsewhere = services.clock.now(), [], False
    open_notices = select(Notice).where(Notice.serial.in_(serials), Notice.delivery.in_(("waiting", "sending")))
    with services.begin() as session, session.no_autoflush:
        # in one order, so that two workers with the same citizens wait for each other and not in a circle
        rows = list(session.scalars(open_notices.order_by(Notice.serial, Notice.id).with_for_update()))
        for _, of_one in groupby(rows, key=lambda notice: notice.serial):
            notices = list(of_one)
            if any(_is_leased(notice, now) for notice in notices):
                leased_elsewhere = True
            elif (notice := _newest(notices, now)) is not None:
                chosen.append(notice)
        return _prepare(services, session, chosen, now), leased_elsewhere


def _is_leased(notice: Notice, now: datetime) -> bool:
    claimed = notice.updated_at if notice.delivery == "sending" else None
    return claimed is not None and now - claimed < LEASE


def _newest(notices: list[Notice], now: datetime) -> Notice | None:
    """The one notice of a citizen that is worth a message, if any; the others are settled."""
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
    """Take a credit for each and mark it as being sent; who has not subscribed is settled."""
    users = _users(session, [notice.serial for notice in notices])
    decisions = select(DecisionRow).where(DecisionRow.id.in_([notice.decision_id for notice in notices]))
    held = session.scalars(select(Code).where(Code.serial.in_([notice.serial for notice in notices])))
    codes = {code.serial: code for code in held}
    by_id, messages = {decision.id: decision for decision in session.scalars(decisions)}, []
    for notice in sorted(notices, key=lambda notice: users[notice.serial].id if notice.serial in users else 0):
        if codes[notice.serial].must_withhold(notice.created_at):
            _mark(notice, "withheld", now)
            continue
        user = users.get(notice.serial)
        if user is None or not _take_credit(services, session, user):
            _mark(notice, "no-subscription", now)
            continue
        _mark(notice, "sending", now)
        messages.append(NoticeMessage(notice, by_id[notice.decision_id], user))
    return messages


def _users(session: Session, serials: list[int]) -> dict[int, WeChatUser]:
    """The WeChat user to whom notices of each code go: the one who logged in last."""
    found = select(WeChatUser).where(WeChatUser.serial.in_(serials)).order_by(WeChatUser.last_login_at)
    return {user.serial: user for user in session.scalars(found) if user.serial is not None}


def _take_credit(services: Services, session: Session, user: WeChatUser) -> bool:
    template = services.settings.wechat.color_change
    return template.long_term or subscriptions.take_credit(session, user.id, template.template_id)


# --- sending ------------------------------------------------------------------------------------------------------


def _send_all(services: Services, messages: list[NoticeMessage]) -> list[tuple[NoticeMessage, Future[DeliveryOutcome]]]:
    """Send all at once, each in a thread of its own: what is claimed is under way, and nothing claimed waits."""
    if not messages:
        return []
    with ThreadPoolExecutor(len(messages), thread_name_prefix="send") as threads:
        return [(message, threads.submit(_send, services, message)) for message in messages]


def _send(services: Services, message: NoticeMessage) -> DeliveryOutcome:
    try:
        msgid = services.wechat.send_subscribe_message(_compose(services, message))
    except WeChatUnavailable as error:
        return DeliveryOutcome("waiting", error.reason, credit="back")
    except WeChatOutcomeUnknown as error:
        return DeliveryOutcome("unknown", error.reason)
    except WeChatRefused as error:
        return _refused(error.errcode)
    except TemplateFieldError as error:  # the operator's template does not fit: no citizen can change that
        log.error("notice-does-not-fit-template", field=error.key)
        return DeliveryOutcome("failed", "template", credit="back")
    return DeliveryOutcome("sent", msgid=msgid)


def _compose(services: Services, message: NoticeMessage) -> SubscribeMessage:
    wechat, user = services.settings.wechat, message.user
    return SubscribeMessage(
        openid=services.encryption.decrypt("wechat_users.openid", user.openid_ciphertext),
        template_id=wechat.color_change.template_id,
        data=compose_fields(services, message.decision, user.language),
        page=wechat.notice_page,
        language="zh_CN" if user.language == "zh" else "en_US",
        miniprogram_state=wechat.miniprogram_state,
    )


def _refused(errcode: int) -> DeliveryOutcome:
    if errcode == BUSY:
        return DeliveryOutcome("waiting", str(errcode), credit="back")
    return DeliveryOutcome("failed", str(errcode), credit="none-left" if errcode == NO_QUOTA else "back")


def compose_fields(services: Services, decision: DecisionRow, language: str) -> dict[str, str]:
    """The fields of the template for one decision, each within WeChat's limits."""
    template, state = services.settings.wechat.color_change, State(decision.state).name
    time = decision.decided_at.astimezone(BEIJING)
    fields = {
        template.color_field: text("notice-color", state, language),
        template.reason_field: _title(services.policy, decision, language),
        template.time_field: f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}",
        template.advice_field: text("notice-advice", state, language),
    }
    return {key: fit_field(key, value) for key, value in fields.items()}


def _title(policy: Policy, decision: DecisionRow, language: str) -> str:
    return policy.text(decision.rule, language).title


# --- settling -----------------------------------------------------------------------------------------------------


def _record_outcomes(services: Services, outcomes: list[tuple[NoticeMessage, DeliveryOutcome]]) -> None:
    """Write down what became of each message; one that has to wait does so with its credit given back."""
    if not outcomes:
        return
    now, by_id = services.clock.now(), {message.notice.id: outcome for message, outcome in outcomes}
    mine = select(Notice).where(Notice.id.in_(by_id)).order_by(Notice.serial, Notice.id).with_for_update()
    with services.begin() as session, session.no_autoflush:
        for notice in session.scalars(mine):
            outcome = by_id[notice.id]
            _mark(notice, outcome.delivery, now, outcome.error, outcome.msgid)
        for message, outcome in outcomes:
            _return_credit(services, session, message, outcome, now)
    _record_upstream_status(services, [outcome for _, outcome in outcomes], now)
    for (delivery, error), count in Counter((end.delivery, end.error) for _, end in outcomes).items():
        NOTICES.labels(delivery).inc(count)
        log.info("notice-outcome", delivery=delivery, error=error, count=count)


def _record_upstream_status(services: Services, outcomes: Sequence[DeliveryOutcome], now: datetime) -> None:
    """Note whether WeChat answers: sent, or refused by a number of its own; every other error is silence."""
    silences = {outcome.error for outcome in outcomes if outcome.delivery in ("waiting", "unknown")} - {str(BUSY)}
    if any(outcome.delivery == "sent" or (outcome.error or "").isdigit() for outcome in outcomes):
        upstream.record_success(services.redis, Upstream.WECHAT, now)
    elif silences:
        upstream.record_failure(services.redis, Upstream.WECHAT, str(min(map(str, silences))), now)


def _return_credit(
    services: Services, session: Session, message: NoticeMessage, outcome: DeliveryOutcome, now: datetime
) -> None:
    template = services.settings.wechat.color_change
    if outcome.credit == "none-left":
        subscriptions.clear_credits(session, message.user.id, template.template_id, now)
    elif outcome.credit == "back" and not template.long_term:
        subscriptions.return_credit(session, message.user.id, template.template_id)


def _mark(notice: Notice, delivery: str, now: datetime, error: str | None = None, msgid: str | None = None) -> None:
    notice.delivery, notice.updated_at, notice.error, notice.msgid = delivery, now, error, msgid
