"""Endpoints for checks: check a code, and register a temperature."""

from decimal import Decimal

from flask import Response, g
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from app.api.responses import CheckOut, check_response, foreign_check_response
from app.api.stations.offline_checks import ScannedText
from app.codes.tokens import RECEIPT_PREFIX
from app.core.errors import Problem, bad_field
from app.stations import checks, foreign
from app.stations.checks import InspectorShift
from app.stations.models import Station
from app.visits import receipts
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


@views.post("/checks", responses={200: CheckOut, **problem_responses(410, 503, 504)}, security=SESSION)
def check(body: CheckBody) -> Response:
    """Check a scanned code: its color now, and what to do.

    A code of another province is answered with the statement of its issuer, where the trust list has that. A receipt of
    a venue code is good once, at an entrance of its venue.
    """
    services, station = get_services(), g.inspector.station
    if body.token.startswith(RECEIPT_PREFIX):
        used = receipts.check(services, body.token, station_id=station)
        return json_response(check_response(used, language(), services.clock.now()))
    try:
        check = checks.check(services, body.token, station_id=station)
    except Problem as problem:
        _require_foreign(problem)
        stated = foreign.check(services, body.token, station_id=station)
        return json_response(foreign_check_response(stated, language(), services.clock.now()))
    return json_response(check_response(check, language(), services.clock.now()))


@views.post("/checks/temperature", responses={200: CheckOut, **problem_responses(410, 503, 504)}, security=SESSION)
def register_temperature(body: TemperatureBody) -> Response:
    """Register a temperature measured on site; a fever by the policy turns a code yellow, less turns it back.

    Of the holder of a code of another province nothing is recorded: the answer says what to do.
    """
    celsius = Decimal(str(body.celsius))
    if not checks.is_plausible(celsius):
        raise bad_field("/celsius", "temperature-form")
    if body.token.startswith(RECEIPT_PREFIX):
        raise Problem("receipt-no-temperature")
    with get_services().sessions() as database:
        station = database.get_one(Station, g.inspector.station)
    shift = InspectorShift(current_session().subject, station)
    try:
        check = checks.register_temperature(get_services(), body.token, celsius, shift)
    except Problem as problem:
        _require_foreign(problem)
        stated = foreign.measure(get_services(), body.token, celsius, station_id=station.id)
        return json_response(foreign_check_response(stated, language(), get_services().clock.now()))
    return json_response(check_response(check, language(), get_services().clock.now()))


def _require_foreign(problem: Problem) -> None:
    """Raise a problem again unless the code may be one of another province: then it has no key of ours."""
    if problem.slug != "token-unknown-key":
        raise problem
