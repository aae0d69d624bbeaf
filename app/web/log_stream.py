"""The stream that every log line goes to: it never fails the request or the job that logs.

A line that cannot be written, because the disk is full or the reader is gone, is lost and counted. Lines go straight to
the descriptor: a buffer that cannot be emptied would fail the process when it ends.
"""

import os
import sys
from contextlib import suppress
from typing import TextIO

from app.core.metrics import LOG_LINES_LOST

_TOLD = b"Log lines cannot be written and are lost; jixiang_log_lines_lost_total counts them: "


class LogStream:
    """A text stream in front of another, whose `write` and `flush` never raise OSError or ValueError."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._torn = False  # the last line was written in part
        self._told = False

    def write(self, text: str) -> int:
        """Write whole lines; return the number of characters taken, lost ones included."""
        try:
            self._write(text)
        except (OSError, ValueError) as error:  # ValueError: the file was closed
            LOG_LINES_LOST.inc()
            self._tell(error)
        else:
            self._told = False
        return len(text)

    def flush(self) -> None:
        """Do nothing: every line is written at once."""

    def _write(self, text: str) -> None:
        try:
            descriptor = self._file.fileno()
        except OSError:  # of a file in memory
            self._file.write(text)
            return
        data = memoryview(("\n" * self._torn + text).encode(errors="backslashreplace"))
        written = 0
        try:
            while written < len(data):
                written += os.write(descriptor, data[written:])
        finally:
            self._torn = 0 < written < len(data) or (self._torn and not written)

    def _tell(self, error: Exception) -> None:
        """Say it once on standard error, where that can be written, until a line gets through again."""
        if not self._told:
            self._told = True
            with suppress(OSError, ValueError):
                os.write(
                    sys.__stderr__.fileno() if sys.__stderr__ else 2, _TOLD + type(error).__name__.encode() + b"\n"
                )
