"""Cards on paper for people who come in person: an officer issues one by the document before them, or ends it.

And what an auditor does about one that was scanned very often.
"""

from typing import NamedTuple

from app.citizens.documents import DocumentType, normalize, parse_document_type
from app.citizens.lookup import find_serial
from app.citizens.paper import holders, pdf
from app.codes.paper import cards
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer, Role

COMMAND_LINE = "command line"  # where a card was issued


class ShownDocument(NamedTuple):
    """The document of the person, as typed from it: its kind by name, and its number."""

    kind: str
    number: str


def print_card(services: Services, officer: Officer, document: ShownDocument) -> bytes:
    """Issue a card to the person with this document, and return its PDF; an earlier card is dead.

    Raises Problem, `identity-unconfirmed` also for a document that nobody has registered.
    """
    kind, number = _normalized(services, document)
    with begin_officer(services, officer) as context:
        context, serial = _find(context, kind, number)
        card = holders.issue(services, context.session, serial, COMMAND_LINE, actor=context.actor)
        printed = holders.printed(services, context.session, card)
        return pdf.render(printed, services.settings.paper.font_file)  # no font: the old card lives on


def report_lost(services: Services, officer: Officer, document: ShownDocument) -> None:
    """End the card of the person with this document. Raises Problem."""
    kind, number = _normalized(services, document)
    with begin_officer(services, officer) as context:
        context, serial = _find(context, kind, number)
        holders.report_lost(context.session, serial, actor=context.actor, now=context.now)


def ask_for_reprint(context: OfficerContext, card_id: int) -> None:
    """Ask for another print of a card that was scanned very often; a second time changes nothing.

    Raises Problem `card-not-found`, also for an auditor of a district: a card has no place.
    """
    context = context.acting_as(Role.AUDITOR)
    card = cards.lock_live(context.session, card_id, context.now) if context.me.district is None else None
    if card is None:
        raise Problem("card-not-found")
    if card.reprint_asked_at is None:
        card.reprint_asked_at = context.now
        context.append_audit("paper-reprint-asked", serial=card.serial, card=card.id)


def _normalized(services: Services, document: ShownDocument) -> tuple[DocumentType, str]:
    kind = parse_document_type(document.kind)
    return kind, normalize(kind, document.number, services.clock.now().astimezone(BEIJING).date())


def _find(context: OfficerContext, kind: DocumentType, number: str) -> tuple[OfficerContext, int]:
    context = context.acting_as(Role.RECORDER)
    serial = find_serial(context.session, context.encryption, kind, number)
    if serial is None:
        raise Problem("identity-unconfirmed")
    return context, serial
