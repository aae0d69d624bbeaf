"""The clock that is passed to everything else. Nothing else in this project asks the system for the time.

Outside production the clock can run ahead of real time by an offset in a file, so that a demonstration can go through a
quarantine of fourteen days. It only moves forward, so that recorded evidence is never dated in the future.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from app.core.errors import ConfigError

log = structlog.get_logger()

_MOST_SECONDS = 100 * 366 * 86_400
BEIJING = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """A source of the present time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ShiftedClock:
    """Real time plus the number of seconds in a file; real time without the file.

    While it runs, a file that vanished, is damaged or would turn the clock back changes nothing: the last offset stays.
    """

    def __init__(self, file: Path) -> None:
        """Read the file. Raises ConfigError when it does not hold whole seconds of a century at most."""
        self._file = file
        self._unusable = False
        try:
            self._offset = self._read() if file.exists() else timedelta(0)
        except (OSError, ValueError):
            raise ConfigError(f"clock.file: {file} must hold whole seconds; correct or remove it.") from None

    def offset(self) -> timedelta:
        """Return the offset in the file, or the last one that was good."""
        try:
            offset = self._read()
        except FileNotFoundError:
            offset = timedelta(0)
        except (OSError, ValueError):
            offset = timedelta.min
        back = offset < self._offset
        if back and not self._unusable:
            log.error("clock-file-unusable")
        self._unusable = back
        self._offset = max(offset, self._offset)
        return self._offset

    def _read(self) -> timedelta:
        seconds = int(self._file.read_text())
        if abs(seconds) > _MOST_SECONDS:
            raise ValueError(self._file)
        return timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset()

    def advance_to(self, moment: datetime) -> None:
        """Move the clock forward to a moment. Raises ValueError for one in the past."""
        seconds = int((moment - datetime.now(UTC)).total_seconds()) + 1
        if moment <= self.now():
            raise ValueError("the clock only moves forward; give a later moment")
        temporary = self._file.with_suffix(".new")
        temporary.write_text(str(seconds))
        temporary.replace(self._file)


def make_clock(file: Path | None) -> ShiftedClock | SystemClock:
    """Return real time, or the clock of a file (`clock.file`). Raises ConfigError as `ShiftedClock` does."""
    return ShiftedClock(file) if file else SystemClock()


def rfc3339(moment: datetime) -> str:
    """Return a moment in Beijing time with its offset, to the second."""
    return moment.astimezone(BEIJING).isoformat(timespec="seconds")
