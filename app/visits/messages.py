"""What the manager of a venue hears whose code was scanned implausibly often. The mini-program shows the same."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.notifications.account_messages import Subject
from app.notifications.channels import Words
from app.venues import management
from app.visits import alarms
from app.wechat.models import WeChatUser


def find_words(session: Session, subject: Subject, user: WeChatUser | None, now: datetime) -> Words | None:
    """Return what the manager is to hear; None where the next print was made, or another manages the venue."""
    found, is_theirs = alarms.find_open(session, subject.about), user is None or user.serial == subject.serial
    if found is None or not is_theirs or management.find_manager(session, found.venue) != subject.serial:
        return None
    return Words("venue-alarm-notice", found.alarm.raised_at)
