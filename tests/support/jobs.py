"""A worker that does what waits, and then ends."""

from contextlib import suppress

from procrastinate.exceptions import AlreadyEnqueued

from app.runtime import Services
from app.worker.app import make_worker_app


def run_worker(services: Services, *tasks: str) -> None:
    """Put these periodic tasks as their time comes, and work until nothing is left.

    What the clock of this machine says was due a moment ago is none of them: tests pass at every time of the day.
    """
    worker = make_worker_app(services)
    worker.periodic_defaults = {"max_delay": 0}
    if tasks:
        with worker.open():
            for task in tasks:
                with suppress(AlreadyEnqueued):  # its time came as the last worker ended
                    worker.tasks[task].defer(timestamp=0)
    worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
