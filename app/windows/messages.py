"""The message in WeChat to who was bound to an account that was recovered, where they have a subscription.

The mini-program shows the same to whoever opens it.
"""

from app.notifications import messages
from app.notifications.messages import Words
from app.runtime import Services
from app.windows import recoveries


def notify_former_holder(services: Services, recovery_id: int, user_id: int) -> None:
    """Send the message, unless it is too late to object or there is no credit. Raises DeliveryPostponed."""
    now = services.clock.now()
    with services.begin() as session:
        former = recoveries.find_of_former(session, user_id, now)
        if former is None or former.recovery.id != recovery_id or now >= former.until:
            return
        at = former.recovery.at
    messages.send(services, user_id, Words("recovery-notice", at))
