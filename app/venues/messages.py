"""The message in WeChat to a citizen whose application for a venue was decided. The mini-program shows the same."""

from app.notifications import messages
from app.notifications.messages import Words
from app.runtime import Services
from app.venues.models import VenueApplication
from app.wechat.models import WeChatUser

_SECTIONS = {"approved": "venue-notice", "refused": "venue-refused-notice"}


def notify(services: Services, application_id: int, user_id: int) -> None:
    """Send the message, unless the application is gone. Raises DeliveryPostponed."""
    with services.sessions() as session:
        row, user = session.get(VenueApplication, application_id), session.get(WeChatUser, user_id)
        if row is None or user is None or user.serial != row.serial or row.resolved_at is None:
            return
        section, at = _SECTIONS.get(row.state), row.resolved_at
    if section is not None:
        messages.send(services, user_id, Words(section, at))
