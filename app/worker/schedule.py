"""Periodic tasks: one table of what runs when.

What fails is not tried again, for its next run comes by itself. So a task that is done once a day has a run every hour;
after the one that succeeds the others do nothing. Task names are kept: jobs that an older version deferred may still
wait in the queue.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import procrastinate
from procrastinate import JobContext

from app.audit import sealing
from app.citizens.document_checks import trail
from app.core import queue
from app.devices import heard
from app.follow_ups import keeping
from app.notifications.official import following
from app.notifications.sms import reports
from app.partners import counts as partner_counts
from app.runtime import Services
from app.staff import trust_lists
from app.stations import alerts
from app.visits import alarms
from app.worker import cache, due, families, monitoring, retention, stalled, statistics

KEEP_FINISHED_HOURS: Final = 24
HOUR: Final = 3600  # seconds
DAY: Final = 24 * HOUR
RESCUE: Final = "rescue"
RESCUE_CRON: Final = "* * * * * */15"
EVERY_MINUTE: Final = "* * * * *"


class PeriodicTask(NamedTuple):
    """One row of the table; `cron` is in UTC and may have seconds as its sixth field.

    With `once_in`, in seconds, it is done once in each hour or day of UTC: by the first of its runs that succeeds.
    """

    name: str
    cron: str
    run: Callable[[Services], Any]
    once_in: int | None = None


SCHEDULE: Final = (
    PeriodicTask("settle-due", "* * * * * */2", due.evaluate_due_codes),
    PeriodicTask("seal-audit", "* * * * * */10", sealing.seal_all),
    PeriodicTask("keep-cache", "* * * * * */10", cache.keep_cache),
    PeriodicTask("measure-queue", EVERY_MINUTE, monitoring.measure_queue),
    PeriodicTask("measure-devices", EVERY_MINUTE, heard.measure_silence),
    PeriodicTask("lapse-urgent", EVERY_MINUTE, due.lapse_urgent_entries),
    PeriodicTask("end-families", EVERY_MINUTE, families.end_families),
    PeriodicTask("sum-failed-logins", EVERY_MINUTE, due.sum_failed_logins),
    PeriodicTask("refresh-revocations", EVERY_MINUTE, due.refresh_revocations),
    PeriodicTask("audit-partners", EVERY_MINUTE, partner_counts.append_to_audit),
    PeriodicTask("fetch-trust-list", EVERY_MINUTE, trust_lists.keep_fetched),
    PeriodicTask("escalate-appeals", EVERY_MINUTE, due.escalate),
    PeriodicTask("keep-follow-ups", "* * * * * */10", keeping.keep),
    PeriodicTask("store-check-alerts", "* * * * * */2", alerts.store_waiting),
    PeriodicTask("store-document-checks", "* * * * * */2", trail.store_waiting),
    PeriodicTask("pull-sms-reports", EVERY_MINUTE, reports.pull),
    PeriodicTask("add-identities", EVERY_MINUTE, due.add_identities),
    PeriodicTask("roll-up-counts", "* * * * * */2", statistics.roll_up_recent_counts),
    PeriodicTask("watch-venue-codes", EVERY_MINUTE, alarms.watch),
    PeriodicTask("fold-counts", "5-59/10 * * * *", statistics.roll_up_counts),
    PeriodicTask("count-figures", "8-59/10 * * * *", statistics.count_recent_figures),
    PeriodicTask("count-colors", "12-59/10 * * * *", statistics.count_colors, once_in=HOUR),
    PeriodicTask("forget-callbacks", "30 3-23 * * *", retention.purge_callbacks, once_in=DAY),
    PeriodicTask("forget-appeals", "40 3-23 * * *", retention.purge_appeals, once_in=DAY),
    PeriodicTask("purge-personal-data", "45 3-23 * * *", retention.purge_personal_data, once_in=DAY),
    PeriodicTask("fold-all-counts", "50 3-23 * * *", statistics.roll_up_all_counts, once_in=DAY),
    PeriodicTask("end-void-families", "55 3-23 * * *", families.end_void_families, once_in=DAY),
    PeriodicTask("read-followers", "0 4-23 * * *", following.read_all, once_in=DAY),
    PeriodicTask("verify-audit", "10 4-23 * * *", monitoring.verify_audit, once_in=DAY),
    PeriodicTask("count-figures-again", "20 4-23 * * *", statistics.recount_figures, once_in=DAY),
)


def register(app: procrastinate.App, services: Services) -> None:
    """Add the periodic tasks to the app of a worker; one that still waits is not deferred again."""
    for task in SCHEDULE:
        added = app.task(name=task.name, queueing_lock=task.name)(_bound(task, services))
        app.periodic(cron=task.cron)(added)
    add_rescue(app)


def _bound(task: PeriodicTask, services: Services) -> Callable[[int], None]:
    """Return the function that procrastinate calls, with the time for which the task was deferred."""

    def run(timestamp: int) -> None:
        if task.once_in is None or not _has_succeeded(services, task.name, timestamp, task.once_in):
            task.run(services)

    return run


def _has_succeeded(services: Services, task: str, timestamp: int, period: int) -> bool:
    """Return whether an earlier run in the same period was successful."""
    with services.sessions() as session:
        return queue.has_succeeded(session, task, timestamp - timestamp % period, timestamp)


def add_rescue(app: procrastinate.App) -> None:
    """Add the task that works on the queue itself."""

    @app.periodic(cron=RESCUE_CRON)
    @app.task(name=RESCUE, queueing_lock=RESCUE, pass_context=True)
    async def rescue(context: JobContext, timestamp: int) -> None:
        """Hand over jobs whose worker died, and delete finished jobs."""
        await stalled.rescue(app)
        await app.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS, include_failed=True, include_aborted=True)
