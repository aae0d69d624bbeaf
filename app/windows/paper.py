"""The card on paper of the person at a window: issued and printed there, or ended."""

from app.citizens.paper import holders, pdf
from app.runtime import Services
from app.staff.context import begin_officer
from app.staff.models import Officer
from app.windows.visits import find_visit


def print_card(services: Services, officer: Officer, visit_id: int) -> bytes:
    """Issue a card to the person at the window, and return its PDF; an earlier card is dead.

    Raises Problem `visit-over`, `paper-font-missing`, `not-declared` or `identity-unconfirmed`.
    """
    font_file = services.settings.paper.font_file
    pdf.require_font(font_file)
    with begin_officer(services, officer) as context:
        visit = find_visit(context, visit_id)
        place, actor = visit.clerk.window.name, visit.clerk.context.actor
        card = holders.issue(services, context.session, visit.serial, place, actor=actor)
        return pdf.render(holders.printed(services, context.session, card), font_file)


def report_lost(services: Services, officer: Officer, visit_id: int) -> None:
    """End the card of the person at the window. Raises Problem `visit-over` or `no-paper-card`."""
    with begin_officer(services, officer) as context:
        visit = find_visit(context, visit_id)
        holders.report_lost(context.session, visit.serial, actor=visit.clerk.context.actor, now=context.now)
