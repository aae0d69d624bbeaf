"""Reading entries for pages."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.entries.models import Entry
from app.staff.models import Officer, Role


def list_pending(session: Session, officer: Officer) -> dict[str, list[Entry]]:
    """List what waits for an officer, by state, oldest first: for an approver approvals, for an auditor holds."""
    states = [
        *(("waiting", "urgent") if Role.APPROVER in officer.roles else ()),
        *(("held",) if Role.AUDITOR in officer.roles else ()),
    ]
    pending: dict[str, list[Entry]] = {state: [] for state in states}
    rows = select(Entry).where(
        Entry.state.in_(states),
        Entry.recorder_id != officer.id,
        Entry.cleared_by.is_distinct_from(officer.id),
    )
    for entry in session.scalars(_restrict_to_district(rows, officer).order_by(Entry.recorded_at, Entry.id)):
        pending[entry.state].append(entry)
    return pending


def list_recorded_by(session: Session, officer: Officer, most: int) -> list[Entry]:
    """List what an officer has recorded, newest first."""
    mine = select(Entry).where(Entry.recorder_id == officer.id).order_by(Entry.id.desc()).limit(most)
    return list(session.scalars(mine))


def find_entry(session: Session, officer: Officer, id_: int) -> Entry:
    """Return an entry of the officer's district. Raises Problem `entry-not-found`."""
    entry = session.get(Entry, id_)
    if entry is None or officer.district not in (None, entry.district):
        raise Problem("entry-not-found")
    return entry


def _restrict_to_district(rows: Select[Any], officer: Officer) -> Select[Any]:
    return rows if officer.district is None else rows.where(Entry.district == officer.district)
