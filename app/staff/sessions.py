"""Sessions of officers: started with password and one-time code, kept in the database, ended at once.

A session is identified by a random token, of which the database has the SHA-256 alone. It ends after some idle minutes,
after some hours in any case, and the moment that somebody ends it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, failed_logins
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.core.identity.spelling import fold_username
from app.core.identity.staff_sessions import SessionTable
from app.core.passwords import verify_password
from app.runtime import Services
from app.staff import totp
from app.staff.context import actor_of
from app.staff.models import Officer, OfficerSession

LOGIN_FAILED: Final = "officer-login-failed"
LOGIN_STOPPED: Final = "officer-login-stopped"  # by a limit, before anything was compared
_DUMMY_SECRET: Final = totp.generate_secret()  # checked for names that do not exist, to take as long
SESSIONS: Final = SessionTable(OfficerSession, OfficerSession.officer_id, timedelta(seconds=30))


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an officer enters to log in."""

    username: str
    password: str = field(repr=False)
    code: str = field(repr=False)


def authenticate(
    session: Session, encryption: FieldEncryption, credentials: Credentials, now: datetime, totp_now: datetime
) -> Officer | None:
    """Return the officer, or None when name, password or code is wrong or the account closed. Uses the code up.

    Nothing reveals which of them was wrong, not even the time it takes. `totp_now` is the real time, by which
    authenticators go, also where the clock was moved.
    """
    officer = session.scalar(select(Officer).filter_by(username=fold_username(credentials.username)))
    fits = _password_matches(credentials.password, officer.password_hash if officer else None)
    secret = encryption.decrypt("officers.totp", officer.totp_ciphertext) if officer else _DUMMY_SECRET
    step = totp.match_step(secret, credentials.code, totp_now)
    if officer is None or not fits or step is None or not _consume_code(session, officer, step, now):
        # also for an unknown name, so that the time it takes reveals nothing; never the name itself
        failed_logins.count(session, Actor("officer", str(officer.id) if officer else ""), LOGIN_FAILED, now)
        return None
    return officer


def start_session(services: Services, credentials: Credentials) -> str | None:
    """Start a session in a transaction of its own; returns its token, or None where `authenticate` finds nobody."""
    now = services.clock.now()
    with services.begin() as session:
        officer = authenticate(session, services.encryption, credentials, now, services.real_clock.now())
        if officer is None:
            return None
        token, ends_at = secrets.token_urlsafe(32), now + services.settings.officers.lasts
        session.add(
            OfficerSession(token_hash=_hash(token), officer_id=officer.id, started_at=now, seen_at=now, ends_at=ends_at)
        )
        audit.append(session, actor_of(officer), "officer-logged-in", now)
    return token


def _password_matches(password: str, password_hash: str | None) -> bool:
    try:
        verify_password(password, password_hash)
    except Problem:
        return False
    return True


def _consume_code(session: Session, officer: Officer, step: int, now: datetime) -> bool:
    """Use a code up; returns False when it, or a later one, was used, or the account has changed since it was read.

    False also for a given password that was not used in time; one that need not be changed holds from now on.

    The row stays locked until the session is written, so that ending all sessions ends this one too.
    """
    used = (
        update(Officer)
        .where(Officer.id == officer.id, Officer.disabled_at.is_(None), func.coalesce(Officer.totp_step, -1) < step)
        .where(Officer.password_hash == officer.password_hash, Officer.totp_ciphertext == officer.totp_ciphertext)
        .where(or_(Officer.password_ends_at.is_(None), Officer.password_ends_at > now))
        .values(totp_step=step, password_ends_at=case((Officer.must_change_password, Officer.password_ends_at)))
        .returning(Officer.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(used) is not None


def find_active_session(
    session: Session, token: str, now: datetime, idle: timedelta, *, auto_refresh: bool = False
) -> tuple[Officer, OfficerSession] | None:
    """Return the officer and the session of a token, and extend it; None when it is unknown or has ended.

    An `auto_refresh` of a page does not extend the session.
    """
    row = session.execute(
        select(Officer, OfficerSession)
        .join(OfficerSession, OfficerSession.officer_id == Officer.id)
        .where(OfficerSession.token_hash == _hash(token), Officer.disabled_at.is_(None), SESSIONS.is_active(now, idle))
    ).one_or_none()
    if row is None:
        return None
    officer, found = row
    if not auto_refresh:
        SESSIONS.see(found, now)
    return officer, found


def find_owner(session: Session, token: str) -> int | None:
    """Return the id of the officer whose session a token is or was, or None."""
    return session.scalar(select(OfficerSession.officer_id).where(OfficerSession.token_hash == _hash(token)))


def list_active(session: Session, officer_id: int, now: datetime, idle: timedelta) -> Sequence[OfficerSession]:
    """List an officer's active sessions, newest first."""
    return SESSIONS.list_active(session, [officer_id], now, idle)


def list_latest(session: Session, officer_id: int, number: int) -> Sequence[OfficerSession]:
    """List an officer's last sessions, newest first."""
    return SESSIONS.list_latest(session, officer_id, number)


def end_session(session: Session, officer: Officer, session_id: int, now: datetime) -> None:
    """End one of an officer's own sessions; one that has ended stays as it is. Raises Problem `not-found`."""
    if SESSIONS.end_one(session, officer.id, session_id, now):
        audit.append(session, actor_of(officer), "officer-session-ended", now, ended=session_id)


def end_all(session: Session, officer: Officer, *, actor: Actor, now: datetime, but: int | None = None) -> int:
    """End every session of an officer, or all but one; the caller has locked the officer. Returns their number."""
    number = len(SESSIONS.end_all(session, officer.id, now, but))
    audit.append(session, actor, "officer-sessions-ended", now, officer=officer.id, sessions=number)
    return number


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
