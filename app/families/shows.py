"""How often holders were given the code of a dependant: counted by day, and put into the audit when the day is over.

The dependant reads the present day with the ties, and earlier ones among the accesses to their record.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app import audit
from app.core.clock import BEIJING
from app.core.db import among
from app.families.models import FamilyShow, FamilyTie
from app.families.ties import family_actor


def count(session: Session, ties: Collection[str], now: datetime) -> None:
    """Count that the codes of these ties are given to their holder; in the order of the ids, so that none deadlock."""
    day = now.astimezone(BEIJING).date()
    rows = [{"tie_id": id_, "day": day, "number": 1} for id_ in sorted(ties)]
    if rows:
        added = insert(FamilyShow).values(rows)
        more = {"number": FamilyShow.number + 1}
        session.execute(added.on_conflict_do_update(index_elements=["tie_id", "day"], set_=more))


def count_today(session: Session, ties: Collection[str], now: datetime) -> Mapping[str, int]:
    """Return how often codes were shown today, by tie."""
    today = select(FamilyShow.tie_id, FamilyShow.number).filter_by(day=now.astimezone(BEIJING).date())
    return {row.tie_id: row.number for row in session.execute(today.where(among(FamilyShow.tie_id, ties)))}


def write_sums(session: Session, now: datetime, limit: int | None = None, *, of: int | None = None) -> int:
    """Write counts of days that are over into the audit; `of` one person, who is erased, those of today too.

    Returns how many were written.
    """
    counted = select(FamilyShow, FamilyTie).join(FamilyTie, FamilyTie.id == FamilyShow.tie_id)
    if of is None:
        counted = counted.where(FamilyShow.day < now.astimezone(BEIJING).date())
    else:
        counted = counted.where((FamilyTie.holder == of) | (FamilyTie.dependant == of))
    counted = counted.order_by(FamilyShow.day, FamilyShow.tie_id).limit(limit)
    rows = session.execute(counted.with_for_update(of=FamilyShow)).all()
    for show, tie in rows:
        actor, day = family_actor(tie.holder), show.day.isoformat()
        audit.append(session, actor, "code-shown", now, serial=tie.dependant, number=show.number, day=day)
        session.execute(delete(FamilyShow).filter_by(tie_id=show.tie_id, day=show.day))
    return len(rows)
