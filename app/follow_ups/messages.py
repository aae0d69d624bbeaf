"""What a person hears who is followed up, once: that they were received. The mini-program shows it all the time."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes import ledger
from app.follow_ups.models import FollowUp
from app.notifications import account_messages
from app.notifications.account_messages import Subject
from app.notifications.channels import Words
from app.wechat import login
from app.wechat.models import WeChatUser


def notify_once(session: Session, one: FollowUp, now: datetime) -> None:
    """Notify the person that they were received, unless they were notified of another open follow-up before."""
    code = ledger.get_code(session, one.serial)
    notified = select(FollowUp.id).where(
        FollowUp.serial == one.serial, FollowUp.ended_at.is_(None), FollowUp.notified_at.is_not(None)
    )
    if code.claimed_at is None or code.is_withheld or session.scalar(notified.limit(1)) is not None:
        return
    one.notified_at = now
    subject = Subject("follow-up", one.id, one.serial)
    account_messages.announce(session, subject, login.list_user_ids(session, one.serial), now)


def find_words(session: Session, subject: Subject, user: WeChatUser | None, now: datetime) -> Words | None:
    """Return what the person is to hear; None where the follow-up has ended since."""
    one = session.get(FollowUp, subject.about)
    if one is None or one.notified_at is None or one.ended_at or (user is not None and user.serial != one.serial):
        return None
    return Words("follow-up-notice", one.notified_at)
