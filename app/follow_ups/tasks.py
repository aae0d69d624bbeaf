"""What waits for an officer of follow-ups, and where too many are overdue."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlalchemy.orm import Session

from app.entries.alarms.thresholds import thresholds_at
from app.follow_ups.models import FollowUp
from app.follow_ups.transitions import TRANSITIONS, FollowUpAct
from app.staff.models import Officer

_RECEIVING = (FollowUpAct.ACCEPT, FollowUpAct.DECLINE)  # of the district to which a transfer goes
_WAITED_FOR = (
    FollowUpAct.HAND_OVER,
    FollowUpAct.RECEIVE,
    FollowUpAct.FINISH,
    FollowUpAct.ADMIT,
    *_RECEIVING,
)  # by a deadline


class Tasks(NamedTuple):
    """How many follow-ups wait for an officer in time, and how many are overdue."""

    waiting: int
    overdue: int


class OverdueDistrict(NamedTuple):
    """A district with so many overdue follow-ups that auditors are shown it, and since when the oldest is."""

    district: str | None
    number: int
    oldest: datetime


def count_tasks(session: Session, officer: Officer, now: datetime) -> Tasks:
    """Count the follow-ups that have a deadline, and with which one of the officer's roles has something to do."""
    late = func.count().filter(FollowUp.due_at <= now)
    row = session.execute(select(func.count(), late).where(FollowUp.ended_at.is_(None), _waits_for(officer))).one()
    return Tasks(row[0] - row[1], row[1])


def _waits_for(officer: Officer) -> ColumnElement[bool]:
    """Return the condition that the officer can go on: in their role and district, and not after themselves."""
    here, anywhere = officer.district, officer.district is None
    own, receiving = (
        true() if anywhere else column == here for column in (FollowUp.district, FollowUp.proposed_district)
    )
    by_other = FollowUp.officer_id.is_distinct_from(officer.id)
    places = {FollowUpAct.RECEIVE: and_(own, by_other)} | dict.fromkeys(_RECEIVING, and_(receiving, by_other))
    found: list[ColumnElement[bool]] = [false()]
    for (state, act), row in TRANSITIONS.items():
        if act in _WAITED_FOR and row.role in officer.roles:
            recipient = true() if row.recipient is None else FollowUp.recipient == row.recipient
            found.append(and_(FollowUp.state == state, recipient, places.get(act, own)))
    return or_(*found)


def find_overdue_districts(session: Session, auditor: Officer, now: datetime) -> Sequence[OverdueDistrict]:
    """Find the districts of the auditor with as many overdue follow-ups as alarms.toml says, the most first."""
    number = func.count()
    rows = (
        select(FollowUp.district, number, func.min(FollowUp.due_at))
        .where(FollowUp.ended_at.is_(None), FollowUp.due_at <= now)
        .group_by(FollowUp.district)
        .having(number >= thresholds_at(now).overdue_follow_ups_of_one_district)
        .order_by(number.desc())
    )
    if auditor.district is not None:
        rows = rows.where(FollowUp.district == auditor.district)
    return [OverdueDistrict(district, late, oldest) for district, late, oldest in session.execute(rows) if oldest]
