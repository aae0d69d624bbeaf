"""The clock that everything else is given. Nothing in this project asks the system for the time by itself.

Outside production the clock can run ahead of real time by an offset kept in a file, so that a quarantine of fourteen
days can be lived through in a demonstration. It only moves forward: evidence once written never lies in the future.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ShiftedClock:
    """Real time plus the seconds in a file; without the file, real time."""

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
        """Move the clock forward to the moment. Raises ValueError when that lies in the past."""
        seconds = int((moment - datetime.now(UTC)).total_seconds()) + 1
        if moment <= self.now():
            raise ValueError("the clock only moves forward")
        temporary = self._file.with_suffix(".new")
        temporary.write_text(str(seconds))
        temporary.replace(self._file)


def rfc3339(moment: datetime) -> str:
    """The moment in Beijing time with its offset, to the second."""
    return moment.astimezone(BEIJING).isoformat(timespec="seconds")
