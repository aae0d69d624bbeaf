"""How often WeChat lets a mini-program call a path: the documented limits, and what was called so far.

Owns these counts, in memory only: a restart begins anew. A minute is a minute of the clock and a
day is a day in Beijing, where WeChat counts.
"""

import threading
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import Field

from sandbox_kit.reading import Strict
from wechat_sandbox.errors import Refused

_BEIJING = ZoneInfo("Asia/Shanghai")


class Rate(Strict):
    """The most calls of one path that are answered; None is no limit."""

    path: str = Field(pattern=r"^/", max_length=200)
    per_minute: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)


DOCUMENTED = (
    Rate(path="/cgi-bin/stable_token", per_minute=10_000, per_day=500_000),
    Rate(path="/cgi-bin/token", per_minute=10_000, per_day=500_000),
    Rate(path="/cgi-bin/message/subscribe/send", per_day=10_000_000),
    Rate(path="/cgi-bin/message/template/send", per_day=100_000),
    Rate(path="/cgi-bin/user/get", per_day=500),
    Rate(path="/wxa/getwxacodeunlimit", per_minute=5_000),
)
_CODE_OF_THE_MINUTE = {"/wxa/getwxacodeunlimit": 45009}  # every other path answers 45011


class Rates:
    """The limits in force and the counts under them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """The documented limits, and nothing called yet."""
        with self._lock:
            self._rates = {rate.path: rate for rate in DOCUMENTED}
            self._counts: dict[tuple[str, str], int] = {}

    def list(self) -> list[Rate]:
        with self._lock:
            return list(self._rates.values())

    def put(self, rate: Rate) -> None:
        with self._lock:
            self._rates[rate.path] = rate

    def take(self, path: str, now: datetime) -> None:
        """Count one call. Raises Refused 45011 or 45009 when there were too many; then it is not counted."""
        with self._lock:
            rate = self._rates.get(path)
            if rate is None:
                return
            moment = now.astimezone(_BEIJING)
            minute, day = (path, f"{moment:%Y-%m-%d %H:%M}"), (path, f"{moment:%Y-%m-%d}")
            if rate.per_day is not None and self._counts.get(day, 0) >= rate.per_day:
                raise Refused(45009)
            if rate.per_minute is not None and self._counts.get(minute, 0) >= rate.per_minute:
                raise Refused(_CODE_OF_THE_MINUTE.get(path, 45011))
            self._count(path, minute, day)

    def _count(self, path: str, *windows: tuple[str, str]) -> None:
        """One more in each window; windows of the path that are over are forgotten."""
        counts = {window: self._counts.get(window, 0) + 1 for window in windows}
        others = {window: count for window, count in self._counts.items() if window[0] != path}
        self._counts = others | counts
