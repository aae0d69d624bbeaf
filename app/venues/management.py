"""What the manager of a venue does: inspectors, their sessions, and the end of the venue; of no other venue, ever.

A venue is managed by the present holder of a code that the platform has confirmed. Every act locks the venue and asks
again, so that nothing is done for a manager who has handed it over meanwhile. A manager sees user names, posts and
sessions of inspectors, and nobody's data.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.codes.models import Code
from app.core.errors import Problem, bad_field
from app.core.identity.staff_accounts import give_password
from app.core.passwords import generate_password
from app.stations import accounts, sessions
from app.stations.accounts import NewInspector
from app.stations.models import Inspector, InspectorSession, Station, Venue
from app.venues import entrances

MOST_INSPECTORS: Final = 100  # of a venue, whose accounts are open
CLOSED_SHOWN: Final = timedelta(days=90)


class ManagedVenue(NamedTuple):
    """A locked venue and who manages it; the first argument of every act."""

    session: Session
    venue: Venue
    manager: int
    now: datetime

    @property
    def actor(self) -> Actor:
        return Actor("citizen", str(self.manager))

    def append_audit(self, action: str, **detail: Any) -> None:
        audit.append(self.session, self.actor, action, self.now, venue=self.venue.id, **detail)


def find_manager(session: Session, venue: Venue) -> int | None:
    """Return the serial of who manages a venue: None for one that is closed, or without a manager."""
    manager = venue.manager
    return manager if manager is not None and venue in list_venues(session, manager) else None


def _managed_by(serial: int) -> Select[Venue]:
    """Return the query for the open venues that the present holder of a code manages."""
    same = (Code.serial == Venue.manager) & (Code.claimed_at == Venue.manager_claimed_at)
    confirmed = Code.confirmed_at.is_not(None)
    return select(Venue).join(Code, same).where(Venue.manager == serial, Venue.closed_at.is_(None), confirmed)


def list_venues(session: Session, serial: int) -> Sequence[Venue]:
    """List the open venues that the present holder of a code manages, the oldest first."""
    return session.scalars(_managed_by(serial).order_by(Venue.id)).all()


def lock_venue(session: Session, serial: int, venue_id: int, now: datetime) -> ManagedVenue:
    """Return a venue of the caller, whose code is locked, for an act. Raises Problem `venue-not-found`."""
    mine = _managed_by(serial).where(Venue.id == venue_id).with_for_update(of=Venue)
    venue = session.scalar(mine.execution_options(populate_existing=True))
    if venue is None:
        raise Problem("venue-not-found")
    return ManagedVenue(session, venue, serial, now)


def list_inspectors(session: Session, venue_id: int, now: datetime) -> Sequence[Inspector]:
    """List the inspectors of a venue by user name; those who were closed long ago are left out."""
    there = select(Inspector).join(Station).where(Station.venue_id == venue_id)
    there = there.where(or_(Inspector.disabled_at.is_(None), Inspector.disabled_at > now - CLOSED_SHOWN))
    return session.scalars(there.order_by(Inspector.username)).all()


def list_sessions(session: Session, inspectors: Sequence[Inspector], now: datetime) -> Sequence[InspectorSession]:
    """List the active sessions of inspectors, newest first."""
    return sessions.SESSIONS.list_active(session, [one.id for one in inspectors], now)


def add_inspector(managed: ManagedVenue, station_id: int, username: str) -> tuple[Inspector, str]:
    """Add an inspector at an entrance; return them with a password that they change at the first log-in.

    Raises Problem with the bad field, `username-taken`, or `venue-inspectors-too-many`.
    """
    station = find_station(managed, station_id)
    _require_room(managed)
    password = generate_password()
    new = NewInspector(station.name, station.district, username, password)
    return accounts.add_inspector(managed.session, new, actor=managed.actor, now=managed.now), password


def move_inspector(managed: ManagedVenue, inspector_id: int, station_id: int) -> None:
    """Move an inspector to another entrance of the venue, where they log in anew. Raises Problem."""
    inspector, station = _lock_inspector(managed, inspector_id), find_station(managed, station_id)
    if (before := inspector.station_id) != station.id:
        inspector.station_id = station.id
        sessions.end_all(managed.session, inspector.id, managed.now)
        managed.append_audit("inspector-moved", inspector=inspector.id, station=station.id, station_before=before)


def disable_inspector(managed: ManagedVenue, inspector_id: int) -> None:
    """Close an account and end its sessions; closing it again changes nothing. Raises Problem."""
    inspector = _lock_inspector(managed, inspector_id)
    if inspector.disabled_at is None:
        inspector.disabled_at = managed.now
        sessions.end_all(managed.session, inspector.id, managed.now)
        managed.append_audit("inspector-disabled", inspector=inspector.id)


def enable_inspector(managed: ManagedVenue, inspector_id: int) -> None:
    """Open a closed account again, whose sessions stay ended. Raises Problem as `add_inspector` does."""
    inspector = _lock_inspector(managed, inspector_id)
    if inspector.disabled_at is not None:
        _require_room(managed)
        inspector.disabled_at = None
        managed.append_audit("inspector-enabled", inspector=inspector.id)


def reset_password(managed: ManagedVenue, inspector_id: int) -> str:
    """Return a password with which an inspector logs in once, choosing another; all sessions end. Raises Problem."""
    inspector = _lock_inspector(managed, inspector_id)
    password = give_password(inspector, managed.now)
    sessions.end_all(managed.session, inspector.id, managed.now)
    managed.append_audit("inspector-password-reset", inspector=inspector.id)
    return password


def end_session(managed: ManagedVenue, inspector_id: int, session_id: int) -> None:
    """End one session of an inspector, that of a lost phone; their others go on. Raises Problem."""
    inspector = _lock_inspector(managed, inspector_id)
    if sessions.end_one(managed.session, inspector.id, session_id, managed.now):
        managed.append_audit("inspector-session-ended", inspector=inspector.id, ended=session_id)


def close_venue(managed: ManagedVenue) -> None:
    """Close the venue: its inspectors' accounts and sessions end, and nobody manages it any more."""
    entrances.close(managed.session, managed.venue, managed.actor, managed.now)
    managed.append_audit("venue-closed", serial=managed.manager)


def _require_room(managed: ManagedVenue) -> None:
    """Raise Problem `venue-inspectors-too-many` when as many accounts are open as a venue may have."""
    there = select(func.count()).select_from(Inspector).join(Station)
    there = there.where(Station.venue_id == managed.venue.id, Inspector.disabled_at.is_(None))
    if managed.session.scalars(there).one() >= MOST_INSPECTORS:
        raise Problem("venue-inspectors-too-many")


def find_station(managed: ManagedVenue, station_id: int) -> Station:
    """Return an entrance of the venue. Raises Problem with the bad field."""
    station = managed.session.get(Station, station_id)
    if station is None or station.venue_id != managed.venue.id:
        raise bad_field("/entrance", "no-such-station")
    return station


def _lock_inspector(managed: ManagedVenue, inspector_id: int) -> Inspector:
    """Return an inspector of the venue, locked. Raises Problem `inspector-not-found`, also for that of another."""
    there = select(Inspector).join(Station).where(Inspector.id == inspector_id, Station.venue_id == managed.venue.id)
    inspector = managed.session.scalar(there.with_for_update(of=Inspector).execution_options(populate_existing=True))
    if inspector is None:
        raise Problem("inspector-not-found")
    return inspector
