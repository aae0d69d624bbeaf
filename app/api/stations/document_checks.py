"""Endpoints for checks by identity document, as card readers read one: the color and what to do, and nothing else."""

from decimal import Decimal

from flask import Response, g
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.citizens.document_checks import checks
from app.citizens.document_checks.checks import ASK, DocumentResult, Identity, Outcome
from app.citizens.documents import DocumentType
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.errors import FieldError, Problem
from app.core.identity.names import MAX_LENGTH
from app.core.texts import text
from app.stations.checks import InspectorShift, is_plausible
from app.stations.models import Station
from app.web import SESSION, RequestBody, current_session, get_services, json_response, language
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


class DocumentCheckOut(BaseModel):
    """The data that a station gets about the person of a document, and does not store.

    What fails has no answer of this form: 503 `check-failed`, and 504 `time-out`.
    """

    outcome: Outcome = Field(
        description="The state; `expired`: the last declaration has ended; `not-found`: nobody has this document and "
        "this name together, whichever of the two is wrong, or who has them never declared"
    )
    state: str | None = Field(description="Null where nobody was found")
    color: str | None
    word: str
    action: str = Field(description="pass, measure, stop, or ask: for the code, or to go to the service window")
    instruction: str
    as_of: str
    stale: bool


@views.post("/checks/document", responses={200: DocumentCheckOut, **problem_responses(429, 504)}, security=SESSION)
def check(body: DocumentCheckBody) -> Response:
    """Check the code of whoever a document belongs to, by kind, number and name together.

    The person can read that their document was checked, and at which station. How often an inspector may ask is
    bounded, and more so how often they find nobody: beyond it 429, and auditors see that.
    """
    services = get_services()
    result = checks.check(
        services, _identity(body), inspector_id=current_session().subject, station_id=g.inspector.station
    )
    return json_response(_response(result))


@views.post(
    "/checks/document/temperature", responses={200: DocumentCheckOut, **problem_responses(429, 504)}, security=SESSION
)
def register_temperature(body: DocumentTemperatureBody) -> Response:
    """Register a temperature measured on site, as `/checks/temperature` does, of whoever a document belongs to."""
    celsius = Decimal(str(body.celsius))
    wrong = () if is_plausible(celsius) else (FieldError("/celsius", "temperature-form"),)
    identity = _identity(body, wrong)
    with get_services().sessions() as database:
        station = database.get_one(Station, g.inspector.station)
    shift = InspectorShift(current_session().subject, station)
    return json_response(_response(checks.register_temperature(get_services(), identity, celsius, shift)))


def _identity(body: DocumentCheckBody, wrong: tuple[FieldError, ...] = ()) -> Identity:
    """Return what was read, normalized. Raises Problem with every bad field, and with those found `wrong` before."""
    try:
        identity = checks.read_identity(body.type, body.number, body.name, get_services().clock.now())
    except Problem as problem:
        raise Problem("invalid-request", fields=(*problem.fields, *wrong)) from None
    if wrong:
        raise Problem("invalid-request", fields=wrong)
    return identity


def _response(result: DocumentResult) -> DocumentCheckOut:
    lang, as_of = language(), rfc3339(get_services().clock.now())
    if result.check is None:
        word, instruction = (text("document-checks", slug, lang) for slug in ("not-found", "ask"))
        return DocumentCheckOut(
            outcome=result.outcome, state=None, color=None, word=word, action=ASK, instruction=instruction,
            as_of=as_of, stale=False,
        )  # fmt: skip
    current = result.check.current_code
    state, is_expired = State(current.record.state), result.outcome is Outcome.EXPIRED
    return DocumentCheckOut(
        outcome=result.outcome,
        state=state.name,
        color=state.color,
        word=text("document-checks", "expired", lang) if is_expired else text("states", state.name, lang),
        action=result.check.action,
        instruction=result.check.instruction[lang],
        as_of=as_of,
        stale=current.stale,
    )
