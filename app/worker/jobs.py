"""The worker's tasks: what leaves with a commit, and what the clock brings. Each can be run again without harm.

The tasks call verbs and hold no rules of their own. `queue.py` is where verbs put them.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import procrastinate
import structlog
from procrastinate import JobContext, signals
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import audit
from app.appeals import appeals, retention
from app.audit import monitoring, sealing
from app.citizens.verification import reevaluate, reevaluate_due
from app.codes import ledger
from app.core.metrics import JOBS, JOBS_WAITING
from app.core.queue import (
    DEFAULT_QUEUE,
    DELIVER_MANY,
    DELIVER_NOTICES,
    HANDLE_CALLBACK,
    NOTICE_QUEUE,
    REEVALUATE,
    REFRESH_CACHE,
    REFRESH_MANY,
    count_waiting,
    defer_reevaluations,
)
from app.entries import workflow
from app.notifications import notices, subscriptions
from app.rules import Policy
from app.runtime import Services
from app.staff.context import begin_as
from app.stations import counts, rollup
from app.statistics import counting
from app.wechat.callbacks import capture, receipts
from app.worker import callback_effects

log = structlog.get_logger()

BATCH = 500
MOST_COUNTED = 100_000  # waiting jobs: what is beyond, an alarm has long rung for
LEASE = timedelta(minutes=2)  # a claimed code that nobody settles in this time is looked at again
KEEP_FINISHED_HOURS = 24
NOTICE_CONCURRENCY = 8  # at a time in one process; each has up to `queue.MANY` messages under way


class BackOff(BaseRetryStrategy):
    """Try again after 1, 2, 4 … seconds, a minute at most, each with a random part so that no crowd forms.

    `most` ends it: for jobs that the clock puts again by itself.
    """

    def __init__(self, max_attempts: int | None = None) -> None:
        self._most = max_attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        log.warning("job-failed", task=job.task_name, error=type(exception).__name__, attempts=job.attempts)
        if self._most is not None and job.attempts >= self._most:
            return None
        wait = min(60, 2 ** min(job.attempts, 10))
        return RetryDecision(retry_in={"seconds": max(1, round(wait * random.uniform(0.5, 1.0)))})


def measure(work: Callable[[], Any], context: JobContext, worker: Any) -> Any:
    """Run a job and measure how long it took, and whether it failed."""
    start, outcome = time.perf_counter(), "failed"
    try:
        result = work()
        outcome = "succeeded"
        return result
    finally:
        JOBS.labels(context.job.task_name, outcome).observe(time.perf_counter() - start)


def make_worker_app(services: Services) -> procrastinate.App:
    """The queue with every task, for a worker process."""
    url = services.settings.database.url.replace("postgresql+psycopg://", "postgresql://")
    connector = procrastinate.PsycopgConnector(conninfo=url)
    app = procrastinate.App(connector=connector, worker_defaults={"task_middleware": [measure]})

    @app.task(name=REFRESH_CACHE, retry=BackOff())
    def refresh_cache(serial: int) -> None:
        """Repair the cache, in case the process that committed could not write it."""
        if not services.refresh_cache([serial]):
            raise ConnectionError("the cache is out of reach")

    @app.task(name=REFRESH_MANY, retry=BackOff())
    def refresh_many(serials: list[int]) -> None:
        """Repair the cache after a mass change."""
        if not services.refresh_cache(serials):
            raise ConnectionError("the cache is out of reach")

    @app.task(name=DELIVER_NOTICES, retry=BackOff())
    def deliver_notices(serial: int) -> None:
        """Tell one citizen what has changed."""
        notices.deliver(services, [serial])

    @app.task(name=DELIVER_MANY, retry=BackOff())
    def deliver_many_notices(serials: list[int]) -> None:
        """Tell some of those whom a mass change concerns."""
        notices.deliver(services, serials)

    @app.task(name=REEVALUATE, retry=BackOff(max_attempts=5))
    def look(serial: int) -> None:
        """Settle what is due for one code."""
        reevaluate(services, serial)

    @app.task(name=HANDLE_CALLBACK, retry=BackOff(), pass_context=True)
    def handle_callback(context: JobContext, receipt: int) -> None:
        """Do what one callback of WeChat asks for."""
        callback_effects.apply_callback(services, receipt, context.job.attempts)

    @app.periodic(cron="* * * * * */2")
    @app.task(name="settle-due", queueing_lock="settle-due")
    def settle_due(timestamp: int) -> None:
        """Settle the codes that are due by the clock, batch by batch."""
        while evaluate_due(services) == BATCH:
            pass

    @app.periodic(cron="* * * * * */10")
    @app.task(name="seal-audit", queueing_lock="seal-audit")
    def seal_audit(timestamp: int) -> None:
        """Link what was entered since into the chain of the audit."""
        sealing.seal_all(services)

    @app.periodic(cron="* * * * *")
    @app.task(name="measure-queue", queueing_lock="measure-queue")
    def measure_queue(timestamp: int) -> None:
        """Count the jobs that wait, for the metrics."""
        with services.sessions() as session:
            for lane, number in count_waiting(session, MOST_COUNTED).items():
                JOBS_WAITING.labels(lane).set(number)

    @app.periodic(cron="10 4 * * *")
    @app.task(name="verify-audit", queueing_lock="verify-audit", retry=BackOff(max_attempts=5))
    def verify_audit(timestamp: int) -> None:
        """Verify the next part of the chain of the audit."""
        found = monitoring.verify_next(services).number
        if found:
            log.error("audit-chain-discrepancy", found=found)

    @app.periodic(cron="* * * * *")
    @app.task(name="rescue", queueing_lock="rescue", pass_context=True)
    async def rescue(context: JobContext, timestamp: int) -> None:
        """Give jobs whose worker died to another one, and forget finished jobs."""
        manager = app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=60):
            await manager.retry_job(job)
        await manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS, include_failed=True)

    @app.periodic(cron="30 3 * * *")
    @app.task(name="forget-callbacks", queueing_lock="forget-callbacks", retry=BackOff())
    def forget(timestamp: int) -> None:
        """Forget what is kept of WeChat's callbacks for some days only."""
        purge_callbacks(services)

    @app.periodic(cron="* * * * *")
    @app.task(name="lapse-urgent", queueing_lock="lapse-urgent", retry=BackOff(max_attempts=5))
    def lapse_urgent(timestamp: int) -> None:
        """Lapse urgent entries that nobody has approved in time."""
        lapsed = 1
        while lapsed:
            with begin_as(services, audit.CLOCK) as context:
                lapsed = workflow.lapse_overdue(context)

    @app.periodic(cron="5-59/10 * * * *")
    @app.task(name="fold-counts", queueing_lock="fold-counts", retry=BackOff(max_attempts=5))
    def fold_counts(timestamp: int) -> None:
        """Write down what stations counted in this hour and the last."""
        rollup.roll_up(services, rollup.last_hours(services.clock.now(), 2))

    @app.periodic(cron="50 3 * * *")
    @app.task(name="fold-all-counts", queueing_lock="fold-all-counts", retry=BackOff(max_attempts=5))
    def fold_all_counts(timestamp: int) -> None:
        """Write down what came late, from stations that had no network, and what a stopped worker missed."""
        rollup.roll_up(services, rollup.last_hours(services.clock.now(), counts.RETENTION_HOURS))

    @app.periodic(cron="8-59/10 * * * *")
    @app.task(name="count-figures", queueing_lock="count-figures", retry=BackOff(max_attempts=5))
    def count_lately(timestamp: int) -> None:
        """Count what officers look at, for the hours that still change."""
        count_figures(services, counting.RECOUNTED_HOURS)

    @app.periodic(cron="12 * * * *")
    @app.task(name="count-colors", queueing_lock="count-colors", retry=BackOff(max_attempts=5))
    def count_all_colors(timestamp: int) -> None:
        """Count how many codes are in which state."""
        count_colors(services)

    @app.periodic(cron="20 4 * * *")
    @app.task(name="count-figures-again", queueing_lock="count-figures-again", retry=BackOff(max_attempts=5))
    def count_again(timestamp: int) -> None:
        """Count three days anew, for what came late or a stopped worker missed, and forget what is old."""
        count_figures(services, dict.fromkeys(counting.RECOUNTED_HOURS, counts.RETENTION_HOURS))
        with services.begin() as session:
            counting.delete_expired(session, services.clock.now())

    @app.periodic(cron="* * * * *")
    @app.task(name="escalate-appeals", queueing_lock="escalate-appeals")
    def escalate_appeals(timestamp: int) -> None:
        """Show appeals that nobody has settled in time to every district."""
        escalate(services)

    @app.periodic(cron="40 3 * * *")
    @app.task(name="forget-appeals", queueing_lock="forget-appeals", retry=BackOff(max_attempts=5))
    def forget_words(timestamp: int) -> None:
        """Forget what belongs to appeals that were settled long ago."""
        purge_appeals(services)

    return app


