"""Who released people whom another district had restricted: at once and alone, so its auditors are shown it.

Each release counts, however few: one by one they stay below every alarm.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.entries.content import IN_EFFECT_STATES, EntryKind
from app.entries.models import Entry, EntrySubject
from app.entries.queries import join_released
from app.staff.models import Officer


class ReleasedElsewhere(NamedTuple):
    """A recorder, their district, the number of people of one other district whom they released, and the last entry."""

    username: str
    district: str | None
    of_district: str | None
    people: int
    last: datetime
    entry: int


def find_released_elsewhere(
    session: Session, auditor: Officer, since: datetime, most: int
) -> Sequence[ReleasedElsewhere]:
    """Find who released people of the auditor's district, or of any for the province, from another; the most first."""
    restricting = aliased(Entry)
    people = func.count(EntrySubject.serial.distinct())
    rows = (
        join_released(
            select(
                Officer.username, Entry.district, restricting.district, people, func.max(Entry.recorded_at),
                func.max(Entry.id),
            ).join(Officer, Officer.id == Entry.recorder_id).join(EntrySubject, EntrySubject.entry_id == Entry.id),
            restricting,
        )
        .where(Entry.kind == EntryKind.RELEASE, Entry.state.in_(IN_EFFECT_STATES), Entry.recorded_at > since)
        .where(Entry.district.is_distinct_from(restricting.district))
        .group_by(Officer.username, Entry.district, restricting.district)
        .order_by(people.desc(), Officer.username)
        .limit(most)
    )  # fmt: skip
    if auditor.district is not None:
        rows = rows.where(restricting.district == auditor.district)
    return [ReleasedElsewhere(*row) for row in session.execute(rows)]
