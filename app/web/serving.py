"""Serving WSGI applications with granian."""

from granian import Granian
from granian.constants import Interfaces

MAX_CONNECTIONS = 4096  # open in one process: phones keep theirs for a while after a response


def serve(target: str, host: str, port: int, *, workers: int, threads: int) -> None:
    """Serve the application of the factory `module:function` until a signal ends it."""
    Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        backlog=MAX_CONNECTIONS,
        backpressure=MAX_CONNECTIONS,
        factory=True,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    ).serve()
