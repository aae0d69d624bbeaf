"""The clock that is passed to everything else. Nothing else in this project asks the system for the time.

Outside production the clock can run ahead of real time by an offset in a file, so that a demonstration can go through a
quarantine of fourteen days. It only moves forward, so that recorded evidence is never dated in the future.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

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
    """Real time plus the number of seconds in a file; real time without the file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def offset(self) -> timedelta:
        try:
            return timedelta(seconds=int(self._file.read_text()))
        except FileNotFoundError:
            return timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset()

    def advance_to(self, moment: datetime) -> None:
        """Move the clock forward to a moment. Raises ValueError for one in the past."""
        seconds = int((moment - datetime.now(UTC)).total_seconds()) + 1
        if moment <= self.now():
            raise ValueError("the clock only moves forward")
        temporary = self._file.with_suffix(".new")
        temporary.write_text(str(seconds))
        temporary.replace(self._file)


def rfc3339(moment: datetime) -> str:
    """Return a moment in Beijing time with its offset, to the second."""
    return moment.astimezone(BEIJING).isoformat(timespec="seconds")
