"""The auditors' oversight, and the state of the audit's chain.

Oversight refreshes itself, so that an attempt is seen within a minute; a refresh does not extend the session.
"""

from datetime import timedelta
from typing import Any, Final

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from app.api.authorization import AUTO_REFRESH
from app.audit import checkpoints, monitoring
from app.audit.checkpoints import Checkpoint
from app.console.pages import page, views
from app.core.clock import BEIJING
from app.review import oversight
from app.staff.models import Officer
from app.web import current_officer, get_services
from app.windows.clerks import HoldReason

RELOAD_SECONDS: Final = 30
CHECKPOINT_PERIOD = timedelta(days=14)


def load_alerts(session: Session, me: Officer) -> dict[str, Any]:
    """Load what alerts an auditor on their start page."""
    now = get_services().clock.now()
    return {"held": oversight.count_held(session, me), "fault": monitoring.chain_status(session, now).fault}


@views.get("/audit")
def show_oversight() -> Response:
    """Show what needs an auditor now; the page refreshes itself until that is stopped."""
    services, still = get_services(), "still" in request.args
    with services.sessions() as session:
        now = services.clock.now()
        summary = oversight.load_summary(session, current_officer(), now)
        standing = monitoring.chain_status(session, now)
    return page(
        "oversight.html", oversight=summary, standing=standing, still=still, now=now, seconds=RELOAD_SECONDS,
        hold_reasons=list(HoldReason),
    )  # fmt: skip


@views.after_request
def set_refresh_header(response: Response) -> Response:
    """Let the oversight page refresh itself, also after an answer without it."""
    if (
        request.endpoint == "console.show_oversight"
        and response.status_code in (200, 503)
        and "still" not in request.args
    ):
        response.headers["Refresh"] = f"{RELOAD_SECONDS}; url={url_for('console.show_oversight')}?{AUTO_REFRESH}=yes"
    return response


@views.get("/audit/chain")
def show_chain() -> Response:
    """Show the state of the chain, and the signed checkpoints of the last days."""
    services = get_services()
    now = services.clock.now()
    with services.sessions() as session:
        standing = monitoring.chain_status(session, now)
        kept = checkpoints.stored_checkpoints(session, now.astimezone(BEIJING).date() - CHECKPOINT_PERIOD)
    return page(
        "audit-chain.html", standing=standing, now=now, heads=[_verify_checkpoint(head) for head in reversed(kept)]
    )


def _verify_checkpoint(head: Checkpoint) -> tuple[Checkpoint, str | None]:
    return head, get_services().checkpoint_signer.signature_fault(head)
