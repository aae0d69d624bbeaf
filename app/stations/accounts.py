"""Stations and their inspectors: made by an operator, logged in with a password."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.core.errors import FieldError, Problem
from app.core.passwords import hash_password, verify_password
from app.stations.models import Inspector, Station


def add_inspector(
    session: Session,
    *,
    station: str,
    district: str,
    username: str,
    password: str,
    actor: Actor,
    now: datetime,
) -> Inspector:
    """A new inspector at a station, which is made when it is not there yet. Raises Problem when the name is taken."""
    place = session.scalar(select(Station).filter_by(name=station))
    if place is None:
        place = Station(name=station, district=district, created_at=now)
        session.add(place)
        session.flush()
    if session.scalar(select(Inspector.id).filter_by(username=username)) is not None:
        raise Problem("username-taken", fields=(FieldError("/username", "username-taken"),))
    inspector = Inspector(station_id=place.id, username=username, password_hash=hash_password(password), created_at=now)
    session.add(inspector)
    session.flush()
    audit.append(session, actor, "inspector-added", now, inspector=inspector.id, station=place.id)
    return inspector


def log_in(session: Session, username: str, password: str) -> tuple[Inspector, Station]:
    """The inspector and their station. Raises Problem `wrong-credentials`."""
    inspector = session.scalar(select(Inspector).filter_by(username=username.strip().lower()))
    verify_password(password, inspector.password_hash if inspector else None)
    assert inspector is not None  # check_password refuses where there is none
    return inspector, session.get_one(Station, inspector.station_id)


def end_sessions(session: Session, inspector_id: int) -> int:
    """End every session of an inspector; returns the epoch of the sessions to come."""
    inspector = session.get_one(Inspector, inspector_id, with_for_update=True)
    inspector.epoch = inspector.epoch % 65_535 + 1
    return inspector.epoch
