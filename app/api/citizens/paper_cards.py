"""Endpoints for the caller's card on paper: issue it, fetch it as PDF, report it lost."""

from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.citizens.paper import holders, pdf
from app.citizens.paper.holders import MINI_PROGRAM
from app.codes.paper import cards
from app.codes.paper.models import PaperCard
from app.core.clock import rfc3339
from app.web import SESSION, actor, current_session, get_services, json_response, language, limits, no_store
from app.web.own_record import begin_own, own_code
from app.web.problems import problem_responses

views = APIBlueprint(
    "paper-cards",
    __name__,
    url_prefix="/paper-cards",
    abp_tags=[Tag(name="Paper", description="The card on paper")],
)
_limited = limits.limiter.limit(limits.from_settings(lambda limit: limit.paper), key_func=limits.per_session)
_PDF: dict[str, Any] = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}


class PaperCardOut(BaseModel):
    """A card on paper. Its code is in the PDF alone."""

    issued_at: str
    ends_at: str
    place: str = Field(description="Where it was issued: `mini-program`, or the name of a window")
    scans_today: int = Field(description="How often it was scanned today, by anybody; where is not kept")
    reprint_asked: bool = Field(
        description="Whether an auditor asks for another print, because this one was scanned very often on a day"
    )


@views.post("", responses={201: PaperCardOut, **problem_responses(404, 429)}, security=SESSION)
@_limited
def issue() -> Response:
    """Issue a card for 180 days; an earlier one is dead at once.

    403 `identity-unconfirmed` until the national platform has confirmed the caller.
    """
    pdf.require_font(get_services().settings.paper.font_file)  # or the old card would die for nothing
    with begin_own() as database:
        card = holders.issue(get_services(), database, current_session().serial, MINI_PROGRAM, actor=actor())
        out = card_out(card, 0)
    return json_response(out, 201)


@views.get("/current", responses={200: PaperCardOut, **problem_responses(404)}, security=SESSION)
def current() -> Response:
    """Return the caller's card; 404 `no-paper-card` without one."""
    now = get_services().clock.now()
    with get_services().sessions() as database:
        card = holders.get_live(database, own_code(database).serial, now)
        return json_response(card_out(card, cards.scans_today(database, card, now).scans))


@views.get("/current.pdf", responses={200: _PDF, **problem_responses(404, 429)}, security=SESSION)
@_limited
def current_pdf() -> Response:
    """Return the caller's card as a page of A6 to print; the same whenever it is fetched."""
    services = get_services()
    with services.sessions() as database:
        card = holders.get_live(database, own_code(database).serial, services.clock.now())
        printed = holders.printed(services, database, card)
    content = pdf.render(printed, services.settings.paper.font_file, language())
    return no_store(Response(content, mimetype="application/pdf"))


@views.post("/current/loss", responses={204: None, **problem_responses(404, 429)}, security=SESSION)
@_limited
def report_lost() -> Response:
    """Report the caller's card lost: from now on no station accepts it."""
    with begin_own() as database:
        holders.report_lost(database, current_session().serial, actor=actor(), now=get_services().clock.now())
    return no_store(Response(), 204)


def card_out(card: PaperCard, scans_today: int) -> PaperCardOut:
    """Return a card in the shape of the API."""
    return PaperCardOut(
        issued_at=rfc3339(card.issued_at),
        ends_at=rfc3339(card.ends_at),
        place=card.place,
        scans_today=scans_today,
        reprint_asked=card.reprint_asked_at is not None,
    )
