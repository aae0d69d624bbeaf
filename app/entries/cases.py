"""Cases: people with a suspected or confirmed infection, to whom contacts point.

A case belongs to the district that opened it. Whoever does not cover that district does not end it alone.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.codes.models import EvidenceRow
from app.core.db import among
from app.core.errors import Problem
from app.core.suppression import Cell, round_down
from app.entries.content import IN_EFFECT_STATES, OPEN_STATES, EntryKind
from app.entries.models import MADE_EVIDENCE, Case, Entry, EntrySubject
from app.staff.context import OfficerContext
from app.staff.models import Officer


class Resting(NamedTuple):
    """What rests on cases, and ends with them: contacts, also those who wait, and open entries, which are rejected."""

    people: int
    entries: int

    @property
    def shown(self) -> Cell:
        """Return the number of people as it may be shown: the officer may not see the case."""
        return round_down(self.people)


class CaseEnding(NamedTuple):
    """The end of cases that an entry brings: what rests on them, and whether another district has one of them."""

    resting: Resting
    elsewhere: bool


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


# --- their end ----------------------------------------------------------------------------------------------------


def covers_open_cases(context: OfficerContext, serials: Collection[int]) -> bool:
    """Return whether the officer's district covers every open case of these people."""
    return all(context.covers(case.district) for case in _list_open(context.session, serials))


def find_ending(context: OfficerContext, kind: str, serials: Collection[int]) -> CaseEnding | None:
    """Return the end of cases that an entry of this kind about these people would bring, or None."""
    open_cases = _list_open(context.session, serials) if kind == EntryKind.RULED_OUT else ()
    if not open_cases:
        return None
    resting = count_resting(context.session, [case.id for case in open_cases])
    return CaseEnding(resting, not all(context.covers(case.district) for case in open_cases))


def count_resting(session: Session, case_ids: Collection[int]) -> Resting:
    """Count what rests on these cases."""
    of_cases, is_open = among(Entry.case_id, case_ids), Entry.state.in_(OPEN_STATES)
    in_effect = and_(EvidenceRow.id.is_not(None), EvidenceRow.withdrawn_at.is_(None))
    people = (
        select(func.count(EntrySubject.serial.distinct()))
        .join(Entry, Entry.id == EntrySubject.entry_id)
        .outerjoin(EvidenceRow, MADE_EVIDENCE)
        .where(of_cases, or_(is_open, in_effect))
    )
    entries = select(func.count()).select_from(Entry).where(of_cases, is_open)
    return Resting(session.scalars(people).one(), session.scalars(entries).one())


def _list_open(session: Session, serials: Collection[int]) -> Sequence[Case]:
    return session.scalars(select(Case).where(among(Case.serial, serials), Case.ended_at.is_(None))).all()