def run_worker(services: Services, concurrency: int) -> None:
    """Work on jobs until a signal ends it; jobs in hand are finished first.

    `concurrency` is the number of jobs at a time, besides those that send notices.
    """
    asyncio.run(_work(make_worker_app(services), {DEFAULT_QUEUE: concurrency, NOTICE_QUEUE: NOTICE_CONCURRENCY}))


async def _work(app: procrastinate.App, lanes: Mapping[str, int]) -> None:
    """Work in every lane, with a thread for each of its jobs; a lane that breaks down ends them all."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(sum(lanes.values())))
    async with app.open_async():
        working = [asyncio.create_task(_work_in(app, lane, jobs)) for lane, jobs in lanes.items()]
        with signals.on_stop(lambda: _stop(working)):
            await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            _stop(working)
            ends = await asyncio.gather(*working, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _work_in(app: procrastinate.App, lane: str, jobs: int) -> None:
    await app.run_worker_async(
        queues=[lane],
        name=lane,
        concurrency=jobs,
        fetch_job_polling_interval=1.0,
        shutdown_graceful_timeout=10,
        install_signal_handlers=False,
    )


def _stop(working: list[asyncio.Task[None]]) -> None:
    """Let each lane finish the jobs that it has in hand; asked twice, it would drop them."""
    for lane in working:
        if not lane.cancelling():
            lane.cancel()


def purge_callbacks(services: Services) -> None:
    """Delete receipts, accepts and captures that are past their days, in small transactions."""
    settings, now = services.settings.wechat.callbacks, services.clock.now()
    kept_from = now - timedelta(days=settings.retention_days)
    for purge in (receipts.purge, subscriptions.purge):
        gone = BATCH
        while gone == BATCH:
            with services.begin() as session:
                gone = purge(session, kept_from, BATCH)
    with services.begin() as session:
        capture.purge(session, now - timedelta(days=settings.capture_retention_days))


def escalate(services: Services) -> None:
    """Escalate the appeals that are late, batch by batch, and say how many they are."""
    late = BATCH
    while late == BATCH:
        with services.begin() as session:
            late = appeals.escalate_overdue(session, services.clock.now(), BATCH)
        if late:
            log.warning("appeals-escalated", appeals=late)


def count_figures(services: Services, hours: Mapping[str, int]) -> None:
    """Count each of these figures for so many hours back, each hour in a transaction of its own."""
    with services.begin() as session:
        counting.summarize_indexes(session)
    for figure, number in hours.items():
        for hour in rollup.last_hours(services.clock.now(), number):
            with services.begin() as session:
                counting.count_hour(session, figure, hour, services.clock.now())


def count_colors(services: Services) -> None:
    """Count the codes by state, all as of one moment."""
    with services.begin() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        counting.count_colors(session, services.clock.now())


def purge_appeals(services: Services) -> None:
    """Forget the words and attachments of appeals that are past their days, in small transactions."""
    gone = BATCH
    while gone == BATCH:
        with services.begin() as session:
            gone = retention.delete_expired(session, services.clock.now(), BATCH)


def evaluate_due(services: Services) -> int:
    """Settle the codes that are due first, in one transaction; returns how many there were.

    Those about whom the platform is to be asked get a job each. If one of the codes cannot be settled, all of them do,
    so that it holds up nobody but itself.
    """
    try:
        return _evaluate_leased(services, reevaluate_due)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever ails one of them
        log.error("due-batch-failed", error=type(error).__name__)
        return _evaluate_leased(services, _leave_to_jobs)


def _evaluate_leased(
    services: Services, settle: Callable[[Session, Policy, Sequence[int], datetime], Sequence[int]]
) -> int:
    now = services.clock.now()
    with services.begin() as session:
        serials = ledger.lease_due(session, now, now + LEASE, BATCH)
        if serials:
            asked = settle(session, services.policy, serials, now)
            defer_reevaluations(session, asked)
            log.info("due-evaluated", codes=len(serials), asked=len(asked))
    return len(serials)


def _leave_to_jobs(session: Session, policy: Policy, serials: Sequence[int], now: datetime) -> Sequence[int]:
    return serials
