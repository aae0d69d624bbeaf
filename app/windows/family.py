"""Families at a window: the person consents to an invitation there, or brings a child for whom the clerk vouches."""

from collections.abc import Sequence
from datetime import date

from app.citizens.documents import birth_date
from app.core.errors import bad_field
from app.families import window
from app.families.invitations import Invitation
from app.runtime import Services
from app.staff.context import begin_officer
from app.staff.models import Officer
from app.windows import lookups
from app.windows.lookups import Document
from app.windows.visits import find_visit


def list_invitations(services: Services, officer: Officer, visit_id: int) -> Sequence[Invitation]:
    """List the invitations that wait for the person at the window. Raises Problem `visit-over`."""
    with begin_officer(services, officer) as context:
        visit = find_visit(context, visit_id)
        return window.list_at_window(context, visit.serial)


def accept(services: Services, officer: Officer, visit_id: int, invitation: str, *, may_declare: bool) -> None:
    """Accept an invitation for the person at the window, who has said so. Raises Problem."""
    with begin_officer(services, officer) as context:
        visit = find_visit(context, visit_id)
        window.accept_at_window(visit.clerk.context, visit.serial, invitation, may_declare=may_declare)


def add_child(services: Services, officer: Officer, visit_id: int, child: Document, born_on: date | None) -> None:
    """Tie a registered child to the guardian at the window; both are present, and the clerk has seen the proof.

    Finding the child is a look-up as every other. `born_on` is for documents whose number does not say it. Raises
    Problem with every bad field, `visit-over`, or as `lookups.look_up` and `window.add_child_at_window` do.
    """
    normal = child.normalized(services.clock.now())
    born_on = birth_date(normal.kind, normal.number) or born_on
    if born_on is None:
        raise bad_field("/born_on", "required")
    with begin_officer(services, officer) as context:
        find_visit(context, visit_id)
    child_visit = lookups.look_up(services, officer, normal)
    with begin_officer(services, officer) as context:
        guardian, found = find_visit(context, visit_id), find_visit(context, child_visit)
        window.add_child_at_window(guardian.clerk.context, guardian.serial, found.serial, born_on)
