"""The message in WeChat to who was bound to an account that was recovered, where they have a subscription.

The mini-program shows the same to whoever opens it. At most one message: one whose outcome is unknown is not repeated.
"""

import structlog

from app.core.clock import BEIJING
from app.core.texts import text
from app.notifications import subscriptions
from app.notifications.notices import BUSY, NO_QUOTA, DeliveryPostponed
from app.runtime import Services
from app.wechat.client import SubscribeMessage, WeChatOutcomeUnknown, WeChatRefused, WeChatUnavailable
from app.wechat.models import WeChatUser
from app.wechat.templates import TemplateFieldError, fit_field
from app.windows import recoveries
from app.windows.recoveries import FormerHolder

log = structlog.get_logger()


def notify_former_holder(services: Services, recovery_id: int, user_id: int) -> None:
    """Send the message, unless it is too late to object or there is no credit. Raises DeliveryPostponed."""
    template, now = services.settings.wechat.color_change, services.clock.now()
    with services.begin() as session:
        former = recoveries.find_of_former(session, user_id, now)
        user = session.get(WeChatUser, user_id)
        if user is None or former is None or former.recovery.id != recovery_id or now >= former.until:
            return
        if not template.long_term and not subscriptions.take_credit(session, user_id, template.template_id):
            return
        message = _compose(services, former, user)
    credit = _send(services, message)
    with services.begin() as session:
        if credit == "none-left":
            subscriptions.clear_credits(session, user_id, template.template_id, now)
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


def _compose(services: Services, former: FormerHolder, user: WeChatUser) -> SubscribeMessage | None:
    """Return the message in the fields of the template; None where the configured one does not fit."""
    wechat, time = services.settings.wechat, former.recovery.at.astimezone(BEIJING)
    template = wechat.color_change
    words = {
        template.color_field: text("recovery-notice", "what", "zh"),  # a phrase takes Chinese alone
        template.reason_field: text("recovery-notice", "where", user.language),
        template.time_field: f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}",
        template.advice_field: text("recovery-notice", "advice", user.language),
    }
    try:
        data = {key: fit_field(key, value) for key, value in words.items()}
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
