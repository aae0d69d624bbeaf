"""Processes of the system under test: started, watched, paused and killed, each with a log of its own."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

_GRACE_SECONDS = 15


class Program:
    """One process with the environment that was given, and what it started."""

    def __init__(self, log: Path, *command: str, **environment: str) -> None:
        self.log, self._command, self._environment = log, command, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again after it has ended."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def lives(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it at once; what it started is left alone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_GRACE_SECONDS)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def children(self) -> list[psutil.Process]:
        """The processes that it started itself."""
        if self._process is None or not self.lives():
            return []
        return list(psutil.Process(self._process.pid).children())

    def stop(self) -> None:
        """End it in good order, and whatever it has left."""
        if self._process is None:
            return
        self.go_on()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_GRACE_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.lives():
            self._process.send_signal(number)
