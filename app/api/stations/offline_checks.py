"""The endpoint for checks made without network, submitted once there is one again."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from flask import Response, g
from flask_openapi3 import APIBlueprint, Tag
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from app.codes.tokens import trim
from app.core.identity.spelling import fold_number
from app.core.texts import slugs, text
from app.stations import moves
from app.stations.accounts import MAX_NAME_LENGTH
from app.stations.checks import InspectorShift
from app.stations.models import Station
from app.stations.offline import OfflineOutcome, SubmittedCheck
from app.web import SESSION, RequestBody, current_session, get_services, json_response, language, limits
from app.web.problems import problem_responses

views = APIBlueprint(
    "offline",
    __name__,
    abp_tags=[Tag(name="Stations", description="Checks and temperatures")],
)

MAX_CHECKS = 100


def _written_moment(value: object) -> object:
    """Accept only text with an offset as a moment: a number is a mistake, and local time is ambiguous."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError("moment")
    return moment


def _id(value: str) -> str:
    if str(UUID(value)) != value.lower():
        raise ValueError("id")
    return value


Moment = Annotated[datetime, BeforeValidator(_written_moment)]
ScannedText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1024,
        description="Text of the scanned QR code; blanks, tabs, ends of line and byte order marks around it are cut",
    ),
    AfterValidator(trim),
]
Id = Annotated[str, Field(max_length=36, json_schema_extra={"format": "uuid"}), AfterValidator(_id)]


class OfflineCheck(RequestBody):
    """One check, or one temperature, as stored on the phone. A person checked and then measured is two entries."""

    id: Id = Field(description="Made by the phone, and the same whenever this is sent again")
    token: ScannedText
    at: Moment = Field(description="When it was made; the token must have been valid then")
    celsius: float | None = Field(
        default=None, allow_inf_nan=False, description="34.0 to 43.0 with one decimal; null for a check alone"
    )
    document_tail: str | None = Field(
        default=None,
        min_length=1,
        max_length=32,
        repr=False,
        description="With the temperature of a card on paper: the last 4 characters of the number of the document "
        "that was shown with it",
    )
    station: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_NAME_LENGTH,
        description="The name of the station where it was made, of somebody who has been moved since; null for that of "
        "the session",
    )


class OfflineBody(RequestBody):
    checks: list[OfflineCheck] = Field(min_length=1, max_length=MAX_CHECKS)


class OfflineResult(BaseModel):
    """The result of an entry. It is final: an entry with a result need not be sent again.

    `checked-elsewhere` alone is not: somebody of the station that it names may send it.
    """

    id: str
    result: str = Field(
        description="`counted`: a check, in its hour, as passed, measured or stopped by its token's state. "
        "`registered`: a temperature, now evidence and one of the `temperatures`, not a check. `known`: this id, "
        "or this token at this station, was received before, and nothing was done twice. `foreign-not-recorded`: a "
        "temperature of somebody whose code another province has issued. `checked-elsewhere`: at that moment this "
        "inspector was not at the `station`, and nothing was done. Otherwise the slug of the "
        "problem, and nothing was done: `token-malformed`, `token-unknown-key`, `token-forged`, `token-expired`, "
        "`token-not-yet-valid`, `foreign-list-expired`, `foreign-key-revoked`, `foreign-issuer-suspended`, "
        "`check-too-old`, `check-in-future` or `temperature-form`, and of a card on paper "
        "`paper-needs-tail`, `paper-over`, `paper-ended`, `paper-tail-wrong` or `paper-tail-stopped`"
    )
    detail: str
    state: str | None = Field(
        description="The state in the token at the check, not the current one; or null, as for a card on paper"
    )
    word: str | None


class OfflineOut(BaseModel):
    results: list[OfflineResult] = Field(description="In the order in which the entries were sent")


@views.post("/checks/offline", responses={200: OfflineOut, **problem_responses(429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.offline_checks), key_func=limits.per_session)
def take(body: OfflineBody) -> Response:
    """Submit checks made without network; each entry is processed by itself, as of its moment.

    When Redis or the database is unreachable this is 503, and the same entries may be sent again: none counts twice.
    """
    with get_services().sessions() as database:
        station = database.get_one(Station, g.inspector.station)
    shift = InspectorShift(current_session().subject, station, remark=", offline")
    results = moves.process_checks(get_services(), shift, [_submitted(check) for check in body.checks])
    return json_response(OfflineOut(results=[_out(*pair) for pair in zip(body.checks, results, strict=True)]))


def _submitted(check: OfflineCheck) -> SubmittedCheck:
    celsius = None if check.celsius is None else Decimal(str(check.celsius))
    tail, station = fold_number(check.document_tail or ""), check.station or ""
    return SubmittedCheck(UUID(check.id), check.token, check.at, celsius, tail, station)


def _out(check: OfflineCheck, result: OfflineOutcome) -> OfflineResult:
    section = "offline" if result.outcome in slugs("offline") else "problems"
    return OfflineResult(
        id=check.id,
        result=result.outcome,
        detail=text(section, result.outcome, language()),
        state=None if result.state is None else result.state.name,
        word=None if result.state is None else text("states", result.state.name, language()),
    )
