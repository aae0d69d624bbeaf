"""Codes, urgent entries and appeals whose time has come."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import audit
from app.appeals import appeals
from app.audit import failed_logins
from app.citizens.document_checks import identities
from app.citizens.verification import reevaluate_due
from app.codes import ledger
from app.codes.paper import revocations
from app.core.queue import defer_reevaluations
from app.entries import workflow
from app.rules import Policy
from app.runtime import Services
from app.staff import stopped_logins
from app.staff.context import begin_as

log = structlog.get_logger()

BATCH: Final = 500
LEASE: Final = timedelta(minutes=2)  # a leased code that nobody evaluates in this time is due again

Evaluate = Callable[[Session, Policy, Sequence[int], datetime], Sequence[int]]


def sum_failed_logins(services: Services) -> None:
    """Write the wrong log-ins of the hours that are over into the audit, in one event for each account and hour."""
    stopped_logins.collect(services)
    with services.begin() as session:
        failed_logins.write_sums(session, services.clock.now())


def refresh_revocations(services: Services) -> None:
    """Publish the revocation list of cards on paper anew where it is not that of now."""
    with services.begin() as session:
        revocations.refresh(session, services.paper_tokens, services.clock.now())


def evaluate_due_codes(services: Services) -> None:
    """Evaluate all codes that are due by the clock, batch by batch."""
    while evaluate_due(services) == BATCH:
        pass


def evaluate_due(services: Services) -> int:
    """Evaluate one batch of codes, those due first, in one transaction; return their number.

    Those about which the platform has to be asked get a job each. When one of the codes cannot be evaluated, each gets
    a job, so that it delays nobody else.
    """
    try:
        return _evaluate_leased(services, reevaluate_due)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one of them
        log.error("due-batch-failed", error=type(error).__name__)
        return _evaluate_leased(services, _leave_to_jobs)


def _evaluate_leased(services: Services, evaluate: Evaluate) -> int:
    now = services.clock.now()
    with services.begin() as session:
        serials = ledger.lease_due(session, now, now + LEASE, BATCH)
        if serials:
            asked = evaluate(session, services.policy, serials, now)
            defer_reevaluations(session, asked)
            log.info("due-evaluated", codes=len(serials), asked=len(asked))
    return len(serials)


def _leave_to_jobs(session: Session, policy: Policy, serials: Sequence[int], now: datetime) -> Sequence[int]:
    return serials


def lapse_urgent_entries(services: Services) -> None:
    """Lapse urgent entries that nobody has approved in time, in small transactions."""
    lapsed = 1
    while lapsed:
        with begin_as(services, audit.CLOCK) as context:
            lapsed = workflow.lapse_overdue(context)


def add_identities(services: Services) -> None:
    """Add the keyed hashes of document and name of those who registered before there were any, batch by batch."""
    added = BATCH
    while added == BATCH:
        with services.begin() as session:
            added = identities.add_missing(session, services.encryption, BATCH)


def escalate(services: Services) -> None:
    """Show appeals that nobody has resolved in time to every district, batch by batch."""
    late = BATCH
    while late == BATCH:
        with services.begin() as session:
            late = appeals.escalate_overdue(session, services.clock.now(), BATCH)
        if late:
            log.warning("appeals-escalated", appeals=late)
