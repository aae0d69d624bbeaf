"""Retention of what nobody asks to be erased: deleted after its time, by the worker.

`docs/explanation/privacy.md` says the same to people, with the query that shows that it is gone.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.core.clock import BEIJING
from app.core.db import among
from app.entries.content import OPEN_STATES
from app.entries.models import Entry
from app.follow_ups.models import FollowUp
from app.staff.sessions import SESSIONS as OFFICER_SESSIONS
from app.stations.sessions import SESSIONS as INSPECTOR_SESSIONS
from app.wechat.models import Subscription, SubscriptionAccept, WeChatUser
from app.windows import statements
from app.windows.models import FormerBinding, Recovery, WindowLookup, WindowStatement

VISITORS: Final = timedelta(days=90)  # after their last log-in, those who never registered or are unbound
WINDOWS: Final = timedelta(days=90)  # look-ups, statements and recoveries at service windows
FOLLOW_UPS: Final = timedelta(days=90)  # after their end
PLACES: Final = timedelta(days=90)  # after an entry was decided, and after its last day


def delete_visitors(session: Session, now: datetime, limit: int) -> int:
    """Delete WeChat users without a code who have not logged in for long; return their number."""
    old = select(WeChatUser.id).where(WeChatUser.serial.is_(None), WeChatUser.last_login_at <= now - VISITORS)
    ids = session.scalars(old.order_by(WeChatUser.last_login_at).limit(limit).with_for_update(skip_locked=True)).all()
    for table in (SubscriptionAccept, Subscription, FormerBinding):
        session.execute(delete(table).where(among(table.wechat_user_id, ids)))
    session.execute(delete(WeChatUser).where(among(WeChatUser.id, ids)))
    return len(ids)


def delete_staff_sessions(session: Session, now: datetime, limit: int) -> int:
    """Delete sessions of officers and inspectors that ended long ago; return the larger number of the two."""
    return max(kind.delete_old(session, now, limit) for kind in (OFFICER_SESSIONS, INSPECTOR_SESSIONS))


def delete_follow_ups(session: Session, now: datetime, limit: int) -> int:
    """Delete follow-ups that ended long ago; return their number. Admissions stay, as all evidence."""
    old = select(FollowUp.id).where(FollowUp.ended_at <= now - FOLLOW_UPS).order_by(FollowUp.ended_at).limit(limit)
    gone = delete(FollowUp).where(FollowUp.id.in_(old)).returning(FollowUp.id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def delete_places(session: Session, now: datetime, limit: int) -> int:
    """Delete the places of entries that are decided and long past; return their number."""
    before, decided = now - PLACES, func.coalesce(Entry.resolved_at, Entry.recorded_at)
    last_day = func.coalesce(Entry.last_day, Entry.exposed_on)
    past = or_(last_day.is_(None), last_day < before.astimezone(BEIJING).date())
    old = select(Entry.id).where(Entry.place.is_not(None), Entry.state.not_in(OPEN_STATES), decided <= before, past)
    gone = (
        update(Entry)
        .where(Entry.id.in_(old.limit(limit).with_for_update(skip_locked=True)))
        .values(place=None, place_folded=None)
    )
    return len(session.scalars(gone.returning(Entry.id).execution_options(synchronize_session=False)).all())


def delete_window_records(session: Session, now: datetime, limit: int) -> int:
    """Delete what was done at service windows long ago; an objection that nobody has decided stays. Returns how many.

    What waited for a second officer in vain is deleted at once, its row with the others.
    """
    statements.lapse(session, now)
    before, gone = now - WINDOWS, 0
    for table, at in (
        (WindowLookup, WindowLookup.at),
        (WindowStatement, WindowStatement.recorded_at),
        (Recovery, Recovery.at),
    ):
        old = select(table.id).where(at <= before).limit(limit)
        if table is Recovery:
            old = old.where(Recovery.state != "objected")
        deleted = delete(table).where(table.id.in_(old)).returning(table.id)
        gone += len(session.scalars(deleted.execution_options(synchronize_session=False)).all())
    return gone
