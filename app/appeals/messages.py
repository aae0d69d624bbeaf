"""The message in WeChat to the person whose appeal was answered. The mini-program shows the answer itself."""

from app.appeals.models import Appeal
from app.notifications import messages
from app.notifications.messages import Words
from app.runtime import Services
from app.wechat.models import WeChatUser

_SECTIONS = {"upheld": "appeal-upheld-notice", "overturned": "appeal-overturned-notice"}


def notify(services: Services, appeal_id: int, user_id: int) -> None:
    """Send the message to a WeChat user who is still bound to the code. Raises DeliveryPostponed."""
    with services.sessions() as session:
        appeal, user = session.get(Appeal, appeal_id), session.get(WeChatUser, user_id)
        if appeal is None or user is None or user.serial != appeal.serial or appeal.resolved_at is None:
            return
        section, at = _SECTIONS.get(appeal.state), appeal.resolved_at
    if section is not None:
        messages.send(services, user_id, Words(section, at))
