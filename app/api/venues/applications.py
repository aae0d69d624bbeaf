"""Endpoints for applying for a venue, and withdrawing an application."""

from typing import Annotated

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.stations.hours import DAYS
from app.venues import applications
from app.venues.form import VenueForm, VenueKind
from app.web import SESSION, RequestBody, current_session, get_services, json_response, no_store
from app.web.own_record import begin_own
from app.web.problems import problem_responses
from app.windows import recoveries

views = APIBlueprint(
    "venues",
    __name__,
    url_prefix="/api/v1/venues",
    abp_tags=[Tag(name="Venues", description="Places with check stations of their own")],
)

Id = Annotated[int, Field(ge=1, lt=2**63)]
Text = Annotated[str, Field(max_length=200)]
Hours = Annotated[
    list[Annotated[str, Field(max_length=20)]],
    Field(min_length=DAYS, max_length=DAYS, description="From Monday on, such as 08:00-22:00; empty where closed"),
]


class ApplicationBody(RequestBody):
    name: Text
    kind: Text = Field(description=", ".join(VenueKind))
    district: Text
    address: Text
    credit_code: Text = Field(description="统一社会信用代码, GB 32100")
    hours: Hours
    entrances: list[Text] = Field(min_length=1, max_length=20)


class ApplicationIdBody(RequestBody):
    id: Id


class VenueAppliedOut(BaseModel):
    id: int


@views.post("/applications", responses={201: VenueAppliedOut, **problem_responses(409, 429)}, security=SESSION)
def apply(body: ApplicationBody) -> Response:
    """Apply for a venue; an administrator of the district answers. 409 `venue-exists` where it is there already."""
    form = VenueForm(**body.model_dump())
    with begin_own() as database:
        recoveries.require_unfrozen(database, current_session().serial)
        row = applications.apply(database, current_session().serial, form, get_services().clock.now())
        out = VenueAppliedOut(id=row.id)
    return json_response(out, 201)


@views.post("/applications/withdraw", responses={204: None, **problem_responses(404)}, security=SESSION)
def withdraw(body: ApplicationIdBody) -> Response:
    """Withdraw an application that waits."""
    with begin_own() as database:
        applications.withdraw(database, current_session().serial, body.id, get_services().clock.now())
    return no_store(Response(), 204)
