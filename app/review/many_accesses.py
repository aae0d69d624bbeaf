"""Officers who accessed the records of very many people within an hour: each access is in the audit, nobody reads all.

What the system itself shows to who signs is left out: an approver has to see everybody of an entry.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AccessReason, AuditEvent
from app.entries.alarms.thresholds import thresholds_at

_ONE_HOUR: Final = "hour"


class ManyAccesses(NamedTuple):
    """An officer, the number of people whose records they accessed in an hour of the clock, and the last moment."""

    username: str
    number: int
    last: datetime


def find_many_accesses(
    session: Session, usernames: Mapping[str, str], since: datetime, most: int
) -> Sequence[ManyAccesses]:
    """Find who of these, by actor, accessed too many records in any hour since, the most people first."""
    people, hour = func.count(AuditEvent.serial.distinct()), func.date_trunc(_ONE_HOUR, AuditEvent.at)
    rows = (
        select(AuditEvent.actor, people, func.max(AuditEvent.at))
        .where(AuditEvent.action == "record-read", audit.RARE, AuditEvent.reason != AccessReason.SIGNING)
        .where(AuditEvent.id >= audit.first_id_since(session, since), AuditEvent.at > since, audit.BY_OFFICERS)
        .group_by(AuditEvent.actor, hour)
        .having(people > thresholds_at(since).seen_by_one_officer_in_an_hour)
    )
    found = [
        ManyAccesses(usernames[actor], number, last)
        for actor, number, last in session.execute(rows)
        if actor in usernames
    ]
    return sorted(found, key=lambda one: (-one.number, one.username, one.last))[:most]
