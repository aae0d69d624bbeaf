"""Jobs that nobody runs any more: their worker died, was cut off, or could not record how they ended.

A job is queued again, at least once as always. One that the clock defers anyway is ended instead: its next run waits
already, or comes soon, and two waiting ones would break its queueing lock.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import procrastinate
import structlog
from procrastinate import JobContext, utils
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.worker import Worker

log = structlog.get_logger()

SILENT_SECONDS: Final = 30  # since the last heartbeat of a worker that is taken for dead: three are missing
CHECK_SECONDS: Final = 15  # between two looks at the jobs of this process

_KNOWN: Final = "select count(*) as known from procrastinate_workers where id = any(%(workers)s)"
_TAKEN: Final = """
    select id, task_name from procrastinate_jobs where status = 'doing' and worker_id = any(%(workers)s)
"""


class WorkerForgotten(Exception):
    """The database has removed one of our workers, which was silent for too long; its jobs belong to others."""


async def rescue(app: procrastinate.App) -> None:
    """Hand over the jobs of every worker that is gone."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_SECONDS):
        assert job.id is not None
        await hand_over(app, job.id, job.task_name)


async def hand_over(app: procrastinate.App, job: int, task: str) -> None:
    """Queue a job again, or end it when the clock repeats it. What goes wrong with it is logged: it stops no other."""
    periodic = {name for name, _ in app.periodic_registry.periodic_tasks}
    try:
        if task in periodic:
            await app.job_manager.finish_job_by_id_async(job, Status.ABORTED, delete_job=False)
        else:
            await app.job_manager.retry_job_by_id_async(job, utils.utcnow())
    except ConnectorException as error:
        log.warning("job-not-rescued", job=job, task=task, error=type(error.__cause__ or error).__name__)
    else:
        log.info("job-rescued", job=job, task=task, outcome="ended" if task in periodic else "queued")


class OwnJobs:
    """The jobs that this process runs, compared with those that the database believes it runs."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._suspects: set[int] = set()

    async def track(self, work: Callable[[], Awaitable[Any]], context: JobContext, worker: Any) -> Any:
        """Run a job, as middleware of a worker."""
        job = context.job.id
        assert job is not None
        self._running.add(job)
        try:
            return await work()
        finally:
            self._running.discard(job)

    async def watch(self, app: procrastinate.App, workers: Sequence[Worker]) -> None:
        """Check these workers for ever. Raises WorkerForgotten, ConnectorException."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            await self.check(app, [worker.worker_id for worker in workers if worker.worker_id is not None])

    async def check(self, app: procrastinate.App, workers: Sequence[int]) -> None:
        """Hand over jobs that were twice found here and not running; the first time they may just be ending."""
        found = await app.connector.execute_query_one_async(_KNOWN, workers=list(workers))
        if found["known"] < len(workers):
            raise WorkerForgotten
        taken = await app.connector.execute_query_all_async(_TAKEN, workers=list(workers))
        idle = {row["id"]: row["task_name"] for row in taken if row["id"] not in self._running}
        for job in self._suspects & idle.keys():
            await hand_over(app, job, idle[job])
        self._suspects = set(idle) - self._suspects
