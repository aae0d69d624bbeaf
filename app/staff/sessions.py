"""The sessions of officers: begun with password and one-time code, kept in the database, ended at once.

A session is known by a random token, of which the database has the SHA-256 alone. It ends after some idle minutes,
after some hours in any case, and the moment that somebody ends it.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.core.encryption import FieldEncryption
from app.core.errors import Problem
from app.core.passwords import verify_password
from app.staff import totp
from app.staff.models import Officer, OfficerSession

_DUMMY_SECRET: Final = totp.generate_secret()  # looked at for names that do not exist, to take as long
_SEEN_INTERVAL: Final = timedelta(seconds=30)  # that somebody is there; not every click needs a write


def authenticate(
    session: Session,
    encryption: FieldEncryption,
    *,
    username: str,
    password: str,
    code: str,
    now: datetime,
    totp_now: datetime,
) -> Officer | None:
    """The officer whom all three fit, or None when name, password or code is wrong or the account closed.

    The code is used up. What is wrong is told by nothing, not even by how long it takes. `code_at` is the time by the
    officer's own clock.
    """
    officer = session.scalar(select(Officer).filter_by(username=username.strip().lower()))
    fits = _password_matches(password, officer.password_hash if officer else None)
    secret = encryption.decrypt("officers.totp", officer.totp_ciphertext) if officer else _DUMMY_SECRET
    step = totp.match_step(secret, code, totp_now)
    if officer is None or not fits or step is None or not _consume_code(session, officer, step):
        # also for a name that does not exist, so that the time it takes tells nothing; never the name itself
        audit.append(session, Actor("officer", str(officer.id) if officer else ""), "officer-refused", now)
        return None
    return officer


def start_session(
    session: Session,
    encryption: FieldEncryption,
    *,
    username: str,
    password: str,
    code: str,
    now: datetime,
    totp_now: datetime,
    lifetime: timedelta,
) -> str | None:
    """The token of a new session of whom `identify` finds, or None."""
    officer = authenticate(
        session, encryption, username=username, password=password, code=code, now=now, totp_now=totp_now
    )
    if officer is None:
        return None
    token = secrets.token_urlsafe(32)
    session.add(
        OfficerSession(
            token_hash=_hash(token), officer_id=officer.id, started_at=now, seen_at=now, ends_at=now + lifetime
        )
    )
    audit.append(session, Actor("officer", str(officer.id)), "officer-logged-in", now)
    return token


def _password_matches(password: str, password_hash: str | None) -> bool:
    try:
        verify_password(password, password_hash)
    except Problem:
        return False
    return True


def _consume_code(session: Session, officer: Officer, step: int) -> bool:
    """Use a code up: False when it, or a later one, was used, or when the account has changed since it was read.

    The row stays locked until the session is there, so that who ends all sessions ends this one too.
    """
    used = (
        update(Officer)
        .where(Officer.id == officer.id, Officer.disabled_at.is_(None), func.coalesce(Officer.totp_step, -1) < step)
        .where(Officer.password_hash == officer.password_hash, Officer.totp_ciphertext == officer.totp_ciphertext)
        .values(totp_step=step)
        .returning(Officer.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(used) is not None


def find_active_session(
    session: Session, token: str, now: datetime, idle: timedelta, *, auto_refresh: bool = False
) -> tuple[Officer, OfficerSession] | None:
    """Whose session this token is, noting that they are there; None when it is nobody's or is over.

    A page that was asked for `by_itself`, by a browser that reloads it, is no sign that anybody sits there.
    """
    row = session.execute(
        select(Officer, OfficerSession)
        .join(OfficerSession, OfficerSession.officer_id == Officer.id)
        .where(OfficerSession.token_hash == _hash(token), Officer.disabled_at.is_(None), _is_active(now, idle))
    ).one_or_none()
    if row is None:
        return None
    officer, there = row
    if not auto_refresh and now - there.seen_at >= _SEEN_INTERVAL:
        there.seen_at = now
    return officer, there


def list_active(session: Session, officer_id: int, now: datetime, idle: timedelta) -> Sequence[OfficerSession]:
    """The sessions of an officer that are not over, the newest first."""
    theirs = select(OfficerSession).filter_by(officer_id=officer_id).where(_is_active(now, idle))
    return session.scalars(theirs.order_by(OfficerSession.id.desc())).all()


def list_latest(session: Session, officer_id: int, number: int) -> Sequence[OfficerSession]:
    """An officer's last log-ins, the newest first."""
    theirs = select(OfficerSession).filter_by(officer_id=officer_id)
    return session.scalars(theirs.order_by(OfficerSession.id.desc()).limit(number)).all()


def end_session(session: Session, officer: Officer, session_id: int, now: datetime) -> None:
    """End one of one's own sessions; one that is over stays as it was. Raises Problem `not-found` for another's."""
    one = session.get(OfficerSession, session_id, with_for_update=True)
    if one is None or one.officer_id != officer.id:
        raise Problem("not-found")
    if one.ended_at is None:
        one.ended_at = now
        audit.append(session, Actor("officer", str(officer.id)), "officer-session-ended", now, ended=one.id)


def end_all(session: Session, officer: Officer, *, actor: Actor, now: datetime, but: int | None = None) -> int:
    """End every session of an officer, or all but one; the caller has locked the officer. Returns how many."""
    ended = (
        update(OfficerSession)
        .where(OfficerSession.officer_id == officer.id, OfficerSession.ended_at.is_(None), OfficerSession.ends_at > now)
        .where(OfficerSession.id.is_distinct_from(but))
        .values(ended_at=now)
        .returning(OfficerSession.id)
    )
    number = len(session.scalars(ended).all())
    audit.append(session, actor, "officer-sessions-ended", now, officer=officer.id, sessions=number)
    return number


def _is_active(now: datetime, idle: timedelta) -> ColumnElement[bool]:
    counts = OfficerSession.ended_at.is_(None) & (OfficerSession.ends_at > now)
    return counts & (OfficerSession.seen_at > now - idle)


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
