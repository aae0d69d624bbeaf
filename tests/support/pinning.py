"""Each process of a run stays on one core, with all the servers that it starts.

A request of a test goes through threads, sandboxes, PostgreSQL and Valkey, one after the other. On one core that is a
switch; across cores it wakes another one each time, and the caches are cold there: the same tests then take a fifth
more processor, and a quarter more time.
"""

import os


def pin() -> None:
    """Keep this process of a run, and what it starts, on a core of its own as long as there is one for each."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
