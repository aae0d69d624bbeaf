"""A worker that does what waits, and then ends."""

from contextlib import suppress

from procrastinate.exceptions import AlreadyEnqueued

from app.runtime import Services
from app.worker.app import make_worker_app


def run_worker(services: Services, *tasks: str) -> None:
    """Put these periodic tasks as their time comes, and work until nothing is left."""
    worker = make_worker_app(services)
    with worker.open():
        for task in tasks:
            with suppress(AlreadyEnqueued):  # its time came as the last worker ended
                worker.tasks[task].defer(timestamp=0)
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
