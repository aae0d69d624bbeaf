"""Whether a worker works: its event loop turns, and a thread is free for a job now and then.

It says nothing about database, Redis or WeChat: a worker waits for these and goes on, and another would fare no better.
A new process is better than one that is stuck, whose server of metrics goes on answering in a thread of its own.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

STUCK_SECONDS: Final = 300  # longer than any job that waits for somebody, of whom all time out, takes all threads
BEAT_SECONDS: Final = 5


class Pulse:
    """The last moment at which a worker was well; systemd is notified as well, where it watches (`WatchdogSec=`)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, every: float = BEAT_SECONDS) -> None:
        self._clock, self._every = clock, every
        self._beat = clock()
        self._watchdog = os.environ.get("NOTIFY_SOCKET") if "WATCHDOG_USEC" in os.environ else None

    def is_well(self) -> bool:
        """Return whether there was a beat lately."""
        return self._clock() - self._beat < STUCK_SECONDS

    def begin(self) -> None:
        """Beat until the loop that runs ends."""
        self._beating = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(self._note)  # in one of the threads in which jobs run
            await asyncio.sleep(self._every)

    def _note(self) -> None:
        self._beat = self._clock()
        if self._watchdog is not None:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
                systemd.setblocking(False)  # one that does not listen must not stop the work
                systemd.connect(self._watchdog.replace("@", "\0", 1) if self._watchdog[0] == "@" else self._watchdog)
                systemd.send(b"WATCHDOG=1")
