"""Stations and inspectors: added by an operator, and logged in with a password."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, failed_logins
from app.core.errors import FieldError, Problem
from app.core.identity.spelling import USERNAME, fold_username, is_of_known_scripts, skeleton, tidy_name
from app.core.identity.staff_accounts import choose_password, give_password
from app.core.passwords import find_password_errors, verify_password
from app.core.province import districts as all_districts
from app.stations import sessions
from app.stations.models import Inspector, Station, Venue

MAX_NAME_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class NewInspector:
    """An inspector to add: their station, which is made in its district unless it exists there, and their log-in."""

    station: str
    district: str
    username: str
    password: str = field(default="", repr=False)


def add_inspector(session: Session, new: NewInspector, *, actor: Actor, now: datetime) -> Inspector:
    """Add an inspector, and their station unless it exists.

    The password must be changed at the first log-in, and ends if it is not used in time. Raises Problem
    `invalid-request`, and `username-taken`, also for a name that would be taken for that of another inspector.
    """
    username, station = fold_username(new.username), find_station(session, new.station)
    if wrong := _find_errors(session, new, station) + find_password_errors(new.password, username):
        raise Problem("invalid-request", fields=tuple(wrong))
    _require_free(session, username)
    if station is None:
        station = Station(name=tidy_name(new.station), district=new.district, created_at=now)
        session.add(station)
        session.flush()
    inspector = Inspector(station_id=station.id, username=username, created_at=now)
    give_password(inspector, now, new.password)
    try:
        with session.begin_nested():
            session.add(inspector)
    except IntegrityError:  # another was added at the same moment
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),)) from None
    audit.append(session, actor, "inspector-added", now, inspector=inspector.id, station=station.id)
    return inspector


def check_inspector(session: Session, new: NewInspector) -> None:
    """Check everything of an inspector to add but the password, which was not asked for yet.

    Raises Problem as `add_inspector` does.
    """
    if wrong := _find_errors(session, new, find_station(session, new.station)):
        raise Problem("invalid-request", fields=tuple(wrong))
    _require_free(session, fold_username(new.username))


def _find_errors(session: Session, new: NewInspector, station: Station | None) -> list[FieldError]:
    wrong = [] if USERNAME.fullmatch(fold_username(new.username)) else [FieldError("/username", "username-form")]
    name = tidy_name(new.station)
    if not name:
        wrong.append(FieldError("/station", "required"))
    elif len(name) > MAX_NAME_LENGTH:
        wrong.append(FieldError("/station", "too-long"))
    elif not is_of_known_scripts(name):
        wrong.append(FieldError("/station", "invalid"))
    elif station is not None and is_closed(session, station):
        wrong.append(FieldError("/station", "no-such-station"))
    if new.district not in (all_districts() if station is None else (station.district,)):
        wrong.append(FieldError("/district", "not-a-choice"))
    return wrong


def _require_free(session: Session, username: str) -> None:
    """Raise Problem `username-taken`, also for a name that would be taken for that of another inspector."""
    if skeleton(username) in {skeleton(known) for known in session.scalars(select(Inspector.username))}:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),))


def log_in(session: Session, username: str, password: str, now: datetime) -> tuple[Inspector, Station]:
    """Return the inspector and their station, who may have to change the password first.

    Raises Problem `wrong-credentials`, also for a closed account and a given password that was not used in time.
    """
    inspector = find_by_username(session, username)
    verify_password(password, inspector.password_hash if inspector and inspector.is_open(now) else None)
    assert inspector is not None  # verify_password raises without an account
    return inspector, session.get_one(Station, inspector.station_id)


def change_password(session: Session, inspector: Inspector, current: str, new: str | None, now: datetime) -> None:
    """Set the password that an inspector chooses as they log in; all sessions end. None leaves one of their own.

    Raises Problem, `must-change-password` without a new one where somebody else has set the current one.
    """
    if new is None and inspector.must_change_password:
        raise Problem("must-change-password")
    if new is None:
        return
    choose_password(session, inspector, current, new, "/new_password")
    sessions.end_all(session, inspector.id, now)
    audit.append(session, Actor("inspector", str(inspector.id)), "inspector-password-changed", now)


def find_by_username(session: Session, username: str) -> Inspector | None:
    """Return the inspector with this user name, however it is spelled; older names are stored as they were typed."""
    entered, folded = username.strip().lower(), fold_username(username)
    by_name = select(Inspector).where(Inspector.username.in_((entered, folded)))
    return session.scalar(by_name.order_by(Inspector.username != entered).limit(1))


def find_station(session: Session, name: str) -> Station | None:
    """Return the station with this name, however it is spelled; older names are stored as they were typed."""
    by_name = select(Station).where(Station.name.in_((name, tidy_name(name))))
    return session.scalar(by_name.order_by(Station.name != name).limit(1))


def count_failed_login(session: Session, username: str, now: datetime) -> None:
    """Count a wrong log-in for the audit; for an unknown name the same work is done."""
    inspector = find_by_username(session, username)
    actor = Actor("inspector", "" if inspector is None else str(inspector.id))
    failed_logins.count(session, actor, "inspector-login-failed", now)


def is_closed(session: Session, station: Station) -> bool:
    """Return whether a station is at a venue that was closed: nobody checks there any more.

    An open one stays open until this transaction ends, so that it is not given what its end would have ended.
    """
    if station.venue_id is None:
        return False
    venue = session.get_one(Venue, station.venue_id, with_for_update={"read": True}, populate_existing=True)
    return venue.closed_at is not None
