"""Endpoints with which the manager of a venue makes the code at an entrance, and prints it."""

from typing import Any

from flask import Response
from pydantic import BaseModel, Field

from app.api.venues.applications import Id, views
from app.api.venues.management import VenueBody, begin_managed
from app.citizens.paper.pdf import require_font
from app.core.clock import rfc3339
from app.visits import poster, venue_codes
from app.visits.models import VenueAlarm, VenueCode
from app.visits.poster import Poster
from app.web import SESSION, get_services, json_response, limits, no_store
from app.web.problems import problem_responses

_PDF: dict[str, Any] = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
_limited = limits.limiter.limit(limits.from_settings(lambda limit: limit.venue_codes), key_func=limits.per_code)


class CodeBody(VenueBody):
    entrance: Id
    at_once: bool = Field(default=False, description="After abuse: the earlier print is good no longer")


class PosterQuery(BaseModel):
    venue: Id
    entrance: Id


class VenueCodeOut(BaseModel):
    """The print of an entrance. The code itself is in the PDF alone."""

    made_at: str
    ends_at: str
    alarm: bool = Field(
        description="Whether it was scanned implausibly often since: print the next one, which ends this at once"
    )


@views.post("/codes", responses={201: VenueCodeOut, **problem_responses(404, 409, 429)}, security=SESSION)
@_limited
def make_code(body: CodeBody) -> Response:
    """Make the next print of an entrance; the earlier is good for some days more, unless it ends at once."""
    services = get_services()
    require_font(services.settings.paper.font_file)  # or the old print would end for nothing
    with begin_managed(body.venue) as managed:
        rules = services.policy.venue_codes_at(managed.now)
        out = code_out(venue_codes.renew(managed, body.entrance, rules, at_once=body.at_once), None)
    return json_response(out, 201)


@views.get("/codes/current.pdf", responses={200: _PDF, **problem_responses(404, 409, 429)}, security=SESSION)
@_limited
def print_code(query: PosterQuery) -> Response:
    """Return the poster of an entrance as a page of A5; the same whenever it is fetched."""
    services = get_services()
    with begin_managed(query.venue) as managed:
        station, code = venue_codes.find_code(managed, query.entrance)
        shown = Poster(managed.venue.name, station.entrance or "", venue_codes.mint(services, code), code.ends_at)
    content = poster.render(shown, services.settings.paper.font_file)
    return no_store(Response(content, mimetype="application/pdf"))


def code_out(code: VenueCode, alarm: VenueAlarm | None) -> VenueCodeOut:
    """Return a print in the shape of the API."""
    return VenueCodeOut(made_at=rfc3339(code.made_at), ends_at=rfc3339(code.ends_at), alarm=alarm is not None)
