"""The endpoint with all that the caller has to do with venues: applications, venues they manage, and offers to them."""

from datetime import datetime

from flask import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session as Database

from app.api.venues.applications import views
from app.api.venues.codes import VenueCodeOut, code_out
from app.core.clock import rfc3339
from app.core.texts import text
from app.stations.models import Inspector, InspectorSession, Venue
from app.venues import applications, entrances, handovers, management
from app.venues.handovers import OfferedVenue
from app.venues.models import VenueApplication
from app.visits import alarms, venue_codes
from app.web import SESSION, get_services, json_response, language
from app.web.own_record import own_code


class VenueApplicationOut(BaseModel):
    id: int
    name: str
    district: str
    applied_at: str
    state: str = Field(description="waiting, approved, refused or withdrawn")
    reason: str | None = Field(description="Why it was refused, in the caller's language")


class InspectorSessionOut(BaseModel):
    """A phone on which an inspector is logged in."""

    id: int
    started_at: str
    seen_at: str = Field(description="The last request that was noted, within some minutes")
    ends_at: str


class InspectorOut(BaseModel):
    id: int
    username: str
    entrance: int = Field(description="The id of the entrance at which they check")
    state: str = Field(description="active, disabled, or new until they have chosen a password")
    sessions: list[InspectorSessionOut]


class EntranceOut(BaseModel):
    id: int
    name: str
    code: VenueCodeOut | None = Field(default=None, description="The print of its code, where one was made")


class VenueOut(BaseModel):
    id: int
    name: str
    kind: str
    district: str
    address: str
    credit_code: str
    hours: list[str]
    offered_until: str | None = Field(description="Until when it is offered to another manager")
    entrances: list[EntranceOut]
    inspectors: list[InspectorOut]


class VenueOfferOut(BaseModel):
    """A venue that its manager offers to the caller."""

    venue: int
    name: str
    district: str
    manager: str = Field(description="The name of who offers it, masked")
    expires_at: str


class VenuesOut(BaseModel):
    applications: list[VenueApplicationOut]
    venues: list[VenueOut]
    offers: list[VenueOfferOut]


@views.get("", responses={200: VenuesOut}, security=SESSION)
def list_venues() -> Response:
    """Return the caller's applications, the venues that they manage, and those that are offered to them."""
    services = get_services()
    with services.sessions() as database:
        serial, now = own_code(database).serial, services.clock.now()
        offers = handovers.list_offers(database, services.encryption, serial, now)
        out = VenuesOut(
            applications=[_application_out(one) for one in applications.list_own(database, serial)],
            venues=[_venue_out(database, one, now) for one in management.list_venues(database, serial)],
            offers=[_offer_out(one) for one in offers],
        )
    return json_response(out)


def _application_out(row: VenueApplication) -> VenueApplicationOut:
    return VenueApplicationOut(
        id=row.id,
        name=row.name,
        district=row.district,
        applied_at=rfc3339(row.applied_at),
        state=row.state,
        reason=None if row.reason is None else text("venue-refusals", row.reason, language()),
    )


def _venue_out(database: Database, venue: Venue, now: datetime) -> VenueOut:
    inspectors = management.list_inspectors(database, venue.id, now)
    sessions = management.list_sessions(database, inspectors, now)
    offered_until = handovers.find_offer(database, venue, now)
    return VenueOut(
        id=venue.id,
        name=venue.name,
        kind=venue.kind,
        district=venue.district,
        address=venue.address,
        credit_code=venue.credit_code,
        hours=venue.hours,
        offered_until=None if offered_until is None else rfc3339(offered_until),
        entrances=_entrances_out(database, venue),
        inspectors=[_inspector_out(one, [its for its in sessions if its.inspector_id == one.id]) for one in inspectors],
    )


def _entrances_out(database: Database, venue: Venue) -> list[EntranceOut]:
    stations = entrances.list_stations(database, venue.id)
    codes, open_alarms = venue_codes.list_codes(database, stations), alarms.list_open_at(database, venue.id)
    return [
        EntranceOut(
            id=one.id,
            name=one.entrance or one.name,
            code=code_out(codes[one.id], open_alarms.get(one.id)) if one.id in codes else None,
        )
        for one in stations
    ]


def _inspector_out(inspector: Inspector, sessions: list[InspectorSession]) -> InspectorOut:
    is_new = "new" if inspector.must_change_password else "active"
    return InspectorOut(
        id=inspector.id,
        username=inspector.username,
        entrance=inspector.station_id,
        state=is_new if inspector.disabled_at is None else "disabled",
        sessions=[
            InspectorSessionOut(
                id=one.id,
                started_at=rfc3339(one.started_at),
                seen_at=rfc3339(one.seen_at),
                ends_at=rfc3339(one.ends_at),
            )
            for one in sessions
        ],
    )


def _offer_out(offered: OfferedVenue) -> VenueOfferOut:
    return VenueOfferOut(
        venue=offered.venue.id,
        name=offered.venue.name,
        district=offered.venue.district,
        manager=offered.manager,
        expires_at=rfc3339(offered.expires_at),
    )
