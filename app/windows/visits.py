"""A visit: the person for whom a clerk acts, from the look-up until some minutes later, or until the clerk ends it."""

from typing import NamedTuple

from app.core.errors import Problem
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer
from app.windows.clerks import Clerk, require_clerk
from app.windows.models import WindowLookup


class Visit(NamedTuple):
    """A visit that has not ended: the clerk, and the serial of the person before them."""

    clerk: Clerk
    id: int
    serial: int


def find_visit(context: OfficerContext, visit_id: int) -> Visit:
    """Return a visit of the clerk. Raises Problem `visit-over`, also for one of somebody else."""
    clerk = require_clerk(context)
    row = context.session.get(WindowLookup, visit_id)
    if row is None or row.officer_id != context.me.id or row.serial is None or row.ends_at is None:
        raise Problem("visit-over")
    if row.window_id != clerk.window.id or row.ends_at <= context.now:
        raise Problem("visit-over")
    return Visit(clerk, row.id, row.serial)


def end_visit(services: Services, officer: Officer, visit_id: int) -> None:
    """End a visit; one that is over stays as it is."""
    with begin_officer(services, officer) as context:
        require_clerk(context)
        row = context.session.get(WindowLookup, visit_id, with_for_update=True)
        if row is not None and row.officer_id == context.me.id and row.ends_at is not None:
            row.ends_at = min(row.ends_at, context.now)
