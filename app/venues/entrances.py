"""The entrances of a venue, each a station with counts of its own; opening hours; and the end of a venue."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor
from app.core.errors import Problem, bad_field
from app.core.identity.spelling import tidy_name
from app.devices import registry
from app.stations import accounts, hours, sessions
from app.stations.accounts import MAX_NAME_LENGTH
from app.stations.models import Inspector, Station, Venue
from app.venues import form
from app.venues.applications import station_name
from app.venues.form import MAX_ENTRANCE, MAX_ENTRANCES


def list_stations(session: Session, venue_id: int) -> Sequence[Station]:
    """List the stations of a venue in the order in which they were made."""
    return session.scalars(select(Station).filter_by(venue_id=venue_id).order_by(Station.id)).all()


def make_station(session: Session, venue: Venue, entrance: str, now: datetime) -> Station:
    """Make the station at an entrance. Raises Problem `venue-exists` where another has its name."""
    name = station_name(venue.name, entrance)
    station = Station(name=name, district=venue.district, created_at=now, venue_id=venue.id, entrance=entrance)
    try:
        with session.begin_nested():
            session.add(station)
    except IntegrityError:
        raise Problem("venue-exists") from None
    return station


def add(session: Session, venue: Venue, name: str, actor: Actor, now: datetime) -> Station:
    """Add an entrance to a locked venue. Raises Problem with the bad field."""
    entrance = tidy_name(name)
    wrong = form.find_name_errors("/name", entrance, MAX_ENTRANCE)
    if wrong:
        raise Problem("invalid-request", fields=tuple(wrong))
    if len(list_stations(session, venue.id)) >= MAX_ENTRANCES:
        raise bad_field("/name", "entrances-too-many")
    if accounts.find_station(session, station_name(venue.name, entrance)) is not None:
        raise bad_field("/name", "entrance-taken")
    station = make_station(session, venue, entrance, now)
    audit.append(session, actor, "venue-entrance-added", now, venue=venue.id, station=station.id)
    return station


def set_hours(session: Session, venue: Venue, new: Sequence[str], actor: Actor, now: datetime) -> None:
    """Set the opening hours of a locked venue. Raises Problem with every bad field."""
    tidy = [text.strip() for text in new]
    if wrong := hours.find_errors(tidy):
        raise Problem("invalid-request", fields=tuple(wrong))
    venue.hours = tidy
    audit.append(session, actor, "venue-hours-set", now, venue=venue.id)


def close(session: Session, venue: Venue, actor: Actor, now: datetime) -> None:
    """Close a locked venue: its inspectors' accounts and sessions end, and its devices are revoked; its counts stay.

    The names of its stations, each of which there is once, are free for a venue that is made there later. The caller
    audits it.
    """
    venue.closed_at = now
    stations = list_stations(session, venue.id)
    for station in stations:
        number = f"（{station.id}）"
        station.name = station.name[: MAX_NAME_LENGTH - len(number)] + number
    there = select(Inspector).join(Station).where(Station.venue_id == venue.id, Inspector.disabled_at.is_(None))
    for inspector in session.scalars(there.order_by(Inspector.id).with_for_update(of=Inspector)):
        inspector.disabled_at = now
        sessions.end_all(session, inspector.id, now)
        audit.append(session, actor, "inspector-disabled", now, inspector=inspector.id)
    registry.revoke_at(session, stations, actor, now)
