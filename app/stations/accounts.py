"""Stations and inspectors: added by an operator, and logged in with a password."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.core.errors import FieldError, Problem
from app.core.passwords import check_strength, hash_password, verify_password
from app.stations import inspector_cache
from app.stations.inspector_cache import CachedInspector
from app.stations.models import Inspector, Station

MIN_PASSWORD_LENGTH = 8


@dataclass(frozen=True, slots=True)
class NewInspector:
    """An inspector to add: the name of their station, the district if the station is new, and their log-in."""

    station: str
    district: str
    username: str
    password: str = field(repr=False)


def add_inspector(session: Session, new: NewInspector, *, actor: Actor, now: datetime) -> Inspector:
    """Add an inspector, and their station unless it exists. Raises Problem `username-taken`, or a bad password."""
    if wrong := find_password_errors(new.password, new.username):
        raise Problem("invalid-request", fields=tuple(wrong))
    station = session.scalar(select(Station).filter_by(name=new.station))
    if station is None:
        station = Station(name=new.station, district=new.district, created_at=now)
        session.add(station)
        session.flush()
    if session.scalar(select(Inspector.id).filter_by(username=new.username)) is not None:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),))
    password_hash = hash_password(new.password)
    inspector = Inspector(station_id=station.id, username=new.username, password_hash=password_hash, created_at=now)
    session.add(inspector)
    session.flush()
    audit.append(session, actor, "inspector-added", now, inspector=inspector.id, station=station.id)
    return inspector


def find_password_errors(password: str, username: str) -> list[FieldError]:
    """Return what is wrong with a new password of an inspector."""
    if len(password) < MIN_PASSWORD_LENGTH:
        return [FieldError("/password", "too-short")]
    return check_strength(password, username)


def log_in(session: Session, username: str, password: str) -> tuple[Inspector, Station]:
    """Return the inspector and their station. Raises Problem `wrong-credentials`, also for a closed account."""
    inspector = session.scalar(select(Inspector).filter_by(username=username.strip().lower(), disabled_at=None))
    verify_password(password, inspector.password_hash if inspector else None)
    assert inspector is not None  # verify_password raises without an account
    return inspector, session.get_one(Station, inspector.station_id)


def end_sessions(session: Session, inspector_id: int) -> None:
    """End every session of an inspector."""
    inspector = session.get_one(Inspector, inspector_id, with_for_update=True)
    inspector.epoch = inspector.epoch % 65_535 + 1
    inspector_cache.mark_changed(session, inspector_id, CachedInspector(inspector.epoch, inspector.station_id))
