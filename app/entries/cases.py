"""Cases: the people with a suspected or confirmed infection, by whom others have been contacts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.entries.models import Case, Entry
from app.staff.models import Officer


def open_case(session: Session, entry: Entry, serial: int, now: datetime) -> Case:
    """The case of a person, opened by the diagnosis of a proposal unless one runs; its number is the document's."""
    running = next(iter(lock_open_cases(session, serial)), None)
    if running is not None:
        return running
    case = Case(
        number=f"{entry.reference}-{entry.id}", serial=serial, district=entry.district, opened_at=now,
        entry_id=entry.id,
    )  # fmt: skip
    session.add(case)
    session.flush()
    return case


def find_case(session: Session, number: str, officer: Officer) -> Case | None:
    """The case of this number, where the officer's district has it."""
    mine = select(Case).where(Case.number == number.strip()).execution_options(populate_existing=True)
    case = session.scalars(mine).first()
    return None if case is None or officer.district not in (None, case.district) else case


def get_open_case(session: Session, id_: int, officer: Officer) -> Case:
    """A case of the officer's district that has not ended. Raises Problem `case-not-found`."""
    case = session.get(Case, id_)
    if case is None or case.ended_at is not None or officer.district not in (None, case.district):
        raise Problem("case-not-found")
    return case


def list_with_contacts(session: Session, officer: Officer, most: int) -> list[tuple[Case, int]]:
    """The cases of an officer's district, the newest first, each with how many contacts of it count."""
    counting = and_(Entry.case_id == Case.id, Entry.state.in_(("applied", "urgent")))
    contacts = func.coalesce(func.sum(Entry.people), 0)
    rows = select(Case, contacts).outerjoin(Entry, counting).group_by(Case.id).order_by(Case.id.desc()).limit(most)
    if officer.district is not None:
        rows = rows.where(Case.district == officer.district)
    return [(case, int(number)) for case, number in session.execute(rows)]


def lock_open_cases(session: Session, serial: int) -> Sequence[Case]:
    """The cases of a person that have not ended, locked."""
    return session.scalars(select(Case).where(Case.serial == serial, Case.ended_at.is_(None)).with_for_update()).all()
