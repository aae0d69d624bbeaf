"""What waits for an officer, as numbers of tasks: for each of their roles what they have to do next. Reads only."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.appeals import viewing
from app.corrections import review as corrections
from app.entries import queries
from app.follow_ups import tasks as follow_ups
from app.staff.models import Officer, Role
from app.stations.models import Inspector, Station
from app.venues import review as venues
from app.visits import alarms, exposures
from app.windows import clerks, recoveries, statements

_MOST: Final = 100  # that are counted of what an auditor sees in full
# tasks the most urgent first, each with the word of the menu under which it is done
TASKS: Final = {
    "urgent": "entries",
    "waiting": "entries",
    "held": "audit",
    "window-holds": "audit",
    "objections": "audit",
    "statements": "statements",
    "returned": "entries",
    "overdue": "appeals",
    "appeals": "appeals",
    "corrections": "corrections",
    "follow-ups-overdue": "follow-ups",
    "follow-ups": "follow-ups",
    "exposures": "exposures",
    "venue-alarms": "venues",
    "venues": "venues",
    "officers": "officers",
    "inspectors": "inspectors",
}


def count_tasks(session: Session, officer: Officer, now: datetime) -> dict[str, int]:
    """Count the tasks of an officer, in the order of TASKS, without those of which there are none."""
    counted: dict[str, int] = {}
    if Role.APPROVER in officer.roles or Role.AUDITOR in officer.roles:
        counted |= queries.count_pending(session, officer)
    if Role.AUDITOR in officer.roles:
        counted["window-holds"] = len(clerks.list_holds(session, officer, _MOST))
        counted["objections"] = len(recoveries.list_objected(session, officer, _MOST))
    if Role.CLERK in officer.roles or Role.APPROVER in officer.roles:
        counted["statements"] = len(statements.list_waiting(session, officer, now))
    if Role.APPROVER in officer.roles:
        counted["exposures"] = exposures.count_waiting(session, officer, now)
    if Role.RECORDER in officer.roles:
        counted["returned"] = queries.count_returned(session, officer, now)
    if Role.APPEALS in officer.roles:
        overdue = viewing.count_open(session, officer, due_by=now)
        counted |= {"overdue": overdue, "appeals": viewing.count_open(session, officer) - overdue}
    if Role.APPEALS in officer.roles or Role.APPROVER in officer.roles:
        counted["corrections"] = corrections.count_open(session, officer, now)
    if Role.RECORDER in officer.roles or Role.APPROVER in officer.roles:
        tasks = follow_ups.count_tasks(session, officer, now)
        counted |= {"follow-ups-overdue": tasks.overdue, "follow-ups": tasks.waiting}
    if Role.ADMINISTRATOR in officer.roles:
        counted["venues"] = venues.count_waiting(session, officer)
        counted["venue-alarms"] = alarms.count_open(session, officer)
        counted |= _count_lost_passwords(session, officer, now)
    return {task: counted[task] for task in TASKS if counted.get(task)}


def _count_lost_passwords(session: Session, administrator: Officer, now: datetime) -> dict[str, int]:
    """Count accounts whose given password was not used in time: nobody can log in until they get another."""
    officers = select(func.count()).where(Officer.password_ends_at <= now, Officer.disabled_at.is_(None))
    inspectors = select(func.count()).select_from(Inspector).join(Station, Inspector.station_id == Station.id)
    inspectors = inspectors.where(Inspector.password_ends_at <= now, Inspector.disabled_at.is_(None))
    if administrator.district is not None:
        officers = officers.where(Officer.district == administrator.district)
        inspectors = inspectors.where(Station.district == administrator.district)
    return {"officers": session.scalars(officers).one(), "inspectors": session.scalars(inspectors).one()}
