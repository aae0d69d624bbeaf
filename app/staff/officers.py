"""Health officers' accounts: who they are, what they may do and where, and the two things that they prove it with.

`by` is the administrator who acts, or None for an operator at the command line. An administrator of a district has
that district alone before them, and nobody administers their own account: that takes a colleague or an operator.
Whoever administers does nothing else, and does not give both proofs of one officer anew.
"""

import re
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, AuditEvent
from app.core.encryption import FieldEncryption
from app.core.errors import FieldError, Problem
from app.core.passwords import check_strength, hash_password, verify_password
from app.staff import sessions, totp
from app.staff.models import DISTRICTS, Officer, Role

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 12, 128
MAX_NAME_LENGTH = 60
_USERNAME = re.compile(r"[a-z][a-z0-9._-]{3,31}", re.ASCII)


def actor_of(officer: Officer | None) -> Actor:
    """An officer as the audit names them; an operator where there is none."""
    return Actor("officer", str(officer.id)) if officer else Actor("operator")


def actor_of_signers(recorder: Officer, approver: Officer) -> Actor:
    """Two officers who sign for the same, as the audit and the evidence name them."""
    return Actor("officer", f"{recorder.id}+{approver.id}")


def officer_ids_of(actor: str) -> list[int]:
    """The ids of the officers whom an actor in the audit, or in evidence, names, the recorder of two first."""
    kind, _, ids = actor.partition(":")
    return [int(id_) for id_ in ids.split("+") if id_.isdecimal()] if kind == "officer" else []


def add_officer(
    session: Session,
    encryption: FieldEncryption,
    *,
    username: str,
    name: str,
    password: str,
    roles: Collection[str],
    district: str | None,
    by: Officer | None,
    now: datetime,
    secret: str | None = None,
) -> tuple[Officer, str]:
    """A new officer and the secret for their authenticator, made unless given. Raises Problem with every bad field.

    A password that another officer has given has to be changed before anything else.
    """
    username, name = username.strip().lower(), " ".join(unicodedata.normalize("NFC", name).split())
    wrong = [
        *_find_name_errors(username, name),
        *find_password_errors(password, username),
        *_find_assignment_errors(roles, district, by),
    ]
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    secret = secret or totp.generate_secret()
    officer = Officer(
        username=username,
        name=name,
        password_hash=hash_password(password),
        must_change_password=by is not None,
        totp_ciphertext=encryption.encrypt("officers.totp", secret),
        roles=_sort_roles(roles),
        district=district,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(officer)
    except IntegrityError:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),)) from None
    _append_audit(session, by, "officer-added", officer, now, roles=officer.roles, district=district)
    return officer, secret


def list_officers(session: Session, by: Officer | None) -> Sequence[Officer]:
    """The officers whom an administrator has before them, by name."""
    everybody = select(Officer).order_by(Officer.disabled_at.is_not(None), Officer.username)
    if by is not None and by.district is not None:
        everybody = everybody.filter_by(district=by.district)
    return session.scalars(everybody).all()


def find_officer(session: Session, officer_id: int, by: Officer | None) -> Officer:
    """An officer whom this administrator has before them. Raises Problem `officer-not-found`."""
    return _require_in_scope(session.get(Officer, officer_id), by)


def find_by_username(session: Session, username: str) -> Officer:
    """The officer with this user name, for an operator. Raises Problem `officer-not-found`."""
    return _require_in_scope(session.scalar(select(Officer).filter_by(username=username.strip().lower())), None)


def set_assignment(
    session: Session,
    officer_id: int,
    roles: Collection[str],
    district: str | None,
    *,
    by: Officer | None,
    now: datetime,
) -> None:
    """Change what an officer may do and where; it holds from their next click. Raises Problem."""
    officer = _lock_other_officer(session, officer_id, by)
    wrong = _find_assignment_errors(roles, district, by)
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    was = {"roles_before": officer.roles, "district_before": officer.district}
    officer.roles, officer.district = _sort_roles(roles), district
    _append_audit(session, by, "officer-post-changed", officer, now, **was, roles=officer.roles, district=district)


def disable_officer(session: Session, officer_id: int, *, by: Officer | None, now: datetime) -> None:
    """Close an account and end its sessions; closing it again changes nothing. Raises Problem."""
    officer = _lock_other_officer(session, officer_id, by)
    if officer.disabled_at is None:
        officer.disabled_at = now
        sessions.end_all(session, officer, actor=actor_of(by), now=now)
        _append_audit(session, by, "officer-disabled", officer, now)


def end_sessions(session: Session, officer_id: int, *, by: Officer | None, now: datetime) -> int:
    """End every session of an officer; returns how many there were. Raises Problem."""
    officer = _lock_other_officer(session, officer_id, by)
    return sessions.end_all(session, officer, actor=actor_of(by), now=now)


