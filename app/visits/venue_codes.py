"""The code at an entrance: made and renewed by the manager of the venue, who prints it as a poster.

A print is good for some weeks. Another one leaves the earlier a short overlap, in which the posters are changed; after
abuse it leaves none. During an overlap the next print is the one that there is: a second tap must not end what hangs.
"""

import hmac
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.codes.tokens import TokenRefused, VenuePrint
from app.codes.tokens.venue_tokens import MARK_BYTES
from app.core.clock import BEIJING
from app.core.db import among
from app.core.errors import Problem
from app.rules import VenueCodeRules
from app.runtime import Services
from app.stations.models import Station, Venue
from app.venues.management import ManagedVenue, find_station
from app.visits.models import VenueCode


class Place(NamedTuple):
    """An entrance of an open venue."""

    station: Station
    venue: Venue


def renew(managed: ManagedVenue, station_id: int, rules: VenueCodeRules, *, at_once: bool = False) -> VenueCode:
    """Make the next print of an entrance; the one before is good for a while, unless it ends `at_once`.

    While that while lasts, the print is returned that was made. Raises Problem with the bad field.
    """
    station, now = find_station(managed, station_id), managed.now.replace(microsecond=0)
    code = managed.session.get(VenueCode, station.id)
    if code is None:
        code = VenueCode(station_id=station.id)
        managed.session.add(code)
    elif not at_once and _overlaps(code, managed.now):
        return code
    elif at_once:
        code.earlier_mark = code.earlier_until = None
    else:
        code.earlier_mark, code.earlier_until = code.mark, min(code.ends_at, now + rules.overlap)
    code.mark, code.made_at = os.urandom(MARK_BYTES), now
    code.ends_at = _end_of_day(now) + timedelta(days=rules.print_days)
    managed.append_audit("venue-code-made", station=station.id, at_once=at_once)
    return code


def find_code(managed: ManagedVenue, station_id: int) -> tuple[Station, VenueCode]:
    """Return an entrance of the venue with its print. Raises Problem `venue-code-none` before the first."""
    station = find_station(managed, station_id)
    code = managed.session.get(VenueCode, station.id)
    if code is None:
        raise Problem("venue-code-none")
    return station, code


def end(session: Session, station_id: int) -> bool:
    """End all prints of an entrance, whose manager prints the poster again; return whether there was one."""
    code = session.get(VenueCode, station_id, with_for_update=True, populate_existing=True)
    if code is None:
        return False
    code.mark, code.earlier_mark, code.earlier_until = os.urandom(MARK_BYTES), None, None
    return True


def list_codes(session: Session, stations: Sequence[Station]) -> dict[int, VenueCode]:
    """Return the prints of these stations that have one."""
    there = select(VenueCode).where(among(VenueCode.station_id, [one.id for one in stations]))
    return {one.station_id: one for one in session.scalars(there)}


def mint(services: Services, code: VenueCode) -> str:
    """Return the text of a print."""
    return services.venue_tokens.mint_venue_code(VenuePrint(code.station_id, code.mark, code.made_at, code.ends_at))


def find_place(services: Services, session: Session, text: str, now: datetime) -> Place:
    """Return the entrance of a scanned venue code that is good now. Raises Problem `venue-code-…`."""
    try:
        read = services.venue_tokens.read_venue_code(text, now)
    except TokenRefused as refusal:
        raise Problem("venue-code-old" if refusal.outcome == "expired" else "venue-code-wrong") from None
    there = select(Station, Venue, VenueCode).join(Venue, Venue.id == Station.venue_id).join(VenueCode)
    found = session.execute(there.where(Station.id == read.place, Venue.closed_at.is_(None))).one_or_none()
    if found is None:
        raise Problem("venue-code-wrong")
    station, venue, code = found
    if not _is_good(code, read.mark, now):
        raise Problem("venue-code-old")
    return Place(station, venue)


def _is_good(code: VenueCode, mark: bytes, now: datetime) -> bool:
    if hmac.compare_digest(mark, code.mark):
        return True  # its own end is in the text
    return mark == code.earlier_mark and _overlaps(code, now)


def _overlaps(code: VenueCode, now: datetime) -> bool:
    """Return whether the earlier print is still good beside the newest."""
    return code.earlier_until is not None and now < code.earlier_until


def _end_of_day(now: datetime) -> datetime:
    return now.astimezone(BEIJING).replace(hour=23, minute=59, second=59)
