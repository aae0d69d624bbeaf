"""The channel of the mini-program: WeChat's subscribe messages, each for a credit that its user has left here."""

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple, Protocol, TypeVar, cast

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.models import DecisionRow
from app.codes.states import State
from app.core import upstream
from app.core.clock import BEIJING
from app.core.texts import text
from app.core.upstream import Upstream
from app.notifications import subscriptions
from app.notifications.channels import Candidate, ChannelMessage, DeliveryOutcome, MessageRow, Words
from app.rules import Policy
from app.runtime import Services
from app.wechat.client import SubscribeMessage, WeChatOutcomeUnknown, WeChatRefused, WeChatUnavailable
from app.wechat.models import WeChatUser
from app.wechat.templates import TemplateFieldError, fit_field

log = structlog.get_logger()

NO_QUOTA: Final = 43101
BUSY: Final = 43108  # WeChat accepts one message to a user at a time
SUBSCRIPTION: Final = "subscription"
_OTHER_PAGE: Final = "pages/home/home"  # which leads on; a released mini-program may not have the other page yet


class Message(Protocol):
    """A message to send: what was decided, or other words, to whom, and `about` whom where it is not the recipient."""

    @property
    def decision(self) -> DecisionRow | None: ...
    @property
    def user(self) -> WeChatUser: ...
    @property
    def about(self) -> str: ...
    @property
    def words(self) -> Words | None: ...


_Message = TypeVar("_Message", bound=Message)


class NoticeMessage(NamedTuple):
    """One message to send: a leased row, its decision or its words, and the recipient."""

    notice: MessageRow
    decision: DecisionRow | None
    user: WeChatUser
    about: str = ""
    words: Words | None = None


class SubscriptionChannel:
    """Subscribe messages as a channel of notices."""

    name = SUBSCRIPTION

    def __init__(self, services: Services) -> None:
        self._services = services

    def prepare(self, session: Session, candidates: Sequence[Candidate]) -> list[ChannelMessage | DeliveryOutcome]:
        """Take a credit for each; always in the order of the users, so that two workers cannot deadlock."""
        found: dict[int, ChannelMessage | DeliveryOutcome] = {}
        for one in sorted(candidates, key=lambda one: one.user.id if one.user else 0):
            if one.user is None or not take_credit(self._services, session, one.user):
                found[one.notice.id] = DeliveryOutcome("no-subscription")
            else:
                found[one.notice.id] = NoticeMessage(one.notice, one.decision, one.user, words=one.words)
        return [found[candidate.notice.id] for candidate in candidates]

    def send(self, message: ChannelMessage) -> DeliveryOutcome:
        """Send one message."""
        return send(self._services, cast(NoticeMessage, message))

    def record(self, session: Session, ended: Sequence[tuple[ChannelMessage, DeliveryOutcome]]) -> None:
        """Return the credits that were not used."""
        for message, outcome in ended:
            return_credit(self._services, session, cast(NoticeMessage, message).user.id, outcome)

    def report(self, outcomes: Sequence[DeliveryOutcome]) -> None:
        """Note whether WeChat answers."""
        report_upstream(self._services, outcomes)


def find_users(session: Session, serials: Collection[int]) -> dict[int, WeChatUser]:
    """Return the WeChat user who gets the notices of each code: the one who logged in last."""
    found = select(WeChatUser).where(WeChatUser.serial.in_(serials)).order_by(WeChatUser.last_login_at)
    return {user.serial: user for user in session.scalars(found) if user.serial is not None}


def take_credit(services: Services, session: Session, user: WeChatUser) -> bool:
    """Take one credit of a user before sending; a long-term template needs none."""
    template = services.settings.wechat.color_change
    return template.long_term or subscriptions.take_credit(session, user.id, template.template_id)


def return_credit(services: Services, session: Session, user_id: int, outcome: DeliveryOutcome) -> None:
    """Return the credit of a message, if it was not used; remove all where WeChat says that none is left."""
    template = services.settings.wechat.color_change
    if outcome.credit == "none-left":
        subscriptions.clear_credits(session, user_id, template.template_id, services.clock.now())
    elif outcome.credit == "back" and not template.long_term:
        subscriptions.return_credit(session, user_id, template.template_id)


def send_all(services: Services, messages: list[_Message]) -> list[tuple[_Message, Future[DeliveryOutcome]]]:
    """Send all at once, each in a thread of its own, so that no leased notice waits for another."""
    if not messages:
        return []
    with ThreadPoolExecutor(len(messages), thread_name_prefix="send") as threads:
        return [(message, threads.submit(send, services, message)) for message in messages]


def send(services: Services, message: Message) -> DeliveryOutcome:
    """Send one message to WeChat."""
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
        data=_fields(services, message),
        page=wechat.notice_page if message.words is None else _OTHER_PAGE,
        language="en_US" if user.language == "en" else "zh_CN",
        miniprogram_state=wechat.miniprogram_state,
    )


def _fields(services: Services, message: Message) -> dict[str, str]:
    if message.words is not None:
        return _compose_words(services, message.words, message.user.language)
    assert message.decision is not None  # a message has the one or the other
    return compose_fields(services, message.decision, message.user.language, message.about)


def _compose_words(services: Services, words: Words, language: str) -> dict[str, str]:
    """Return the fields of the template for a message that is about no color."""
    template, time = services.settings.wechat.color_change, words.at.astimezone(BEIJING)
    fields = {
        template.color_field: text(words.section, "what", "zh"),  # a phrase takes Chinese alone
        template.reason_field: text(words.section, "where", language),
        template.time_field: f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}",
        template.advice_field: text(words.section, "advice", language),
    }
    return {key: fit_field(key, value) for key, value in fields.items()}


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


def report_upstream(services: Services, outcomes: Sequence[DeliveryOutcome]) -> None:
    """Record whether WeChat answers: it sent, or refused with an error number; every other error is no answer."""
    now = services.clock.now()
    failures = {outcome.error for outcome in outcomes if outcome.delivery in ("waiting", "unknown")} - {str(BUSY)}
    if any(outcome.delivery == "sent" or (outcome.error or "").isdigit() for outcome in outcomes):
        upstream.record_success(services.redis, Upstream.WECHAT, now)
    elif failures:
        upstream.record_failure(services.redis, Upstream.WECHAT, min(map(str, failures)), now)
