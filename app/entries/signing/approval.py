"""Signing an entry, as the console and the command line do: once it was viewed, in a transaction of its own."""

from app.core.errors import Problem
from app.entries import workflow
from app.entries.content import ClearanceReason, RejectionReason
from app.entries.models import Entry
from app.entries.signing.viewed import require_viewed
from app.entries.transitions import Act
from app.runtime import Services
from app.staff.context import OfficerContext, begin_officer
from app.staff.models import Officer, Role

_ALARMING = "too-many-at-once"


def approve(services: Services, officer: Officer, id_: int) -> Entry:
    """Approve an entry. Raises Problem, `view-first` for one not viewed; one of too many people is in the audit."""
    try:
        with begin_officer(services, officer) as context:
            require_viewed(context, id_, Act.APPROVE)
            return workflow.approve(context, id_)
    except Problem as problem:
        if problem.slug == _ALARMING:
            with begin_officer(services, officer) as context:
                _record_refusal(context, id_)
        raise


def reject(services: Services, officer: Officer, id_: int, reason: RejectionReason) -> Entry:
    """Reject an entry of another officer. Raises Problem, `view-first` for one not viewed."""
    with begin_officer(services, officer) as context:
        require_viewed(context, id_, Act.REJECT)
        return workflow.reject(context, id_, reason)


def clear_hold(services: Services, officer: Officer, id_: int, reason: ClearanceReason) -> Entry:
    """Clear the hold of an entry. Raises Problem, `view-first` for one not viewed."""
    with begin_officer(services, officer) as context:
        require_viewed(context, id_, Act.CLEAR_HOLD)
        return workflow.clear_hold(context, id_, reason)


def _record_refusal(context: OfficerContext, id_: int) -> None:
    entry = context.session.get_one(Entry, id_)
    context.acting_as(Role.APPROVER).append_audit("entry-approval-refused", entry=entry.id, people=entry.people)