def reset_totp(
    session: Session, encryption: FieldEncryption, officer_id: int, *, by: Officer | None, now: datetime
) -> str:
    """A new secret for an officer's authenticator; the old one and all sessions end.

    Raises Problem, `second-administrator` where the same one has given the password.
    """
    officer = _lock_other_officer(session, officer_id, by)
    if officer.must_change_password:
        _require_second_administrator(session, "officer-password-reset", officer, by)
    secret = totp.generate_secret()
    officer.totp_ciphertext, officer.totp_step = encryption.encrypt("officers.totp", secret), None
    sessions.end_all(session, officer, actor=actor_of(by), now=now)
    _append_audit(session, by, "officer-totp-reset", officer, now)
    return secret


def reset_password(session: Session, officer_id: int, *, by: Officer | None, now: datetime) -> str:
    """A password with which an officer can do nothing but choose one; the old one and all sessions end.

    Raises Problem, `second-administrator` where the same one has given the authenticator's secret.
    """
    officer = _lock_other_officer(session, officer_id, by)
    if officer.totp_step is None:
        _require_second_administrator(session, "officer-totp-reset", officer, by)
    password = generate_password()
    officer.password_hash, officer.must_change_password = hash_password(password), True
    sessions.end_all(session, officer, actor=actor_of(by), now=now)
    _append_audit(session, by, "officer-password-reset", officer, now)
    return password


def generate_password() -> str:
    """A password to be given to somebody, 96 bits in sixteen letters."""
    return secrets.token_urlsafe(12)


def change_password(
    session: Session, officer_id: int, *, current: str, new: str, keep_session: int, now: datetime
) -> None:
    """Change one's own password; one's other sessions end. Raises Problem, `wrong-credentials` for the current one."""
    officer = session.get_one(Officer, officer_id, with_for_update=True, populate_existing=True)
    try:
        verify_password(current, officer.password_hash)
    except Problem as problem:
        raise Problem(problem.slug, fields=(FieldError("/current", "password-wrong"),)) from None
    wrong = find_password_errors(new, officer.username)
    if new == current:
        wrong = [FieldError("/password", "password-same")]
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    officer.password_hash, officer.must_change_password = hash_password(new), False
    sessions.end_all(session, officer, actor=actor_of(officer), now=now, but=keep_session)
    _append_audit(session, officer, "officer-password-changed", officer, now)


def find_password_errors(password: str, username: str) -> list[FieldError]:
    """What is wrong with a new password of an officer."""
    if len(password) < MIN_PASSWORD_LENGTH:
        return [FieldError("/password", "password-short")]
    if len(password) > MAX_PASSWORD_LENGTH:
        return [FieldError("/password", "too-long")]
    return check_strength(password, username)


def _find_name_errors(username: str, name: str) -> list[FieldError]:
    wrong = [] if _USERNAME.fullmatch(username) else [FieldError("/username", "username-form")]
    if not name:
        wrong.append(FieldError("/name", "required"))
    elif len(name) > MAX_NAME_LENGTH:
        wrong.append(FieldError("/name", "too-long"))
    elif not name.isprintable():
        wrong.append(FieldError("/name", "invalid"))
    return wrong


def _find_assignment_errors(roles: Collection[str], district: str | None, by: Officer | None) -> list[FieldError]:
    """Who has a district gives that district alone; only who has the province gives the province."""
    wrong = [] if roles else [FieldError("/roles", "role-needed")]
    if not set(roles) <= set(Role):
        wrong.append(FieldError("/roles", "not-a-choice"))
    if Role.ADMINISTRATOR in roles and len(set(roles)) > 1:  # they make whoever would be the second person
        wrong.append(FieldError("/roles", "administrator-alone"))
    own = by.district if by else None
    if (district is not None and district not in DISTRICTS) or (own is not None and district != own):
        wrong.append(FieldError("/district", "not-a-choice"))
    return wrong


def _lock_other_officer(session: Session, officer_id: int, by: Officer | None) -> Officer:
    """The officer to change, locked. Raises Problem `officer-not-found`, or `own-account`."""
    officer = session.get(Officer, officer_id, with_for_update=True, populate_existing=True)
    officer = _require_in_scope(officer, by)
    if by is not None and by.id == officer.id:
        raise Problem("own-account")
    return officer


def _require_second_administrator(session: Session, action: str, officer: Officer, by: Officer | None) -> None:
    """Both proofs from one hand would be the account itself: what was reset last, and not used since, by another."""
    resets = select(AuditEvent.actor).where(
        AuditEvent.action == action, audit.RARE, AuditEvent.detail["officer"].as_integer() == officer.id
    )
    if by is not None and session.scalar(resets.order_by(AuditEvent.id.desc()).limit(1)) == str(actor_of(by)):
        raise Problem("second-administrator")


def _require_in_scope(officer: Officer | None, by: Officer | None) -> Officer:
    if officer is None or (by is not None and by.district not in (None, officer.district)):
        raise Problem("officer-not-found")
    return officer


def _sort_roles(roles: Collection[str]) -> list[str]:
    return [role.value for role in Role if role in roles]


def _append_audit(
    session: Session, by: Officer | None, action: str, officer: Officer, now: datetime, **detail: Any
) -> None:
    audit.append(session, actor_of(by), action, now, officer=officer.id, **detail)
