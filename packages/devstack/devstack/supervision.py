"""The parts of a run: watched, started again when they die, and ended together by a signal.

A part that keeps dying ends the run, for then something is wrong that a further start does not correct.
"""

import os
import signal
import subprocess
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

import click

from app.core.errors import StartError

MOST_STARTS, WINDOW_SECONDS = 5, 60  # so many deaths of a part in so many seconds end the run
_DONE = "exit code 0"
_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 10  # to end after a signal


class Part(Protocol):
    """Something that runs beside us, and can be started again with the same data."""

    @property
    def name(self) -> str: ...

    def ending(self) -> str | None:
        """Return how it ended, such as "exit code 1"; None while it lives."""

    def restart(self) -> None:
        """Start it again. Raises StartError."""


class RunLog:
    """The log of a run: one file, a line for each line of a part. What cannot be written is lost."""

    def __init__(self, path: Path, width: int) -> None:
        self._file = path.open("w", encoding="utf-8", errors="replace", buffering=1)
        self._width = width
        self._lock = threading.Lock()

    def write(self, name: str, line: str) -> None:
        with self._lock, suppress(OSError, ValueError):
            self._file.write(f"{datetime.now():%H:%M:%S} {name:<{self._width}} | {line}\n")  # noqa: DTZ005 - as a clock on the wall

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()


class ProcessPart:
    """A process with a session of its own, whose output goes to the log."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: RunLog) -> None:
        self.name = name
        self._command, self._environment, self._log = command, environment, log
        self._process: subprocess.Popen[bytes] | None = None

    def restart(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._copy, args=(self._process.stdout,), daemon=True).start()

    def _copy(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self._log.write(self.name, line.decode(errors="replace").rstrip("\n"))

    def ending(self) -> str | None:
        code = self._process.poll() if self._process else 0
        if code is None:
            return None
        self._signal_group(signal.SIGKILL)  # what it started has nobody left who would end it
        return f"exit code {code}" if code >= 0 else f"signal {-code}"

    def terminate(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def finish(self, seconds: float) -> None:
        """Wait for its end, and kill it and what it started after so many seconds."""
        if self._process:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(max(seconds, 0))
            self._signal_group(signal.SIGKILL)
            self._process.wait()

    def _signal_group(self, number: signal.Signals) -> None:
        if self._process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def supervise(
    servers: Sequence[Part], processes: Sequence[ProcessPart], log: RunLog, service_is_ended: Callable[[], bool]
) -> None:
    """Start the processes, and keep them and the servers running until a signal. Raises StartError.

    Once the service is ended, what ends with exit code 0 has no work any more: a worker.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())  # stays: a second Ctrl-C must not stop the servers half-way
    try:
        for process in processes:
            process.restart()
        deaths: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=MOST_STARTS))
        while not stop.wait(_LOOK_SECONDS):
            for part in (*servers, *processes):
                if stop.is_set() or (how := part.ending()) is None:
                    continue
                if how != _DONE or not service_is_ended():
                    _start_again(part, how, deaths[part.name], log)
    finally:
        _end(processes)


def _start_again(part: Part, how: str, deaths: "deque[float]", log: RunLog) -> None:
    deaths.append(time.monotonic())
    if len(deaths) == MOST_STARTS and deaths[-1] - deaths[0] < WINDOW_SECONDS:
        raise StartError(f"{part.name} has ended {MOST_STARTS} times in a minute, the last time by {how}.")
    words = f"{part.name} has ended ({how}) and is started again."
    click.echo(words, err=True)
    log.write("run", words)
    try:
        part.restart()
    except StartError as error:  # the next look finds it dead again
        log.write("run", str(error))


def _end(processes: Sequence[ProcessPart]) -> None:
    end = time.monotonic() + _GRACE_SECONDS
    for process in processes:
        process.terminate()
    for process in processes:
        process.finish(end - time.monotonic())
