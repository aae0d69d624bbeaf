"""When a failed job is tried again."""

import random

import structlog
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

log = structlog.get_logger()

MIN_SECONDS = 1
MAX_SECONDS = 60


class BackOff(BaseRetryStrategy):
    """Try again after 1, 2, 4 … seconds, a minute at most; a random part keeps jobs that failed together apart.

    `max_attempts` is for periodic jobs: the schedule defers the next one anyway.
    """

    def __init__(self, max_attempts: int | None = None) -> None:
        self._max_attempts = max_attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        log.warning("job-failed", task=job.task_name, error=type(exception).__name__, attempts=job.attempts)
        if self._max_attempts is not None and job.attempts >= self._max_attempts:
            return None
        wait = min(MAX_SECONDS, 2 ** min(job.attempts, 10))
        return RetryDecision(retry_in={"seconds": max(MIN_SECONDS, round(wait * random.uniform(0.5, 1.0)))})
