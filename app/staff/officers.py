"""Accounts of health officers: their roles and districts, and who may add, change and close them.

An administrator of a district sees that district alone, and nobody administers their own account: that takes a
colleague or an operator. Administrators have no other role. What officers log in with: `credentials`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.errors import FieldError, Problem
from app.core.identity import spelling
from app.core.passwords import find_password_errors, generate_password, given_until, hash_password
from app.core.province import districts as all_districts
from app.staff import sessions, totp
from app.staff.context import OfficerContext
from app.staff.models import Officer, Role
from app.staff.second_administrator import is_bootstrap, mark_alone

MAX_NAME_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class NewOfficer:
    """An officer to add; the secret of the authenticator is generated unless it is given.

    Without a password nobody logs in before another person has set one.
    """

    username: str
    name: str
    roles: Collection[str]
    district: str | None = None
    password: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


def add_officer(context: OfficerContext, new: NewOfficer) -> tuple[Officer, str]:
    """Add an officer; returns them and the secret for their authenticator. Raises Problem with every bad field.

    Whoever adds an officer does not set the password too, but for an operator at the beginning of an installation:
    `second-administrator`. It must be changed before anything else, and ends if it is not used in time.
    """
    username, name = spelling.fold_username(new.username), spelling.tidy_name(new.name)
    wrong = [] if new.password is None else find_password_errors(new.password, username)
    if wrong := [*_find_errors(context, new), *wrong]:
        raise Problem("invalid-request", fields=tuple(wrong))
    if new.password is not None and not is_bootstrap(context, new.district):
        raise Problem("second-administrator")
    secret = new.secret or totp.generate_secret()
    officer = Officer(
        username=username, name=name, password_hash=hash_password(new.password or generate_password()),
        must_change_password=True, password_ends_at=given_until(context.now) if new.password else context.now,
        totp_ciphertext=context.encryption.encrypt("officers.totp", secret),
        roles=_sort_roles(new.roles), district=new.district, created_at=context.now,
    )  # fmt: skip
    _insert(context.session, officer)
    context.append_audit("officer-added", officer=officer.id, roles=officer.roles, district=officer.district)
    if new.password is not None:
        context.append_audit("officer-password-reset", officer=officer.id, **mark_alone(True))
    return officer, secret


def check_officer(context: OfficerContext, new: NewOfficer) -> None:
    """Check everything of an officer to add, before a password is asked for. Raises Problem with every bad field."""
    if wrong := _find_errors(context, new):
        raise Problem("invalid-request", fields=tuple(wrong))
    username = spelling.fold_username(new.username)
    if context.session.scalar(select(Officer.id).filter_by(username=username)) is not None:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),))


def _insert(session: Session, officer: Officer) -> None:
    """Insert an officer. Raises Problem `username-taken`."""
    try:
        with session.begin_nested():
            session.add(officer)
    except IntegrityError:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),)) from None


def list_officers(context: OfficerContext) -> Sequence[Officer]:
    """List the officers of the administrator's district, by name; for an operator all."""
    everybody = select(Officer).order_by(Officer.disabled_at.is_not(None), Officer.username)
    if context.officer is not None and context.officer.district is not None:
        everybody = everybody.filter_by(district=context.officer.district)
    return context.session.scalars(everybody).all()


def find_officer(context: OfficerContext, officer_id: int) -> Officer:
    """Return an officer of the administrator's district. Raises Problem `officer-not-found`."""
    return _require_in_scope(context, context.session.get(Officer, officer_id))


def find_by_username(session: Session, username: str) -> Officer:
    """Return the officer with this user name, for an operator. Raises Problem `officer-not-found`."""
    officer = session.scalar(select(Officer).filter_by(username=spelling.fold_username(username)))
    if officer is None:
        raise Problem("officer-not-found")
    return officer


