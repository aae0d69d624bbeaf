"""Endpoints for checks by identity document, as card readers read one: the color and what to do, and nothing else."""

from decimal import Decimal

from flask import Response, g
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from app.api.responses import DocumentCheckOut, document_check_response
from app.citizens.document_checks import checks
from app.citizens.document_checks.checks import Asked, Identity
from app.citizens.documents import DocumentType
from app.core.errors import FieldError, Problem
from app.core.identity.names import MAX_LENGTH
from app.stations.checks import InspectorShift, is_plausible
from app.stations.models import Station
from app.web import SESSION, RequestBody, actor, current_session, get_services, json_response, language
from app.web.problems import problem_responses

views = APIBlueprint(
    "documents",
    __name__,
    abp_tags=[Tag(name="Stations", description="Checks and temperatures")],
)


class DocumentCheckBody(RequestBody):
    """A document as it was read or typed. Blanks, tabs and ends of line that a reader adds are cut."""

    type: DocumentType = Field(strict=False)
    number: str = Field(max_length=100, repr=False)
    name: str = Field(max_length=MAX_LENGTH, repr=False, description="As on the document")


class DocumentTemperatureBody(DocumentCheckBody):
    celsius: float = Field(allow_inf_nan=False, description="34.0 to 43.0 with one decimal")


@views.post("/checks/document", responses={200: DocumentCheckOut, **problem_responses(429, 504)}, security=SESSION)
def check(body: DocumentCheckBody) -> Response:
    """Check the code of whoever a document belongs to, by kind, number and name together.

    The person can read that their document was checked, and at which station. How often an inspector may ask is
    bounded, and more so how often they find nobody: beyond it 429, and auditors see that.
    """
    services = get_services()
    result = checks.check(services, read_identity(body), Asked(actor(), g.inspector.station))
    return json_response(document_check_response(result, language(), services.clock.now()))


@views.post(
    "/checks/document/temperature", responses={200: DocumentCheckOut, **problem_responses(429, 504)}, security=SESSION
)
def register_temperature(body: DocumentTemperatureBody) -> Response:
    """Register a temperature measured on site, as `/checks/temperature` does, of whoever a document belongs to."""
    celsius = Decimal(str(body.celsius))
    wrong = () if is_plausible(celsius) else (FieldError("/celsius", "temperature-form"),)
    identity = read_identity(body, wrong)
    with get_services().sessions() as database:
        station = database.get_one(Station, g.inspector.station)
    shift = InspectorShift(current_session().subject, station)
    result = checks.register_temperature(get_services(), identity, celsius, shift)
    return json_response(document_check_response(result, language(), get_services().clock.now()))


def read_identity(body: DocumentCheckBody, wrong: tuple[FieldError, ...] = ()) -> Identity:
    """Return what was read, normalized. Raises Problem with every bad field, and with those found `wrong` before."""
    try:
        identity = checks.read_identity(body.type, body.number, body.name, get_services().clock.now())
    except Problem as problem:
        raise Problem("invalid-request", fields=(*problem.fields, *wrong)) from None
    if wrong:
        raise Problem("invalid-request", fields=wrong)
    return identity
