"""Counting for the figures, so that no page has to: an hour at a time, by index, and the colors once an hour.

Each count replaces the one before it, so that it can be repeated. Small numbers are suppressed where they are read
(`figures.py`), not here: two small ones can make a large one.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from app.codes.models import Code
from app.codes.states import State
from app.core.clock import BEIJING
from app.core.db import insert_rows
from app.stations.counts import TEMPERATURE
from app.statistics.models import StatisticCount

COLORS: Final = "colors"
RETENTION: Final = timedelta(days=400)
BATCH_SIZE: Final = 500_000  # codes in one statement, some tenths of a second
COUNTED_KEY: Final = ""  # the key of the row that says that the hour was counted

# district, key and number of an hour, each by an index on its time
_HOURLY_QUERIES: Final = {
    "decisions": """
        select '', rule, count(*) from decisions where decided_at >= :hour and decided_at < :end group by rule""",
    "notices": """
        select '', case when delivery = 'failed' then 'failed/' || coalesce(error, '') else delivery end, count(*)
        from notices where created_at >= :hour and created_at < :end group by 2""",
    "checks": """
        select district, case when action = 'temperature' then action else state::text end, sum(number)
        from station_counts join stations on stations.id = station_id
        where hour = :hour and action !~ '^(foreign|venue)-' group by 1, 2""",
    "appeals": """
        select coalesce(district, ''), case when resolved_at <= due_at then 'in-time' else 'late' end, count(*)
        from appeals
        where state in ('open', 'upheld', 'overturned') and due_at >= :hour and due_at < :end and due_at <= :now
        group by 1, 2""",
}
# For how many hours back numbers still change: a notice is sent within a day or never, and stations may report late.
RECOUNTED_HOURS: Final = {"decisions": 2, "notices": 26, "checks": 2, "appeals": 2}


def summarize_indexes(session: Session) -> None:
    """Summarize new pages in the indexes on time: each page that is not summarized would be read.

    PostgreSQL does it by itself, but not soon after a mass change. It can be interrupted at any time.
    """
    for index in ("ix_decisions_decided_at", "ix_notices_created_at"):
        session.execute(text("select brin_summarize_new_values(cast(:index as regclass))"), {"index": index})


def count_hour(session: Session, figure: str, hour: datetime, now: datetime) -> None:
    """Count one figure of the hour that begins at a moment."""
    times = {"hour": hour, "end": hour + timedelta(hours=1), "now": now}
    found = session.execute(text(_HOURLY_QUERIES[figure]), times).all()
    _replace_counts(
        session, figure, hour, ((district, _key(figure, key), number) for district, key, number in found), now
    )


def count_colors(session: Session, now: datetime) -> None:
    """Count the codes by state, for the Beijing day of `now`; the last count of a day stays.

    Goes through all codes in short statements; in a transaction that sees one snapshot the numbers are of one moment.
    """
    last, sums = session.scalar(select(func.max(Code.serial))) or 0, dict.fromkeys(State, 0)
    for start in range(0, last, BATCH_SIZE):
        some = select(Code.state, func.count()).where(Code.serial > start, Code.serial <= start + BATCH_SIZE)
        for state, number in session.execute(some.group_by(Code.state)):
            sums[State(state)] += number
    today = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    _replace_counts(session, COLORS, today, (("", state.name, number) for state, number in sums.items()), now)


def delete_expired(session: Session, now: datetime) -> int:
    """Delete the counts that are past their retention; returns their number."""
    gone = session.execute(
        delete(StatisticCount).where(StatisticCount.at < now - RETENTION).returning(StatisticCount.key)
    )
    return len(gone.all())


def _key(figure: str, key: str) -> str:
    return State(int(key)).name if figure == "checks" and key != TEMPERATURE else key


def _replace_counts(
    session: Session, figure: str, at: datetime, counted: Iterable[tuple[str, str, Any]], now: datetime
) -> None:
    """Replace the earlier numbers."""
    session.execute(delete(StatisticCount).where(StatisticCount.figure == figure, StatisticCount.at == at))
    numbers = [("", COUNTED_KEY, 0), *((district, key, int(number)) for district, key, number in counted if number)]
    row = {"figure": figure, "at": at, "counted_at": now}
    insert_rows(
        session, StatisticCount, [{**row, "district": where, "key": key, "number": n} for where, key, n in numbers]
    )
