"""Endpoints for checks of cards on paper, which need the last characters of the document shown with them."""

import re
from decimal import Decimal

from flask import Response, g
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from app.api.responses import CheckOut, check_response
from app.api.stations.offline_checks import ScannedText
from app.core.errors import bad_field
from app.core.identity.spelling import fold_number
from app.stations import checks, paper_checks
from app.stations.checks import Check, InspectorShift
from app.stations.models import Station
from app.stations.paper_checks import TAIL, ScannedPaper
from app.web import SESSION, RequestBody, current_session, get_services, json_response, language
from app.web.problems import problem_responses

views = APIBlueprint(
    "paper-checks",
    __name__,
    url_prefix="/checks/paper",
    abp_tags=[Tag(name="Stations", description="Checks and temperatures")],
)
_TAIL = re.compile(f"[0-9A-Z]{{{TAIL}}}")


class PaperCheckBody(RequestBody):
    token: ScannedText
    document_tail: str = Field(
        min_length=1, max_length=32, repr=False,
        description="The last 4 characters of the number of the document shown with the card; "
        "of a permit for Hong Kong or Macau residents those of its first 9",
    )  # fmt: skip

    def scanned(self) -> ScannedPaper:
        """Return what was scanned. Raises Problem for a tail that no document has."""
        tail = fold_number(self.document_tail)
        if not _TAIL.fullmatch(tail):
            raise bad_field("/document_tail", "document-tail-form")
        return ScannedPaper(self.token, tail)


class PaperTemperatureBody(PaperCheckBody):
    celsius: float = Field(ge=34.0, le=43.0, allow_inf_nan=False)


@views.post("", responses={200: CheckOut, **problem_responses(410, 429)}, security=SESSION)
def check(body: PaperCheckBody) -> Response:
    """Check a card on paper by its text and the document shown with it: the color now, and what to do."""
    return _answer(paper_checks.check(get_services(), body.scanned(), station_id=g.inspector.station))


@views.post("/temperature", responses={200: CheckOut, **problem_responses(410, 429)}, security=SESSION)
def register_temperature(body: PaperTemperatureBody) -> Response:
    """Register a temperature measured on site of the holder of a card."""
    celsius = Decimal(str(body.celsius))
    if not checks.is_plausible(celsius):
        raise bad_field("/celsius", "temperature-form")
    with get_services().sessions() as database:
        station = database.get_one(Station, g.inspector.station)
    shift = InspectorShift(current_session().subject, station, remark=", paper")
    return _answer(paper_checks.register_temperature(get_services(), body.scanned(), celsius, shift))


def _answer(check: Check) -> Response:
    return json_response(check_response(check, language(), get_services().clock.now()))
