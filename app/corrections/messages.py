"""What the person hears whose request officers have decided. The mini-program shows the same."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.corrections.models import DocumentCorrection
from app.notifications.account_messages import Subject
from app.notifications.channels import Words
from app.wechat.models import WeChatUser

_SECTIONS = {"done": "correction-notice", "refused": "correction-refused-notice"}


def find_words(session: Session, subject: Subject, user: WeChatUser | None, now: datetime) -> Words | None:
    """Return what the person is to hear; None where something else has become of the request since."""
    row = session.get(DocumentCorrection, subject.about)
    if row is None or row.resolved_at is None or (user is not None and user.serial != row.serial):
        return None
    section = _SECTIONS.get(row.state)
    return None if section is None else Words(section, row.resolved_at)
