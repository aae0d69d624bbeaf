"""Endpoints for checks: check a code, and register a temperature."""

from decimal import Decimal

from flask import Response, g
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from app.api.responses import CheckOut, check_response
from app.api.stations.offline_checks import ScannedText
from app.core.errors import bad_field
from app.stations import checks
from app.stations.checks import InspectorShift
from app.stations.models import Station
from app.web import SESSION, RequestBody, current_session, get_services, json_response, language
from app.web.problems import problem_responses

views = APIBlueprint(
    "stations",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Stations", description="Checks and temperatures")],
)


class CheckBody(RequestBody):
    token: ScannedText


class TemperatureBody(CheckBody):
    celsius: float = Field(ge=34.0, le=43.0, allow_inf_nan=False)


@views.post("/checks", responses={200: CheckOut, **problem_responses(410)}, security=SESSION)
def check(body: CheckBody) -> Response:
    """Check a scanned code: its color now, and what to do."""
    return json_response(
        check_response(
            checks.check(get_services(), body.token, station_id=g.inspector.station),
            language(),
            get_services().clock.now(),
        )
    )


@views.post("/checks/temperature", responses={200: CheckOut, **problem_responses(410)}, security=SESSION)
def register_temperature(body: TemperatureBody) -> Response:
    """Register a temperature measured on site; a fever by the policy turns a code yellow, less turns it back."""
    celsius = Decimal(str(body.celsius))
    if not checks.is_plausible(celsius):
        raise bad_field("/celsius", "temperature-form")
    with get_services().sessions() as database:
        station = database.get_one(Station, g.inspector.station)
    shift = InspectorShift(current_session().subject, station)
    check = checks.register_temperature(get_services(), body.token, celsius, shift)
    return json_response(check_response(check, language(), get_services().clock.now()))
