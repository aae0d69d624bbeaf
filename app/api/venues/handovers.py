"""Endpoints for handing a venue over: the offer, taking it back, and the answer of who is named."""

from flask import Response
from pydantic import BaseModel

from app.api.families.invitations import PersonBody
from app.api.venues.applications import Id, views
from app.api.venues.management import VenueBody, begin_managed
from app.core.clock import rfc3339
from app.families import people
from app.venues import handovers
from app.web import SESSION, current_session, get_services, json_response, limits, no_store
from app.web.own_record import begin_own
from app.web.problems import problem_responses
from app.windows import recoveries


class OfferBody(PersonBody):
    venue: Id


class VenueOfferedOut(BaseModel):
    """The answer to every offer; whether there is such a person is not said."""

    expires_at: str


@views.post("/handovers", responses={202: VenueOfferedOut, **problem_responses(404, 409, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.venue_handovers), key_func=limits.per_code)
def offer(body: OfferBody) -> Response:
    """Offer a venue to the person with this name and document, who accepts in their own account."""
    services = get_services()
    with begin_managed(body.venue) as managed:
        person = people.validate(body.person(), managed.now)
        expires_at = handovers.offer(managed, services.encryption, person)
    return json_response(VenueOfferedOut(expires_at=rfc3339(expires_at)), 202)


@views.post("/handovers/end", responses={204: None, **problem_responses(404, 409)}, security=SESSION)
def take_back(body: VenueBody) -> Response:
    """Take an offer back."""
    with begin_managed(body.venue) as managed:
        handovers.take_back(managed)
    return no_store(Response(), 204)


@views.post("/handovers/accept", responses={204: None, **problem_responses(404, 409)}, security=SESSION)
def accept(body: VenueBody) -> Response:
    """Manage a venue that is offered to the caller; who managed it does so no longer."""
    services, serial = get_services(), current_session().serial
    with begin_own() as database:
        recoveries.require_unfrozen(database, serial)
        handovers.accept(database, services.encryption, serial, body.venue, services.clock.now())
    return no_store(Response(), 204)


@views.post("/handovers/decline", responses={204: None, **problem_responses(404)}, security=SESSION)
def decline(body: VenueBody) -> Response:
    """Decline a venue that is offered to the caller."""
    services, serial = get_services(), current_session().serial
    with begin_own() as database:
        handovers.decline(database, services.encryption, serial, body.venue, services.clock.now())
    return no_store(Response(), 204)
