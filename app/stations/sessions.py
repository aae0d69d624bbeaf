"""Sessions of inspectors: one for each log-in, which ends with the shift, or the moment that somebody ends it.

A request proves its session by the cache (`inspector_cache`), in which an end is written around the commit. A shift has
breaks, and checks go on without network: so an idle phone stays logged in until the shift is over.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.core.identity.staff_sessions import SessionTable
from app.stations import inspector_cache
from app.stations.models import Inspector, InspectorSession

_BEFORE_SESSIONS: Final = 0  # the id of those of before they were kept
SESSIONS: Final = SessionTable(InspectorSession, InspectorSession.inspector_id, timedelta(minutes=5))


def start(session: Session, inspector: Inspector, now: datetime, ends_at: datetime) -> InspectorSession:
    """Start a session of an inspector who has logged in."""
    started = InspectorSession(inspector_id=inspector.id, started_at=now, seen_at=now, ends_at=ends_at)
    session.add(started)
    session.flush()
    audit.append(session, Actor("inspector", str(inspector.id)), "inspector-logged-in", now)
    return started


def see(session: Session, session_id: int, now: datetime) -> None:
    """Note that a session was used; most of its requests are answered without the database, and not noted."""
    one = session.get(InspectorSession, session_id)
    if one is not None:
        SESSIONS.see(one, now)


def end_one(session: Session, inspector_id: int, session_id: int, now: datetime) -> bool:
    """End one session of an inspector; return False where it has ended. Raises Problem `not-found`."""
    was_open = SESSIONS.end_one(session, inspector_id, session_id, now)
    inspector_cache.mark_ended(session, inspector_id, [session_id])
    return was_open


def end_all(session: Session, inspector_id: int, now: datetime) -> None:
    """End every session of an inspector, also one that begins meanwhile: its epoch is over."""
    inspector = session.get_one(Inspector, inspector_id, with_for_update=True)
    inspector.epoch = inspector.epoch % 65_535 + 1
    ended = SESSIONS.end_all(session, inspector_id, now)
    inspector_cache.mark_ended(session, inspector_id, [_BEFORE_SESSIONS, *ended])
