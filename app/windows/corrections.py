"""Correcting the document of the person at a window: the clerk, who has it in hand, proposes; another officer does it.

The visit was opened by the former number, which the person knows. Nothing changes until the second officer has decided.
"""

from dataclasses import replace

from app.citizens import accounts
from app.citizens.lookup import Document as DocumentNumber
from app.codes import ledger
from app.core.errors import FieldError, Problem, bad_field
from app.corrections import requests
from app.corrections.requests import AtWindow, CorrectionReason, Wish
from app.runtime import Services
from app.staff.context import begin_officer
from app.staff.models import Officer
from app.windows import recoveries
from app.windows.lookups import Document
from app.windows.visits import find_visit


def propose(services: Services, officer: Officer, visit_id: int, document: Document, reason: str) -> None:
    """Propose another document for the person at the window. Raises Problem with every bad field.

    Also `visit-over`, `correct-by-registering` for who was never confirmed, and as `requests.propose_at_window` does.
    """
    with begin_officer(services, officer) as context:
        session, visit = context.session, find_visit(context, visit_id)
        own = accounts.get_own_data(session, context.encryption, visit.serial)
        if own is None:
            raise Problem("visit-over")
        normal = replace(document, name=own.name).normalized(context.now)
        new: DocumentNumber = normal.kind, normal.number
        if reason not in set(CorrectionReason):
            raise bad_field("/reason", "not-a-choice")
        if new == (own.document_type, own.document_number):
            raise Problem("invalid-request", fields=(FieldError("/number", "same-document"),))
        if ledger.lock_code(session, visit.serial).confirmed_at is None:
            raise Problem("correct-by-registering")
        recoveries.require_unfrozen(session, visit.serial)
        window = visit.clerk.window
        proposed = AtWindow(Wish(new, reason, window.district), window.id, context.me.id)
        row = requests.propose_at_window(session, context.encryption, visit.serial, proposed, context.now)
        visit.clerk.record_act("document-correction-proposed", visit.serial, correction=row.id)
