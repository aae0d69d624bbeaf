"""What a citizen hears whose application for a venue was decided. The mini-program shows the same."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.notifications.account_messages import Subject
from app.notifications.channels import Words
from app.venues.models import VenueApplication
from app.wechat.models import WeChatUser

_SECTIONS = {"approved": "venue-notice", "refused": "venue-refused-notice"}


def find_words(session: Session, subject: Subject, user: WeChatUser | None, now: datetime) -> Words | None:
    """Return what the applicant is to hear; None where the application is gone."""
    row = session.get(VenueApplication, subject.about)
    if row is None or row.resolved_at is None or (user is not None and user.serial != row.serial):
        return None
    section = _SECTIONS.get(row.state)
    return None if section is None else Words(section, row.resolved_at)
