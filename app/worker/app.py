"""The worker process: a queue with every task, and as many threads as jobs may run at a time.

Queued tasks are in `tasks.py`, periodic ones in `schedule.py`. Every task can be run again without harm. The process
ends by a signal alone: when it loses the database, or the database forgets it, it begins anew after a while.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import procrastinate
import psycopg
import structlog
from procrastinate import JobContext, signals
from procrastinate.worker import Worker

from app.core.db import CONNECT_DEFAULTS
from app.core.metrics import JOBS
from app.core.queue import DEFAULT_QUEUE, NOTICE_QUEUE
from app.core.settings.database_url import connect_arguments
from app.runtime import Services
from app.worker import schedule, tasks
from app.worker.pulse import Pulse
from app.worker.stalled import OwnJobs

log = structlog.get_logger()

NOTICE_CONCURRENCY: Final = 8  # jobs at a time in one process; each sends up to `queue.MANY` messages
MAX_WAIT_SECONDS: Final = 8  # before the process begins anew
_LOOK_SECONDS: Final = 1  # between two looks whether the service is ended
_CONNECTIONS: Final = 4  # of the queue's at most, opened when they are needed: each is a process of PostgreSQL's
_POOL_SECONDS: Final = 10  # for a connection of the queue's; longer means that the database is away
# a worker that is paused within a transaction holds locks, such as on its own row, for which every new worker waits
_LIMIT: Final = "set idle_in_transaction_session_timeout = '20s'"


def make_worker_app(services: Services) -> procrastinate.App:
    """Return the queue with every task, for a worker process."""
    database = services.settings.database
    url = database.listen_url or database.url
    connector = procrastinate.PsycopgConnector(
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_POOL_SECONDS,
        kwargs={**CONNECT_DEFAULTS, **connect_arguments(url)},
        configure=_limit,
    )
    app = procrastinate.App(connector=connector, worker_defaults={"task_middleware": [measure]})
    tasks.register(app, services)
    schedule.register(app, services)
    return app


def _make_notice_app(app: procrastinate.App, services: Services) -> procrastinate.App:
    """Return the queue for the second worker of a process: of what the clock repeats it asks for the rescue alone.

    Each worker asks the database for all that its app repeats, which the first has done already. For something it must
    ask: procrastinate watches what a worker does beside its jobs, such as its heartbeat, until one of these comes to an
    end, and the clock of a worker with nothing to repeat ends at once.
    """
    notice_app = procrastinate.App(connector=app.connector)
    tasks.register(notice_app, services)
    schedule.add_rescue(notice_app)
    return notice_app


def _limit(connection: Any) -> Any:
    """Set the limit of a new connection of the queue: at the start, PgBouncer refuses `options` or drops them."""
    if isinstance(connection, psycopg.AsyncConnection):
        return _limit_async(connection)
    connection.execute(_LIMIT)
    return connection.commit()


async def _limit_async(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.execute(_LIMIT)
    await connection.commit()


def measure(work: Callable[[], Any], context: JobContext, worker: Any) -> Any:
    """Run a job, record its duration, and log its failure by kind alone."""
    start, outcome, task = time.perf_counter(), "failed", context.job.task_name
    try:
        result = work()
        outcome = "succeeded"
        return result
    except Exception as error:
        log.warning("job-failed", task=task, error=type(error).__name__, attempts=context.job.attempts)
        raise
    finally:
        JOBS.labels(task, outcome).observe(time.perf_counter() - start)


def run_worker(services: Services, concurrency: int, pulse: Pulse | None = None) -> None:
    """Run jobs until a signal ends it; running jobs are finished first.

    `concurrency` is the number of jobs at a time, besides those that send notices; `pulse` is beaten meanwhile.
    """
    queues = {DEFAULT_QUEUE: concurrency, NOTICE_QUEUE: NOTICE_CONCURRENCY}
    services.lease.start()
    try:
        asyncio.run(_run(services, queues, pulse or Pulse()))
    finally:
        services.lease.stop()


async def _wait(stop: asyncio.Event, services: Services) -> None:
    """Wait for a signal, or for the end of the service."""
    while not stop.is_set() and services.generation.service.ended_at is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK_SECONDS)


async def _run(services: Services, queues: Mapping[str, int], pulse: Pulse) -> None:
    """Work until a signal, and begin anew, each time a little later, whenever the work ends without one.

    After the end of the service there is no work any more.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(sum(queues.values())))
    stop, failures = asyncio.Event(), 0
    with signals.on_stop(stop.set):
        pulse.begin()
        stopped = asyncio.create_task(_wait(stop, services))
        while True:
            begun = time.monotonic()
            work = asyncio.create_task(_work(services, queues))
            await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                work.cancel()
            [end] = await asyncio.gather(work, return_exceptions=True)
            if stopped.done():
                return
            failures = 0 if time.monotonic() - begun > 2 * MAX_WAIT_SECONDS else failures
            wait, failures = min(2**failures, MAX_WAIT_SECONDS), min(failures + 1, 10)
            cause = getattr(end, "__cause__", None) or end
            log.warning("worker-interrupted", error=type(cause).__name__ if cause else None, seconds=wait)
            await asyncio.wait([stopped], timeout=wait)


async def _work(services: Services, queues: Mapping[str, int]) -> None:
    """Work on every queue, until one of them breaks down or this is cancelled. Raises what broke it."""
    app, own = make_worker_app(services), OwnJobs()
    apps = {DEFAULT_QUEUE: app, NOTICE_QUEUE: _make_notice_app(app, services)}
    running: list[asyncio.Task[None]] = []
    try:
        await app.open_async()
        workers = [_make_worker(apps[queue], own, queue, jobs) for queue, jobs in queues.items()]
        running = [asyncio.create_task(one.run()) for one in workers]  # type: ignore[no-untyped-call]
        running.append(asyncio.create_task(own.watch(app, workers)))
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        _stop(running)
        ends = await asyncio.gather(*running, return_exceptions=True)
        await app.close_async()
    for end in ends:
        if isinstance(end, Exception):
            raise end


def _make_worker(app: procrastinate.App, own: OwnJobs, queue: str, jobs: int) -> Worker:
    return Worker(
        app=app,
        queues=[queue],
        name=queue,
        concurrency=jobs,
        fetch_job_polling_interval=1.0,
        shutdown_graceful_timeout=10,
        install_signal_handlers=False,
        task_middleware=[measure],
        worker_middleware=[own.track],
    )


def _stop(running: Sequence[asyncio.Task[None]]) -> None:
    """Let each queue finish its running jobs; cancelled twice, it would drop them."""
    for task in running:
        if not task.cancelling():
            task.cancel()
