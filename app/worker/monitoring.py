"""Regular checks: the length of the queues and the audit chain."""

from typing import Final

import structlog

from app.audit import monitoring
from app.codes.row_digests import monitoring as row_monitoring
from app.core.metrics import JOBS_WAITING
from app.core.queue import count_waiting
from app.runtime import Services

log = structlog.get_logger()

MAX_COUNTED: Final = 100_000  # waiting jobs; an alarm rings long before


def measure_queue(services: Services) -> None:
    """Count the waiting jobs of each queue, for the metrics."""
    with services.sessions() as session:
        for queue, number in count_waiting(session, MAX_COUNTED).items():
            JOBS_WAITING.labels(queue).set(number)


def verify_audit(services: Services) -> None:
    """Verify the next part of the audit chain, and the rows of the next codes."""
    found = monitoring.verify_next(services).number
    if found:
        log.error("audit-chain-discrepancy", found=found)
    found = row_monitoring.verify_next(services).number
    if found:
        log.error("audit-row-discrepancy", found=found)
