"""The endpoint for the receipt of who has scanned the code at an entrance."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.stations.offline_checks import ScannedText
from app.core.clock import rfc3339
from app.core.texts import text
from app.visits import receipts, venue_codes
from app.web import (
    SESSION,
    RequestBody,
    current_code,
    current_session,
    get_services,
    json_response,
    language,
    limits,
)
from app.web.own_record import own_code
from app.web.problems import problem_responses

views = APIBlueprint(
    "visits",
    __name__,
    url_prefix="/api/v1/visits",
    abp_tags=[Tag(name="Visits", description="Venue codes, and what phones may read of exposures")],
)


class ScanBody(RequestBody):
    code: ScannedText


class ReceiptOut(BaseModel):
    """A receipt for the venue to scan, and what the phone shows beside it and keeps for itself."""

    receipt: str = Field(description="The text of the QR code, which the phone draws")
    expires_in: int = Field(description="Seconds until the receipt ends")
    venue: int
    place: int = Field(description="The id of the entrance")
    name: str
    entrance: str
    at: str
    kept_days: int = Field(description="For how many days the phone keeps the visit")
    state: str
    color: str | None
    word: str
    stale: bool


@views.post("/receipts", responses={200: ReceiptOut, **problem_responses(404, 409, 410, 429)}, security=SESSION)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.visits), key_func=limits.per_code)
def scan(body: ScanBody) -> Response:
    """Return a receipt for a scanned venue code. It changes no color, and who was where is stored nowhere."""
    services = get_services()
    with services.sessions() as database:
        own_code(database)  # of a session that has ended meanwhile the code has another holder
        place = venue_codes.find_place(services, database, body.code, services.clock.now())
    made = receipts.scan(services, place, current_session().serial, current_code())
    out = ReceiptOut(
        receipt=made.text,
        expires_in=services.settings.tokens.lifetime_seconds,
        venue=made.venue.id,
        place=made.station.id,
        name=made.venue.name,
        entrance=made.station.entrance or "",
        at=rfc3339(made.at.replace(second=0, microsecond=0)),
        kept_days=services.policy.venue_codes_at(made.at).visits_kept_days,
        state=made.code.state.name,
        color=made.code.state.color,
        word=text("states", made.code.state.name, language()),
        stale=made.code.stale,
    )
    return json_response(out)
