"""One message in WeChat that is about no color: of something that was done, which the mini-program shows too.

At most one: a message whose outcome is unknown is not repeated. It costs a credit as the notice of a change does.
"""

from datetime import datetime
from typing import NamedTuple

import structlog

from app.core.clock import BEIJING
from app.core.texts import text
from app.notifications import subscriptions
from app.notifications.notices import BUSY, NO_QUOTA, DeliveryPostponed
from app.runtime import Services
from app.wechat.client import SubscribeMessage, WeChatOutcomeUnknown, WeChatRefused, WeChatUnavailable
from app.wechat.models import WeChatUser
from app.wechat.templates import TemplateFieldError, fit_field

log = structlog.get_logger()


class Words(NamedTuple):
    """What a message says: the section of its texts (`what`, `where`, `advice`), and when it was done."""

    section: str
    at: datetime


def send(services: Services, user_id: int, words: Words) -> None:
    """Send a message to a WeChat user, unless there is no credit. Raises DeliveryPostponed."""
    template = services.settings.wechat.color_change
    with services.begin() as session:
        user = session.get(WeChatUser, user_id)
        if user is None:
            return
        if not template.long_term and not subscriptions.take_credit(session, user_id, template.template_id):
            return
        message = _compose(services, words, user)
    credit = _send(services, message)
    with services.begin() as session:
        if credit == "none-left":
            subscriptions.clear_credits(session, user_id, template.template_id, services.clock.now())
        elif credit != "used" and not template.long_term:
            subscriptions.return_credit(session, user_id, template.template_id)
    if credit == "later":
        raise DeliveryPostponed


def _send(services: Services, message: SubscribeMessage | None) -> str:
    """Send a message, and return what became of its credit: used, back, none-left, or later for another attempt."""
    if message is None:
        return "back"
    try:
        services.wechat.send_subscribe_message(message)
    except WeChatUnavailable:
        return "later"
    except WeChatOutcomeUnknown:
        return "used"
    except WeChatRefused as refusal:
        return {BUSY: "later", NO_QUOTA: "none-left"}.get(refusal.errcode, "back")
    return "used"


def _compose(services: Services, words: Words, user: WeChatUser) -> SubscribeMessage | None:
    """Return the message in the fields of the template; None where the configured one does not fit."""
    wechat, time = services.settings.wechat, words.at.astimezone(BEIJING)
    template = wechat.color_change
    filled = {
        template.color_field: text(words.section, "what", "zh"),  # a phrase takes Chinese alone
        template.reason_field: text(words.section, "where", user.language),
        template.time_field: f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}",
        template.advice_field: text(words.section, "advice", user.language),
    }
    try:
        data = {key: fit_field(key, value) for key, value in filled.items()}
    except TemplateFieldError as error:
        log.error("notice-does-not-fit-template", field=error.key)
        return None
    return SubscribeMessage(
        openid=services.encryption.decrypt("wechat_users.openid", user.openid_ciphertext),
        template_id=template.template_id,
        data=data,
        page="pages/home/home",  # which leads on; a released mini-program may not have the other page yet
        language="en_US" if user.language == "en" else "zh_CN",
        miniprogram_state=wechat.miniprogram_state,
    )
