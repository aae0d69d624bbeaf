"""The message in WeChat to the person whose request officers have decided. The mini-program shows the same."""

from app.corrections.models import DocumentCorrection
from app.notifications import messages
from app.notifications.messages import Words
from app.runtime import Services
from app.wechat.models import WeChatUser

_SECTIONS = {"done": "correction-notice", "refused": "correction-refused-notice"}


def notify(services: Services, correction_id: int, user_id: int) -> None:
    """Send the message, unless something else has become of the request since. Raises DeliveryPostponed."""
    with services.sessions() as session:
        row, user = session.get(DocumentCorrection, correction_id), session.get(WeChatUser, user_id)
        if row is None or user is None or user.serial != row.serial or row.resolved_at is None:
            return
        section, at = _SECTIONS.get(row.state), row.resolved_at
    if section is not None:
        messages.send(services, user_id, Words(section, at))
