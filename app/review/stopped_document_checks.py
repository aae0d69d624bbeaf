"""Inspectors who came to their ceiling of checks by document: somebody may be trying out documents or names."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, AuditEvent, failed_logins
from app.citizens.document_checks.checks import STOPPED
from app.staff.models import Officer
from app.stations.models import Inspector, Station


class StoppedChecks(NamedTuple):
    """An inspector, their station, how many checks were refused, and the last moment."""

    username: str
    station: str
    number: int
    last: datetime


def find_stopped_checks(session: Session, auditor: Officer, since: datetime, most: int) -> Sequence[StoppedChecks]:
    """Find the inspectors whose checks by document were refused since, in the auditor's district; most often first."""
    number = func.sum(failed_logins.number_of_event())
    rows = (
        select(AuditEvent.actor, number, func.max(AuditEvent.at))
        .where(AuditEvent.action == STOPPED, audit.RARE)
        .where(AuditEvent.id >= audit.first_id_since(session, since), AuditEvent.at > since)
        .group_by(AuditEvent.actor)
    )
    refused = {actor: (int(times), last) for actor, times, last in session.execute(rows)}
    for actor, (times, last) in failed_logins.waiting(session, (STOPPED,), since).items():
        refused[actor] = (refused[actor][0] + times if actor in refused else times, last)
    if not refused:
        return []
    known = select(Inspector, Station).join(Station, Inspector.station_id == Station.id)
    if auditor.district is not None:
        known = known.where(Station.district == auditor.district)
    known = known.where(Inspector.id.in_([int(actor.partition(":")[2]) for actor in refused]))
    found = [
        StoppedChecks(inspector.username, station.name, *refused[str(Actor("inspector", str(inspector.id)))])
        for inspector, station in session.execute(known)
    ]
    return sorted(found, key=lambda one: (-one.number, one.username))[:most]
