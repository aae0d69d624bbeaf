"""Waiting for what other processes and threads do: for its coming true, and never for a fixed time."""

import time
from collections.abc import Callable

PATIENCE = 60.0  # seconds: more than a machine with much to do needs, and only what fails takes them


def wait_until(
    holds: Callable[[], object],
    otherwise: str | Callable[[], str] = "it does not come true",
    *,
    seconds: float = PATIENCE,
    every: float = 0.05,
) -> None:
    """Wait until something holds; fail with `otherwise`, such as what a process has printed."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, otherwise if isinstance(otherwise, str) else otherwise()
        time.sleep(every)