def set_assignment(context: OfficerContext, officer_id: int, roles: Collection[str], district: str | None) -> None:
    """Set an officer's roles and district, and end their sessions. Raises Problem with every bad field."""
    officer = lock_other_officer(context, officer_id)
    wrong = _find_assignment_errors(context, roles, district)
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    before: dict[str, Any] = {"roles_before": officer.roles, "district_before": officer.district}
    officer.roles, officer.district = _sort_roles(roles), district
    sessions.end_all(context.session, officer, actor=context.actor, now=context.now)
    context.append_audit(
        "officer-assignment-changed", officer=officer.id, **before, roles=officer.roles, district=district
    )


def disable_officer(context: OfficerContext, officer_id: int) -> None:
    """Close an account and end its sessions; closing it again changes nothing. Raises Problem."""
    officer = lock_other_officer(context, officer_id)
    if officer.disabled_at is None:
        officer.disabled_at = context.now
        sessions.end_all(context.session, officer, actor=context.actor, now=context.now)
        context.append_audit("officer-disabled", officer=officer.id)


def end_sessions(context: OfficerContext, officer_id: int) -> int:
    """End every session of an officer; returns their number. Raises Problem."""
    officer = lock_other_officer(context, officer_id)
    return sessions.end_all(context.session, officer, actor=context.actor, now=context.now)


def _find_errors(context: OfficerContext, new: NewOfficer) -> list[FieldError]:
    username, name = spelling.fold_username(new.username), spelling.tidy_name(new.name)
    names = _find_name_errors(context.session, username, name)
    return names + _find_assignment_errors(context, new.roles, new.district)


def _find_name_errors(session: Session, username: str, name: str) -> list[FieldError]:
    wrong = [] if spelling.USERNAME.fullmatch(username) else [FieldError("/username", "username-form")]
    wrong += _find_look_alikes(session, username, name)
    if not name:
        wrong.append(FieldError("/name", "required"))
    elif len(name) > MAX_NAME_LENGTH:
        wrong.append(FieldError("/name", "too-long"))
    elif not spelling.is_of_known_scripts(name):
        wrong.append(FieldError("/name", "invalid"))
    return wrong


def _find_look_alikes(session: Session, username: str, name: str) -> list[FieldError]:
    """Return the fields that would be taken for those of another officer; two people may have the very same name."""
    known = session.execute(select(Officer.username, Officer.name)).all()
    usernames = {spelling.skeleton(row.username) for row in known if row.username != username}
    names = {spelling.skeleton(row.name) for row in known if row.name != name}
    wrong = [FieldError("/username", "looks-like-another")] if spelling.skeleton(username) in usernames else []
    return wrong + ([FieldError("/name", "looks-like-another")] if spelling.skeleton(name) in names else [])


def _find_assignment_errors(context: OfficerContext, roles: Collection[str], district: str | None) -> list[FieldError]:
    """Return what is wrong; an administrator of a district assigns that district alone, and never the province."""
    wrong = [] if roles else [FieldError("/roles", "role-needed")]
    if not set(roles) <= set(Role):
        wrong.append(FieldError("/roles", "not-a-choice"))
    if Role.ADMINISTRATOR in roles and len(set(roles)) > 1:  # they could make their own second person
        wrong.append(FieldError("/roles", "administrator-alone"))
    own = context.officer.district if context.officer else None
    if (district is not None and district not in all_districts()) or (own is not None and district != own):
        wrong.append(FieldError("/district", "not-a-choice"))
    return wrong


def lock_other_officer(context: OfficerContext, officer_id: int) -> Officer:
    """Return the officer to change, locked. Raises Problem `officer-not-found`, or `own-account`."""
    officer = context.session.get(Officer, officer_id, with_for_update=True, populate_existing=True)
    officer = _require_in_scope(context, officer)
    if context.officer is not None and context.officer.id == officer.id:
        raise Problem("own-account")
    return officer


def _require_in_scope(context: OfficerContext, officer: Officer | None) -> Officer:
    if officer is None or (context.officer is not None and not context.covers(officer.district)):
        raise Problem("officer-not-found")
    return officer


def _sort_roles(roles: Collection[str]) -> list[str]:
    return [role.value for role in Role if role in roles]
