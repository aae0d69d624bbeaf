"""Figures of all people together, read from the counts, for the district of the officer.

Nothing leaves this module with a small number in it (`core/suppression.py`). An officer of a district sees their
district where the numbers have one, an officer of the province the whole; nobody sees both, so that no difference is a
district.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session

from app.appeals.models import Appeal
from app.codes.models import Notice
from app.codes.states import State
from app.core import suppression
from app.core.clock import BEIJING
from app.core.errors import Problem
from app.core.suppression import SuppressedTable
from app.staff.context import OfficerContext
from app.staff.models import Officer
from app.stations.counts import TEMPERATURE
from app.statistics.counting import COUNTED_KEY
from app.statistics.models import StatisticCount

DUE_SOON: Final = timedelta(hours=4)
DAY_SPANS, HOUR_SPANS = (7, 30, 90), (24, 48, 72)  # days, hours


class FigureKind(NamedTuple):
    """A kind of figure: its columns in order, others as they are found; by day or by hour; flow or stock."""

    columns: tuple[str, ...]
    by_hour: bool = False
    of_district: bool = False
    flows: bool = True  # numbers that add up over time, unlike the number of codes


_STATES = tuple(state.name for state in reversed(State) if state is not State.EMPTY)
FIGURE_KINDS: Final[Mapping[str, FigureKind]] = {
    "colors": FigureKind(_STATES, flows=False),
    "decisions": FigureKind(()),  # the rules of the policy
    "checks": FigureKind((*_STATES, TEMPERATURE), by_hour=True, of_district=True),
    "notices": FigureKind(
        ("sent", "seen", "no-subscription", "superseded", "expired", "withheld", "waiting", "sending", "unknown")
    ),
    "appeals": FigureKind(("in-time", "late"), of_district=True),
}


class Figure(NamedTuple):
    """A figure as it may be shown: a row for each day or hour (its beginning), oldest first, and its columns.

    `district` is None for the whole province, `as_of` the last count, None where nothing has been counted.
    """

    name: str
    by_hour: bool
    flows: bool
    district: str | None
    span: int
    columns: Sequence[str]
    times: Sequence[datetime]
    table: SuppressedTable
    as_of: datetime | None


class OpenAppeals(NamedTuple):
    """The number of open appeals now, a table of one row (`late`, `soon`, `later`)."""

    table: SuppressedTable
    columns: Sequence[str] = ("late", "soon", "later")


def load_figure(context: OfficerContext, name: str, span: int | None = None) -> Figure:
    """Load a figure over the last days or hours; an unknown span means the default. Raises Problem `not-found`."""
    kind = FIGURE_KINDS.get(name)
    if kind is None:
        raise Problem("not-found")
    spans = HOUR_SPANS if kind.by_hour else DAY_SPANS
    span = span if span in spans else spans[0] if kind.by_hour else spans[1]
    times = list(_hours(context.now, span) if kind.by_hour else _days(context.now, span))
    district = context.me.district if kind.of_district else None
    numbers: dict[datetime, dict[str, int]] = {time: {} for time in times}
    as_of = None
    for time, key, number, counted_at in context.session.execute(_query(name, kind, district, times[0])):
        if time in numbers:  # a clock that was put back outside production
            numbers[time][key] = int(number)
            as_of = max(as_of or counted_at, counted_at)
    columns = _columns(context.policy.rules if name == "decisions" else kind.columns, numbers.values())
    rows = [[found.get(column, 0 if found else None) for column in columns] for found in numbers.values()]
    return Figure(
        name, kind.by_hour, kind.flows, district, span, columns, times, suppression.suppress_table(rows), as_of
    )


def count_open_appeals(session: Session, officer: Officer, now: datetime) -> OpenAppeals:
    """Count the open appeals of the officer's district: overdue, due soon, and due later."""
    soon = now + DUE_SOON
    in_order = (Appeal.due_at <= now, and_(Appeal.due_at > now, Appeal.due_at <= soon), Appeal.due_at > soon)
    found = select(*(func.count().filter(urgency) for urgency in in_order)).where(Appeal.state == "open")
    if officer.district is not None:
        found = found.where(Appeal.district == officer.district)
    return OpenAppeals(suppression.suppress_table([list(session.execute(found).one())]))


def find_oldest_waiting_notice(session: Session) -> datetime | None:
    """Return since when the oldest notice waits to be sent."""
    return session.scalar(
        select(Notice.created_at).where(Notice.delivery == "waiting").order_by(Notice.created_at).limit(1)
    )


def _query(name: str, kind: FigureKind, district: str | None, since: datetime) -> Select[Any]:
    """Select the sums by day or hour, and by key, with the time of the last count."""
    # literals: as parameters they would not be the same in `select` and in `group by`
    unit: ColumnElement[str] = literal_column("'hour'" if kind.by_hour else "'day'")
    zone: ColumnElement[str] = literal_column(f"'{BEIJING.key}'")
    time = func.date_trunc(unit, StatisticCount.at, zone, type_=StatisticCount.at.type)
    sums = select(time, StatisticCount.key, func.sum(StatisticCount.number), func.max(StatisticCount.counted_at))
    sums = sums.where(StatisticCount.figure == name, StatisticCount.at >= since).group_by(time, StatisticCount.key)
    return (
        sums
        if district is None
        else sums.where(or_(StatisticCount.district == district, StatisticCount.key == COUNTED_KEY))
    )


def _columns(known: Sequence[str], found: Iterable[Mapping[str, int]]) -> list[str]:
    """Return the columns of the kind, and after them all others that were found."""
    others = {key for one in found for key in one} - {*known, COUNTED_KEY}
    return [*known, *sorted(others)]


def _days(now: datetime, number: int) -> Iterable[datetime]:
    """Return the beginnings of so many Beijing days, the last that of today."""
    today = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - timedelta(days=back) for back in reversed(range(number)))


def _hours(now: datetime, number: int) -> Iterable[datetime]:
    """Return the beginnings of so many hours, the last that of the current one."""
    current = now.replace(minute=0, second=0, microsecond=0)
    return (current - timedelta(hours=back) for back in reversed(range(number)))
