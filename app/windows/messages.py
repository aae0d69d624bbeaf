"""What who was bound to an account that was recovered hears of it. The mini-program shows the same."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.notifications.account_messages import Subject
from app.notifications.channels import Words
from app.wechat.models import WeChatUser
from app.windows import recoveries
from app.windows.models import Recovery


def find_words(session: Session, subject: Subject, user: WeChatUser | None, now: datetime) -> Words | None:
    """Return what a former holder, or the phone of the person, is to hear; None where it is too late to object."""
    recovery = session.get(Recovery, subject.about)
    if recovery is None or now >= recovery.at + recoveries.OBJECTION_PERIOD:
        return None
    if user is not None:
        former = recoveries.find_of_former(session, user.id, now)
        if former is None or former.recovery.id != recovery.id:
            return None
    return Words("recovery-notice", recovery.at)
