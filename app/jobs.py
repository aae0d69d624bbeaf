"""The worker's tasks: what leaves with a commit, and what the clock brings. Each can be run again without harm.

The tasks call verbs and hold no rules of their own. `queue.py` is where verbs put them.
"""

import random
from datetime import timedelta

import procrastinate
import structlog
from procrastinate import JobContext
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from app.citizens.verification import look_again
from app.codes import ledger
from app.queue import DELIVER_NOTICES, LOOK_AGAIN, REFRESH_CACHE, defer
from app.services import Services
from app.wechat import notices

log = structlog.get_logger()

BATCH = 500
CLAIM = timedelta(minutes=2)  # a claimed code that nobody settles in this time is looked at again
KEEP_FINISHED_HOURS = 24


class BackOff(BaseRetryStrategy):
    """Try again after 1, 2, 4 … seconds, a minute at most, each with a random part so that no crowd forms."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        log.warning("job-failed", task=job.task_name, error=type(exception).__name__, attempts=job.attempts)
        wait = min(60, 2 ** min(job.attempts, 10))
        return RetryDecision(retry_in={"seconds": max(1, round(wait * random.uniform(0.5, 1.0)))})


def make_worker_app(services: Services) -> procrastinate.App:
    """The queue with every task, for a worker process."""
    url = services.settings.database.url.replace("postgresql+psycopg://", "postgresql://")
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name=REFRESH_CACHE, retry=BackOff())
    def refresh_cache(serial: int) -> None:
        """Repair the cache, in case the process that committed could not write it."""
        if not services.refresh_cache([serial]):
            raise ConnectionError("the cache is out of reach")

    @app.task(name=DELIVER_NOTICES, retry=BackOff())
    def deliver_notices(serial: int) -> None:
        notices.deliver(services, serial)

    @app.task(name=LOOK_AGAIN, retry=BackOff())
    def look(serial: int) -> None:
        """Settle what is due for one code."""
        look_again(services, serial)

    @app.periodic(cron="* * * * * */2")
    @app.task(name="settle-due", queueing_lock="settle-due")
    def settle_due(timestamp: int) -> None:
        """Find the codes that are due by the clock and give each to a job."""
        while claim_due(services) == BATCH:
            pass

    @app.periodic(cron="* * * * *")
    @app.task(name="rescue", queueing_lock="rescue", pass_context=True)
    async def rescue(context: JobContext, timestamp: int) -> None:
        """Give jobs whose worker died to another one, and forget finished jobs."""
        manager = app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=60):
            await manager.retry_job(job)
        await manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS)

    return app


def run_worker(services: Services, concurrency: int) -> None:
    """Work on jobs until a signal ends it; jobs in hand are finished first."""
    app = make_worker_app(services)
    with app.open():
        app.run_worker(concurrency=concurrency, fetch_job_polling_interval=1.0, shutdown_graceful_timeout=10)


def claim_due(services: Services) -> int:
    """Put one job for each code that is due, in one transaction; returns how many there were."""
    now = services.clock.now()
    with services.begin() as session:
        serials = ledger.claim_due(session, now, now + CLAIM, BATCH)
        for serial in serials:
            defer(session, LOOK_AGAIN, serial=serial)
    if serials:
        log.info("due", codes=len(serials))
    return len(serials)
