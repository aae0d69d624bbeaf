"""What officers see of all people together: read from the tallies, for the district of the officer who looks.

Nothing leaves this module with a small number in it (small_numbers.py). An officer of a district sees their district
where the numbers have one, an officer of the province the whole; nobody sees both, so that no district is the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session

from app.clock import BEIJING
from app.codes.models import Notice
from app.codes.states import State
from app.errors import Problem
from app.officers import small_numbers
from app.officers.appeal_models import Appeal
from app.officers.counting import COUNTED
from app.officers.figure_models import Tally
from app.officers.models import Officer
from app.officers.small_numbers import Table
from app.rules import Policy
from app.stations.counts import TEMPERATURE

DUE_SOON: Final = timedelta(hours=4)
DAYS, HOURS = (7, 30, 90), (24, 48, 72)  # that a page may span


class Kind(NamedTuple):
    """What a figure counts: its columns in their order, others as they are found; by day or by hour; flow or stock."""

    columns: tuple[str, ...]
    by_hour: bool = False
    of_district: bool = False
    flows: bool = True  # what adds up over time, as the number of codes does not


_STATES = tuple(state.name for state in reversed(State) if state is not State.EMPTY)
KINDS: Final[Mapping[str, Kind]] = {
    "colors": Kind(_STATES, flows=False),
    "decisions": Kind(()),  # the rules of the policy
    "checks": Kind((*_STATES, TEMPERATURE), by_hour=True, of_district=True),
    "notices": Kind(
        ("sent", "seen", "no-subscription", "superseded", "expired", "withheld", "waiting", "sending", "unknown")
    ),
    "appeals": Kind(("in-time", "late"), of_district=True),
}


class Figure(NamedTuple):
    """A figure as it may be shown: a row for each day or hour (its beginning), the oldest first, and its columns.

    `district` is None for the whole province, `as_of` the last count, None where nothing has been counted.
    """

    name: str
    by_hour: bool
    flows: bool
    district: str | None
    span: int
    columns: Sequence[str]
    times: Sequence[datetime]
    table: Table
    as_of: datetime | None


class OpenAppeals(NamedTuple):
    """How many appeals wait for their answer, a table of one row (`late`, `soon`, `later`), as of now."""

    table: Table
    columns: Sequence[str] = ("late", "soon", "later")


def read(session: Session, policy: Policy, officer: Officer, name: str, span: int | None, now: datetime) -> Figure:
    """A figure over the last days or hours; a span that no page has is the default. Raises Problem `not-found`."""
    kind = KINDS.get(name)
    if kind is None:
        raise Problem("not-found")
    spans = HOURS if kind.by_hour else DAYS
    span = span if span in spans else spans[0] if kind.by_hour else spans[1]
    times = list(_hours(now, span) if kind.by_hour else _days(now, span))
    district = officer.district if kind.of_district else None
    numbers: dict[datetime, dict[str, int]] = {time: {} for time in times}
    as_of = None
    for time, key, number, counted_at in session.execute(_query(name, kind, district, times[0])):
        if time in numbers:  # a clock that was put back outside production
            numbers[time][key] = int(number)
            as_of = max(as_of or counted_at, counted_at)
    columns = _columns(policy.rules if name == "decisions" else kind.columns, numbers.values())
    rows = [[found.get(column, 0 if found else None) for column in columns] for found in numbers.values()]
    return Figure(name, kind.by_hour, kind.flows, district, span, columns, times, small_numbers.publish(rows), as_of)


def open_appeals(session: Session, officer: Officer, now: datetime) -> OpenAppeals:
    """How many appeals of the officer's district are late, have to be answered soon, or have more time."""
    soon = now + DUE_SOON
    in_order = (Appeal.due_at <= now, and_(Appeal.due_at > now, Appeal.due_at <= soon), Appeal.due_at > soon)
    found = select(*(func.count().filter(urgency) for urgency in in_order)).where(Appeal.state == "open")
    if officer.district is not None:
        found = found.where(Appeal.district == officer.district)
    return OpenAppeals(small_numbers.publish([list(session.execute(found).one())]))


def oldest_waiting(session: Session) -> datetime | None:
    """Since when the oldest notice waits that is still to be sent."""
    return session.scalar(
        select(Notice.created_at).where(Notice.delivery == "waiting").order_by(Notice.created_at).limit(1)
    )


def _query(name: str, kind: Kind, district: str | None, since: datetime) -> Select[Any]:
    """The sums by day or hour, and by key, with the last count."""
    # told in so many words: as parameters they would not be the same in `select` and in `group by`
    unit: ColumnElement[str] = literal_column("'hour'" if kind.by_hour else "'day'")
    zone: ColumnElement[str] = literal_column(f"'{BEIJING.key}'")
    time = func.date_trunc(unit, Tally.at, zone, type_=Tally.at.type)
    sums = select(time, Tally.key, func.sum(Tally.number), func.max(Tally.counted_at))
    sums = sums.where(Tally.figure == name, Tally.at >= since).group_by(time, Tally.key)
    return sums if district is None else sums.where(or_(Tally.district == district, Tally.key == COUNTED))


def _columns(known: Sequence[str], found: Iterable[Mapping[str, int]]) -> list[str]:
    """The columns of the kind, and after them whatever else was found."""
    others = {key for one in found for key in one} - {*known, COUNTED}
    return [*known, *sorted(others)]


def _days(now: datetime, number: int) -> Iterable[datetime]:
    """The beginnings of so many days of Beijing, the last that of today."""
    today = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - timedelta(days=back) for back in reversed(range(number)))


def _hours(now: datetime, number: int) -> Iterable[datetime]:
    """The beginnings of so many hours, the last that which runs."""
    running = now.replace(minute=0, second=0, microsecond=0)
    return (running - timedelta(hours=back) for back in reversed(range(number)))
