"""Periodic tasks: one table of what runs when.

Task names are kept: jobs that an older version deferred may still wait in the queue.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import procrastinate
from procrastinate import JobContext

from app.audit import sealing
from app.runtime import Services
from app.worker import cache, due, monitoring, retention, statistics
from app.worker.retry import BackOff

KEEP_FINISHED_HOURS: Final = 24
RESCUE: Final = "rescue"
EVERY_MINUTE: Final = "* * * * *"


class PeriodicTask(NamedTuple):
    """One row of the table; `cron` may have seconds as its sixth field. Without `retry` the next run has to do."""

    name: str
    cron: str
    run: Callable[[Services], Any]
    retry: BackOff | None = None


SCHEDULE: Final = (
    PeriodicTask("settle-due", "* * * * * */2", due.evaluate_due_codes),
    PeriodicTask("seal-audit", "* * * * * */10", sealing.seal_all),
    PeriodicTask("keep-cache", "* * * * * */10", cache.keep_cache),
    PeriodicTask("measure-queue", EVERY_MINUTE, monitoring.measure_queue),
    PeriodicTask("lapse-urgent", EVERY_MINUTE, due.lapse_urgent_entries, BackOff(max_attempts=5)),
    PeriodicTask("escalate-appeals", EVERY_MINUTE, due.escalate),
    PeriodicTask("roll-up-counts", "* * * * * */2", statistics.roll_up_recent_counts),
    PeriodicTask("fold-counts", "5-59/10 * * * *", statistics.roll_up_counts, BackOff(max_attempts=5)),
    PeriodicTask("count-figures", "8-59/10 * * * *", statistics.count_recent_figures, BackOff(max_attempts=5)),
    PeriodicTask("count-colors", "12 * * * *", statistics.count_colors, BackOff(max_attempts=5)),
    PeriodicTask("forget-callbacks", "30 3 * * *", retention.purge_callbacks, BackOff()),
    PeriodicTask("forget-appeals", "40 3 * * *", retention.purge_appeals, BackOff(max_attempts=5)),
    PeriodicTask("fold-all-counts", "50 3 * * *", statistics.roll_up_all_counts, BackOff(max_attempts=5)),
    PeriodicTask("verify-audit", "10 4 * * *", monitoring.verify_audit, BackOff(max_attempts=5)),
    PeriodicTask("count-figures-again", "20 4 * * *", statistics.recount_figures, BackOff(max_attempts=5)),
)


def register(app: procrastinate.App, services: Services) -> None:
    """Add the periodic tasks to the app of a worker; one that still waits is not deferred again."""
    for task in SCHEDULE:
        _add(app, task, _bound(task.run, services))
    _add_rescue(app)


def _add(app: procrastinate.App, task: PeriodicTask, run: Callable[[int], None]) -> None:
    added = app.task(name=task.name, queueing_lock=task.name, retry=task.retry or False)(run)
    app.periodic(cron=task.cron)(added)


def _bound(work: Callable[[Services], object], services: Services) -> Callable[[int], None]:
    """Return the function that procrastinate calls, with the time for which the task was deferred."""

    def run(timestamp: int) -> None:
        work(services)

    return run


def _add_rescue(app: procrastinate.App) -> None:
    """Add the task that works on the queue itself."""

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name=RESCUE, queueing_lock=RESCUE, pass_context=True)
    async def rescue(context: JobContext, timestamp: int) -> None:
        """Give jobs whose worker died to another one, and delete finished jobs."""
        manager = app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=60):
            await manager.retry_job(job)
        await manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS, include_failed=True)
