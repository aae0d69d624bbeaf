"""Cards on paper that were scanned very often, and what an auditor does about one: ask for another print."""

from typing import Final

from flask import Response

from app.console.pages import page, redirect_to, views
from app.review.scanned_cards import find_scanned_cards
from app.staff import paper_desk
from app.staff.context import begin_officer
from app.web import current_officer, get_services

_MOST: Final = 100


@views.get("/audit/cards")
def list_scanned_cards() -> Response:
    """List the cards that were scanned very often on a day."""
    services, many = get_services(), get_services().settings.paper.many_scans_a_day
    with services.sessions() as session:
        found = find_scanned_cards(session, current_officer(), services.clock.now(), many=many, most=_MOST)
    return page("audit-cards.html", cards=found, many=many)


@views.post("/audit/cards/<int:id_>/reprint")
def ask_for_reprint(id_: int) -> Response:
    """Ask for another print of a card: its holder reads so, and a clerk at whose window they are."""
    with begin_officer(get_services(), current_officer()) as context:
        paper_desk.ask_for_reprint(context, id_)
    return redirect_to("console.list_scanned_cards", done="reprint-asked")
