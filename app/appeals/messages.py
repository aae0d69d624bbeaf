"""What the person hears whose appeal was answered. The mini-program shows the answer itself."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.appeals.models import Appeal
from app.notifications.account_messages import Subject
from app.notifications.channels import Words
from app.wechat.models import WeChatUser

_SECTIONS = {"upheld": "appeal-upheld-notice", "overturned": "appeal-overturned-notice"}


def find_words(session: Session, subject: Subject, user: WeChatUser | None, now: datetime) -> Words | None:
    """Return what the person is to hear, whoever of theirs is still bound to the code."""
    appeal = session.get(Appeal, subject.about)
    if appeal is None or appeal.resolved_at is None or (user is not None and user.serial != appeal.serial):
        return None
    section = _SECTIONS.get(appeal.state)
    return None if section is None else Words(section, appeal.resolved_at)
