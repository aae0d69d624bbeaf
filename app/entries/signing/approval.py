"""Approving an entry, as the console and the command line do: what an alarm refuses stays in the audit."""

from app.core.errors import Problem
from app.entries import workflow
from app.entries.models import Entry
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer, Role

_ALARMING = "too-many-at-once"


def approve(services: Services, officer: Officer, id_: int) -> Entry:
    """Approve an entry in a transaction of its own. Raises Problem; one of too many people at once is in the audit."""
    try:
        with begin_officer(services, officer) as context:
            return workflow.approve(context, id_)
    except Problem as problem:
        if problem.slug == _ALARMING:
            with begin_officer(services, officer) as context:
                _record_refusal(context, id_)
        raise


def _record_refusal(context: OfficerContext, id_: int) -> None:
    entry = context.session.get_one(Entry, id_)
    context.acting_as(Role.APPROVER).append_audit("entry-approval-refused", entry=entry.id, people=entry.people)
