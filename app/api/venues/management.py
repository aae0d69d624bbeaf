"""Endpoints for a venue itself: entrances, opening hours, and its end. Also how a manager's act begins."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Response
from pydantic import BaseModel

from app.api.venues.applications import Hours, Id, Text, views
from app.venues import entrances, management
from app.venues.management import ManagedVenue
from app.web import SESSION, RequestBody, current_session, get_services, json_response, no_store
from app.web.own_record import begin_own
from app.web.problems import problem_responses
from app.windows import recoveries


class VenueBody(RequestBody):
    venue: Id


class EntranceBody(VenueBody):
    name: Text


class HoursBody(VenueBody):
    hours: Hours


class EntranceAddedOut(BaseModel):
    id: int


@contextmanager
def begin_managed(venue_id: int) -> Iterator[ManagedVenue]:
    """Begin a transaction in which the caller manages a venue. Raises Problem `venue-not-found`."""
    with begin_own() as database:
        serial = current_session().serial
        recoveries.require_unfrozen(database, serial)
        yield management.lock_venue(database, serial, venue_id, get_services().clock.now())


@views.post("/entrances", responses={201: EntranceAddedOut, **problem_responses(404, 409)}, security=SESSION)
def add_entrance(body: EntranceBody) -> Response:
    """Add an entrance, with counts of its own."""
    with begin_managed(body.venue) as managed:
        station = entrances.add(managed.session, managed.venue, body.name, managed.actor, managed.now)
        out = EntranceAddedOut(id=station.id)
    return json_response(out, 201)


@views.put("/hours", responses={204: None, **problem_responses(404, 409)}, security=SESSION)
def set_hours(body: HoursBody) -> Response:
    """Set the opening hours; outside them the inspector is warned, and nothing is refused."""
    with begin_managed(body.venue) as managed:
        entrances.set_hours(managed.session, managed.venue, body.hours, managed.actor, managed.now)
    return no_store(Response(), 204)


@views.post("/close", responses={204: None, **problem_responses(404, 409)}, security=SESSION)
def close(body: VenueBody) -> Response:
    """Close the venue for good; the accounts of its inspectors are closed."""
    with begin_managed(body.venue) as managed:
        management.close_venue(managed)
    return no_store(Response(), 204)
