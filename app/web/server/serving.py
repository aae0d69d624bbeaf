"""Serving RSGI and WSGI applications with granian."""

import gc
import os
import signal
import threading
import time
from functools import partial
from importlib import import_module
from typing import Any

from granian import Granian
from granian.constants import Interfaces

MAX_CONNECTIONS = 4096  # open in one process: phones keep theirs for a while after a response
_LOOK_SECONDS = 1.0
_GRACE_SECONDS = 5.0  # to finish requests after the master has died


def serve(target: str, host: str, port: int, *, workers: int, threads: int | None = None) -> None:
    """Serve the application of the factory `module:function` until a signal ends it.

    It is an RSGI application, answered by an event loop in each process; with `threads` a WSGI one, answered by those.
    The module is loaded before the processes part, so that they share its memory and a new one starts at once.
    """
    import_module(target.partition(":")[0])
    gc.freeze()  # a collection would write to what is shared
    Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.RSGI if threads is None else Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        backlog=MAX_CONNECTIONS,
        backpressure=MAX_CONNECTIONS,
        factory=True,
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
    ).serve(target_loader=partial(_load, os.getpid()))


def _load(master: int, target: str) -> Any:
    """Return the application, in the process that serves it; that process ends when its master has died."""
    threading.Thread(target=_end_with, args=(master,), daemon=True, name="end-with-master").start()
    module, _, factory = target.partition(":")
    application = getattr(import_module(module), factory)()
    gc.collect()
    gc.freeze()  # else a collection would look through all of the application, while requests wait
    return application


def _end_with(master: int) -> None:
    """Wait until the master has died, then end this process as the master would have done."""
    while os.getppid() == master:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)
