"""Administration of inspectors: what an administrator, or an operator, does with the accounts of check stations.

An administrator of a district sees the inspectors of its stations alone. Whatever ends sessions takes effect with the
next request, also on the fast path: the epoch in the cache is written with the commit.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import WHOLE, Part
from app.core.errors import Problem, bad_field
from app.core.identity.staff_accounts import give_password
from app.staff.context import OfficerContext
from app.staff.models import Role
from app.stations import accounts, sessions
from app.stations.models import Inspector, Station, Venue


class InspectorAtStation(NamedTuple):
    """An inspector and their station."""

    inspector: Inspector
    station: Station


def list_inspectors(context: OfficerContext, part: Part = WHOLE) -> Sequence[InspectorAtStation]:
    """List the inspectors of the administrator's district, by station and name; for an operator all."""
    everybody = select(Inspector, Station).join(Station, Station.id == Inspector.station_id)
    if (district := own_district(context)) is not None:
        everybody = everybody.where(Station.district == district)
    ordered = everybody.order_by(Station.name, Inspector.username)
    rows = context.session.execute(part.of(ordered, Station.name, Inspector.username))
    return [InspectorAtStation(*row) for row in rows]


def list_stations(context: OfficerContext, part: Part = WHOLE) -> Sequence[Station]:
    """List the stations of the administrator's district, by name, without closed venues; for an operator all."""
    stations = select(Station).outerjoin(Venue).where(Venue.closed_at.is_(None)).order_by(Station.name)
    if (district := own_district(context)) is not None:
        stations = stations.where(Station.district == district)
    return context.session.scalars(part.of(stations)).all()


def find_inspector(context: OfficerContext, inspector_id: int) -> InspectorAtStation:
    """Return an inspector of the administrator's district. Raises Problem `inspector-not-found`."""
    return _require_in_scope(context, context.session.get(Inspector, inspector_id))


def find_by_username(session: Session, username: str) -> Inspector:
    """Return the inspector with this user name, for an operator. Raises Problem `inspector-not-found`."""
    inspector = accounts.find_by_username(session, username)
    if inspector is None:
        raise Problem("inspector-not-found")
    return inspector


def disable_inspector(context: OfficerContext, inspector_id: int) -> None:
    """Close an account and end its sessions; closing it again changes nothing. Raises Problem."""
    inspector = _lock(context, inspector_id).inspector
    if inspector.disabled_at is None:
        inspector.disabled_at = context.now
        sessions.end_all(context.session, inspector.id, context.now)
        context.append_audit("inspector-disabled", inspector=inspector.id)


def enable_inspector(context: OfficerContext, inspector_id: int) -> None:
    """Open a closed account again, whose sessions stay ended; an open one stays as it is. Raises Problem."""
    if accounts.is_closed(context.session, find_inspector(context, inspector_id).station):
        raise Problem("venue-closed")  # asked first: what closes a venue locks it before its inspectors
    inspector = _lock(context, inspector_id).inspector
    if inspector.disabled_at is not None:
        inspector.disabled_at = None
        sessions.end_all(context.session, inspector.id, context.now)
        context.append_audit("inspector-enabled", inspector=inspector.id)


def end_sessions(context: OfficerContext, inspector_id: int) -> None:
    """End every session of an inspector, who can log in again. Raises Problem."""
    inspector = _lock(context, inspector_id).inspector
    sessions.end_all(context.session, inspector.id, context.now)
    context.append_audit("inspector-sessions-ended", inspector=inspector.id)


def reset_password(context: OfficerContext, inspector_id: int) -> str:
    """Return a password with which an inspector logs in once, choosing another; the old one and all sessions end."""
    inspector = _lock(context, inspector_id).inspector
    password = give_password(inspector, context.now)
    sessions.end_all(context.session, inspector.id, context.now)
    context.append_audit("inspector-password-reset", inspector=inspector.id)
    return password


def move_inspector(context: OfficerContext, inspector_id: int, station_name: str) -> None:
    """Move an inspector to another station, where they log in anew; the same one changes nothing. Raises Problem."""
    find_inspector(context, inspector_id)
    station = accounts.find_station(context.session, station_name)
    closed = station is not None and accounts.is_closed(context.session, station)
    inspector, before = _lock(context, inspector_id)
    if station is None or closed or not covers_station(context, station):
        raise bad_field("/station", "no-such-station")
    if station.id != before.id:
        inspector.station_id = station.id
        sessions.end_all(context.session, inspector.id, context.now)
        context.append_audit("inspector-moved", inspector=inspector.id, station=station.id, station_before=before.id)


def _lock(context: OfficerContext, inspector_id: int) -> InspectorAtStation:
    inspector = context.session.get(Inspector, inspector_id, with_for_update=True, populate_existing=True)
    return _require_in_scope(context, inspector)


def _require_in_scope(context: OfficerContext, inspector: Inspector | None) -> InspectorAtStation:
    station = None if inspector is None else context.session.get_one(Station, inspector.station_id)
    if inspector is None or station is None or not covers_station(context, station):
        raise Problem("inspector-not-found")
    return InspectorAtStation(inspector, station)


def covers_station(context: OfficerContext, station: Station) -> bool:
    """Return whether an administrator, or an operator, may act at a station."""
    return own_district(context) in (None, station.district)


def own_district(context: OfficerContext) -> str | None:
    """Return the district to which an administrator is bound; None for the province, and for an operator."""
    if context.officer is None:
        return None
    return context.acting_as(Role.ADMINISTRATOR).me.district
