"""The worker process: a queue with every task, and as many threads as jobs may run at a time.

Queued tasks are in `tasks.py`, periodic ones in `schedule.py`. Every task can be run again without harm.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import procrastinate
import structlog
from procrastinate import JobContext, signals
from procrastinate.exceptions import ConnectorException

from app.core.metrics import JOBS
from app.core.queue import DEFAULT_QUEUE, NOTICE_QUEUE
from app.runtime import Services
from app.worker import schedule, tasks

log = structlog.get_logger()

_PAUSE_SECONDS: Final = 1
NOTICE_CONCURRENCY: Final = 8  # jobs at a time in one process; each sends up to `queue.MANY` messages


def make_worker_app(services: Services) -> procrastinate.App:
    """Return the queue with every task, for a worker process."""
    url = services.settings.database.url.replace("postgresql+psycopg://", "postgresql://")
    connector = procrastinate.PsycopgConnector(conninfo=url)
    app = procrastinate.App(connector=connector, worker_defaults={"task_middleware": [measure]})
    tasks.register(app, services)
    schedule.register(app, services)
    return app


def measure(work: Callable[[], Any], context: JobContext, worker: Any) -> Any:
    """Run a job and record its duration, and whether it failed."""
    start, outcome = time.perf_counter(), "failed"
    try:
        result = work()
        outcome = "succeeded"
        return result
    finally:
        JOBS.labels(context.job.task_name, outcome).observe(time.perf_counter() - start)


def run_worker(services: Services, concurrency: int) -> None:
    """Run jobs until a signal ends it; running jobs are finished first.

    `concurrency` is the number of jobs at a time, besides those that send notices. A queue ends when it loses the
    database for a moment, as in a restart or a promotion; then all begin anew.
    """
    queues = {DEFAULT_QUEUE: concurrency, NOTICE_QUEUE: NOTICE_CONCURRENCY}
    services.lease.start()
    try:
        while not asyncio.run(_run(make_worker_app(services), queues)):
            log.warning("worker-restarted")
            time.sleep(_PAUSE_SECONDS)
    finally:
        services.lease.stop()


async def _run(app: procrastinate.App, queues: Mapping[str, int]) -> bool:
    """Work on every queue, with a thread for each of its jobs; one queue that breaks down ends them all.

    Return whether a signal ended it.
    """
    stopped = asyncio.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(sum(queues.values())))
    async with app.open_async():
        running = [asyncio.create_task(_run_queue(app, queue, jobs)) for queue, jobs in queues.items()]
        with signals.on_stop(lambda: _stop(running, stopped)):
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            _stop(running)
            ends = await asyncio.gather(*running, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception) and not isinstance(end, ConnectorException):
            raise end
    return stopped.is_set()


async def _run_queue(app: procrastinate.App, queue: str, jobs: int) -> None:
    await app.run_worker_async(
        queues=[queue],
        name=queue,
        concurrency=jobs,
        fetch_job_polling_interval=1.0,
        shutdown_graceful_timeout=10,
        install_signal_handlers=False,
    )


def _stop(running: list[asyncio.Task[None]], stopped: asyncio.Event | None = None) -> None:
    """Let each queue finish its running jobs; cancelled twice, it would drop them. `stopped` is set for a signal."""
    if stopped is not None:
        stopped.set()
    for task in running:
        if not task.cancelling():
            task.cancel()
