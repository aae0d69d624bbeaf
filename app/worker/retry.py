"""When a failed job is tried again."""

import random

from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

MIN_SECONDS = 1
MAX_SECONDS = 60


class BackOff(BaseRetryStrategy):
    """Try again after 1, 2, 4 … seconds, a minute at most; a random part keeps jobs that failed together apart.

    `max_attempts` is for jobs that are deferred anew anyway. Periodic ones have no retry: the clock repeats them, and
    one that fails while the next waits with the same queueing lock could neither be queued again nor end.
    """

    def __init__(self, max_attempts: int | None = None) -> None:
        self._max_attempts = max_attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if self._max_attempts is not None and job.attempts >= self._max_attempts:
            return None
        wait = min(MAX_SECONDS, 2 ** min(job.attempts, 10))
        return RetryDecision(retry_in={"seconds": max(MIN_SECONDS, round(wait * random.uniform(0.5, 1.0)))})
