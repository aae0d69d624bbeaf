"""Invented numbers of a province in a bad month, for looking at charts: nobody was counted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import sin

from app.core.clock import BEIJING
from app.core.db import insert_rows
from app.runtime import Services
from app.statistics.counting import COUNTED_KEY
from app.statistics.models import StatisticCount

DAYS = 30
_COLORS = {"GREEN": 18_000_000, "YELLOW": 2_100, "ORANGE": 46_000, "RED": 60, "UNVERIFIED": 310_000}
_RULES = {
    "GREEN-VERIFIED": 52_000,
    "YELLOW-FEVER": 80,
    "ORANGE-CONTACT": 130,
    "ORANGE-QUARANTINE": 60,
    "RED-CONFIRMED": 2,
}
_NOTICES = {"sent": 30_000, "no-subscription": 9_000, "superseded": 120, "failed/43101": 44, "unknown": 3}
_CHECKS = {"GREEN": 120_000, "YELLOW": 40, "ORANGE": 25, "RED": 1, "UNVERIFIED": 2_000, "temperature": 90}


def make_figures(services: Services) -> None:
    """Fill the last days with invented numbers."""
    now = services.clock.now()
    rows = [
        {"figure": figure, "at": at, "district": district, "key": key, "number": number, "counted_at": now}
        for figure, at, district, key, number in _numbers(now)
    ]
    with services.begin() as session:
        session.query(StatisticCount).delete()
        insert_rows(session, StatisticCount, rows)


def _numbers(now: datetime) -> Iterator[tuple[str, datetime, str, str, int]]:
    today = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(DAYS):
        at, wave = today - timedelta(days=DAYS - 1 - day), 1 + sin(day / 4)
        daily = {"colors": _COLORS, "decisions": _RULES, "notices": _NOTICES}
        for figure, numbers in daily.items():
            yield figure, at, "", COUNTED_KEY, 0
            yield from (
                (figure, at, "", key, int(number * (wave if number < 50_000 else 1))) for key, number in numbers.items()
            )
        yield "appeals", at, "", COUNTED_KEY, 0
        yield "appeals", at, "长春市", "in-time", int(40 * wave)
        yield "appeals", at, "长春市", "late", int(6 * wave)
    hour = now.replace(minute=0, second=0, microsecond=0)
    for back in range(72):
        at = hour - timedelta(hours=back)
        busy = max(0.0, sin((at.astimezone(BEIJING).hour - 5) / 18 * 3.14))
        yield "checks", at, "", COUNTED_KEY, 0
        yield from (("checks", at, "长春市", key, int(number * busy)) for key, number in _CHECKS.items())
