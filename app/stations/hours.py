"""Opening hours of a venue: seven texts from Monday on, such as `08:00-22:00`; empty for a day on which it is closed.

Nothing is refused by them. A clock may be off, a gate may open early, and a check that is answered is worth more than
one that is not: outside the hours the inspector is warned, and the count is that of its hour as ever.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from app.core.clock import BEIJING
from app.core.errors import FieldError

DAYS: Final = 7
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_FORM: Final = re.compile(rf"({_TIME})-({_TIME}|24:00)", re.ASCII)


def find_errors(hours: Sequence[str]) -> list[FieldError]:
    """Return what is wrong with hours; ones that end before they begin end on the next day."""
    if len(hours) != DAYS:
        return [FieldError("/hours", "hours-form")]
    bad = [day for day, text in enumerate(hours) if text and not _is_span(text)]
    return [FieldError(f"/hours/{day}", "hours-form") for day in bad]


def of_day(hours: Sequence[str], now: datetime) -> str:
    """Return the hours of the Beijing day of a moment; empty where it is closed."""
    return hours[now.astimezone(BEIJING).weekday()]


def is_open(hours: Sequence[str], now: datetime) -> bool:
    """Return whether it is open at a moment, by today's hours or by those of yesterday that last past midnight.

    A venue of which no hours are known is open at any.
    """
    if not any(hours):
        return True
    return _covers(of_day(hours, now), now, 0) or _covers(of_day(hours, now - timedelta(days=1)), now, 1)


def _is_span(text: str) -> bool:
    read = _FORM.fullmatch(text)
    return read is not None and read[1] != read[2]


def _covers(text: str, now: datetime, days_ago: int) -> bool:
    """Return whether the hours of some day, so many days ago, cover a moment."""
    read = _FORM.fullmatch(text)
    if read is None:
        return False
    begin, end = read[1], read[2]
    if end < begin:  # on the next day: later than 24:00
        end = f"{int(end[:2]) + 24}{end[2:]}"
    local = now.astimezone(BEIJING)
    return begin <= f"{local.hour + 24 * days_ago:02}:{local.minute:02}" < end
