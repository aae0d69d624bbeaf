"""Reading entries for pages."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Uuid, and_, cast, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from app.codes.models import EvidenceRow
from app.core.errors import Problem
from app.entries.content import OPEN_STATES, EntryKind
from app.entries.models import MADE_EVIDENCE, Case, Entry, EntrySubject
from app.staff.models import Officer, Role

RETURNED_PERIOD: Final = timedelta(days=1)


def list_pending(session: Session, officer: Officer) -> dict[str, list[Entry]]:
    """List what waits for an officer, by state, oldest first: for an approver approvals, for an auditor holds."""
    pending: dict[str, list[Entry]] = {state: [] for state in _pending_states(officer)}
    rows = select(Entry).where(*_is_pending(officer)).order_by(Entry.recorded_at, Entry.id)
    for entry in session.scalars(rows):
        pending[entry.state].append(entry)
    return pending


def count_pending(session: Session, officer: Officer) -> dict[str, int]:
    """Count what `list_pending` lists, by state."""
    rows = session.execute(select(Entry.state, func.count()).where(*_is_pending(officer)).group_by(Entry.state))
    return dict.fromkeys(_pending_states(officer), 0) | {row[0]: row[1] for row in rows}


def count_returned(session: Session, officer: Officer, now: datetime) -> int:
    """Count what came back to its recorder within a day: rejected, or lapsed for want of an approval."""
    returned = select(func.count()).select_from(Entry).where(
        Entry.recorder_id == officer.id,
        Entry.state.in_(("rejected", "lapsed")),
        Entry.resolved_at > now - RETURNED_PERIOD,
    )  # fmt: skip
    return session.scalars(returned).one()


def list_recorded_by(session: Session, officer: Officer, most: int) -> list[Entry]:
    """List what an officer has recorded, newest first."""
    mine = select(Entry).where(Entry.recorder_id == officer.id).order_by(Entry.id.desc()).limit(most)
    return list(session.scalars(mine))


def find_entry(session: Session, officer: Officer, id_: int) -> Entry:
    """Return an entry that the officer sees. Raises Problem `entry-not-found`."""
    entry = session.get(Entry, id_)
    if entry is None or not may_see(session, officer, entry):
        raise Problem("entry-not-found")
    return entry


def may_see(session: Session, officer: Officer, entry: Entry) -> bool:
    """Return whether an officer sees an entry: one that concerns their district, or that they recorded or resolved.

    So who works for another district now still sees, and withdraws, what they have recorded.
    """
    if officer.district in (None, entry.district) or officer.id in (entry.recorder_id, entry.resolved_by):
        return True
    concerning = select(Entry.id).where(Entry.id == entry.id, concerns(officer.district))
    return session.scalar(concerning) is not None


def concerns(district: str | None) -> ColumnElement[bool]:
    """Return the condition that an entry is of a district, or ends a case of it or would, or releases people of it.

    The province has all.
    """
    if district is None:
        return true()
    ending = (
        select(EntrySubject.entry_id)
        .join(Case, Case.serial == EntrySubject.serial)
        .where(Case.district == district, Case.ended_at.is_(None), EntrySubject.entry_id == Entry.id)
    )
    ended = select(Case.id).where(Case.district == district, Case.ended_by == Entry.id)
    is_ending = and_(Entry.state.in_(OPEN_STATES), ending.exists())
    restricting = aliased(Entry)
    released = join_released(select(EntrySubject.serial), restricting)
    released = released.where(EntrySubject.entry_id == Entry.id, restricting.district == district)
    return or_(
        Entry.district == district,
        and_(Entry.kind == EntryKind.RULED_OUT, or_(is_ending, ended.exists())),
        and_(Entry.kind == EntryKind.RELEASE, released.exists()),
    )


def join_released(rows: Any, restricting: type[Entry]) -> Any:
    """Join to the subjects of releases the entries that had made the restrictions which they end."""
    restricted = aliased(EntrySubject)
    in_facts = cast(EvidenceRow.facts["releases"].astext, Uuid(as_uuid=False))  # of rows from before `refers_to`
    releases = func.coalesce(EvidenceRow.refers_to, in_facts)
    return (
        rows.join(EvidenceRow, MADE_EVIDENCE)
        .join(restricted, restricted.evidence_id == releases)
        .join(restricting, restricting.id == restricted.entry_id)
    )


def _pending_states(officer: Officer) -> tuple[str, ...]:
    approvals = ("waiting", "urgent") if Role.APPROVER in officer.roles else ()
    return (*approvals, *(("held",) if Role.AUDITOR in officer.roles else ()))


def _is_pending(officer: Officer) -> list[ColumnElement[bool]]:
    return [
        Entry.state.in_(_pending_states(officer)),
        Entry.recorder_id != officer.id,
        Entry.cleared_by.is_distinct_from(officer.id),
        concerns(officer.district),
    ]
