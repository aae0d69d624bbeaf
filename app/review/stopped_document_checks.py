"""Inspectors and devices at their ceiling of checks by document: somebody may be trying out documents or names."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import Actor, AuditEvent, failed_logins
from app.citizens.document_checks.checks import STOPPED
from app.devices.models import Device
from app.staff.models import Officer
from app.stations.models import Inspector, Station


class StoppedChecks(NamedTuple):
    """An inspector, or the number of a device, the station, how many checks were refused, and the last moment."""

    username: str
    station: str
    number: int
    last: datetime


def find_stopped_checks(session: Session, auditor: Officer, since: datetime, most: int) -> Sequence[StoppedChecks]:
    """Find whose checks by document were refused since, in the auditor's district; most often first."""
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
    known = [*_find_inspectors(session, auditor, refused), *_find_devices(session, auditor, refused)]
    found = [StoppedChecks(name, station, *refused[actor]) for actor, name, station in known]
    return sorted(found, key=lambda one: (-one.number, one.username))[:most]


_Known = Iterator[tuple[str, str, str]]  # the actor, the name, and the station


def _find_inspectors(session: Session, auditor: Officer, actors: Iterable[str]) -> _Known:
    known = select(Inspector, Station).join(Station, Inspector.station_id == Station.id)
    known = known.where(Inspector.id.in_(_ids("inspector", actors)), *_of(auditor))
    for inspector, station in session.execute(known):
        yield str(Actor("inspector", str(inspector.id))), inspector.username, station.name


def _find_devices(session: Session, auditor: Officer, actors: Iterable[str]) -> _Known:
    known = select(Device, Station).join(Station, Device.station_id == Station.id)
    known = known.where(Device.id.in_(_ids("device", actors)), *_of(auditor))
    for device, station in session.execute(known):
        yield str(Actor("device", str(device.id))), f"{device.kind} {device.id}", station.name


def _ids(kind: str, actors: Iterable[str]) -> list[int]:
    return [int(id_) for found, _, id_ in (actor.partition(":") for actor in actors) if found == kind]


def _of(auditor: Officer) -> list[ColumnElement[bool]]:
    return [] if auditor.district is None else [Station.district == auditor.district]
