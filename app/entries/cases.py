"""Cases: people with a suspected or confirmed infection, to whom contacts point."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.entries.content import IN_EFFECT_STATES
from app.entries.models import Case, Entry
from app.staff.models import Officer


def open_case(session: Session, entry: Entry, serial: int, now: datetime) -> Case:
    """Open a case for an entry with a diagnosis, unless one is open; its number begins with the reference."""
    already = next(iter(lock_open_cases(session, serial)), None)
    if already is not None:
        return already
    case = Case(
        number=f"{entry.reference}-{entry.id}", serial=serial, district=entry.district, opened_at=now,
        entry_id=entry.id,
    )  # fmt: skip
    session.add(case)
    session.flush()
    return case


def find_case(session: Session, number: str, officer: Officer) -> Case | None:
    """Return the case of this number, where the officer's district has it."""
    mine = select(Case).where(Case.number == number.strip()).execution_options(populate_existing=True)
    case = session.scalars(mine).first()
    return None if case is None or officer.district not in (None, case.district) else case


def get_open_case(session: Session, id_: int, officer: Officer) -> Case:
    """Return an open case of the officer's district. Raises Problem `case-not-found`."""
    case = session.get(Case, id_)
    if case is None or case.ended_at is not None or officer.district not in (None, case.district):
        raise Problem("case-not-found")
    return case


def list_with_contacts(session: Session, officer: Officer, most: int) -> list[tuple[Case, int]]:
    """List the cases of an officer's district, newest first, each with the number of its contacts in effect."""
    counting = and_(Entry.case_id == Case.id, Entry.state.in_(IN_EFFECT_STATES))
    contacts = func.coalesce(func.sum(Entry.people), 0)
    rows = select(Case, contacts).outerjoin(Entry, counting).group_by(Case.id).order_by(Case.id.desc()).limit(most)
    if officer.district is not None:
        rows = rows.where(Case.district == officer.district)
    return [(case, int(number)) for case, number in session.execute(rows)]


def lock_open_cases(session: Session, serial: int) -> Sequence[Case]:
    """Return the open cases of a person, locked."""
    return session.scalars(select(Case).where(Case.serial == serial, Case.ended_at.is_(None)).with_for_update()).all()
