"""The ceilings of what text messages cost: of the installation on a day and in a month, and of a district on a day.

The row of the day is locked while messages are taken from it, so that all workers together stay within a ceiling. What
a ceiling stops is a message; the change itself has long been committed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.settings import SmsSettings
from app.notifications.models import SmsSpending
from app.notifications.sms.numbers import beijing_day

WHOLE: Final = ""  # the row of the whole installation; it is locked first
DAY_CEILING: Final = "day-ceiling"
MONTH_CEILING: Final = "month-ceiling"
DISTRICT_CEILING: Final = "district-ceiling"


class Budget:
    """What may still be sent today, read and locked until the transaction ends."""

    def __init__(self, session: Session, settings: SmsSettings, districts: Iterable[str], now: datetime) -> None:
        self._settings, self._day, self._taken = settings, beijing_day(now), Counter[str]()
        self._spent = _lock(session, self._day, {WHOLE, *districts})
        self._month = _sum_month(session, self._day)

    def take(self, district: str) -> str | None:
        """Take one message for a change by officers of a district, "" for none; return the ceiling that is reached."""
        settings, whole = self._settings, self._taken[WHOLE]
        if self._month + whole >= settings.month_ceiling:
            return MONTH_CEILING
        if self._spent[WHOLE] + whole >= settings.day_ceiling:
            return DAY_CEILING
        if district and self._spent[district] + self._taken[district] >= settings.district_day_ceiling:
            return DISTRICT_CEILING
        self._taken.update({WHOLE, district})
        return None

    def write(self, session: Session) -> None:
        """Record what was taken."""
        change(session, self._day, self._taken)


def change(session: Session, day: date, by_district: Mapping[str, int]) -> None:
    """Add to what was spent on a day, or take from it; `WHOLE` is one of the districts."""
    for district, number in sorted(by_district.items()):
        if number:
            row = update(SmsSpending).where(SmsSpending.day == day, SmsSpending.district == district)
            session.execute(row.values(messages=func.greatest(SmsSpending.messages + number, 0)))


def delete_old(session: Session, before: date) -> None:
    """Delete what was spent long ago."""
    session.execute(delete(SmsSpending).where(SmsSpending.day < before))


def _lock(session: Session, day: date, districts: Iterable[str]) -> dict[str, int]:
    for district in sorted(districts):
        row = insert(SmsSpending).values(day=day, district=district, messages=0)
        session.execute(row.on_conflict_do_nothing())
    rows = select(SmsSpending.district, SmsSpending.messages).where(
        SmsSpending.day == day, SmsSpending.district.in_(list(districts))
    )
    locked = session.execute(rows.order_by(SmsSpending.district).with_for_update())
    return {row.district: row.messages for row in locked}


def _sum_month(session: Session, day: date) -> int:
    of_month = SmsSpending.day.between(day.replace(day=1), day), SmsSpending.district == WHOLE
    return int(session.scalar(select(func.coalesce(func.sum(SmsSpending.messages), 0)).where(*of_month)) or 0)
