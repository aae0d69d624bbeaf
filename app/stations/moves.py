"""Moves of inspectors to other stations: what waits on a phone counts at the station where it was checked.

Whoever is moved logs in anew at the other station, and their phone has what they checked before. The audit says until
when they were at the one before.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import AuditEvent
from app.core.errors import Problem
from app.runtime import Services
from app.stations import accounts, offline
from app.stations.checks import InspectorShift
from app.stations.models import Station
from app.stations.offline import OfflineOutcome, SubmittedCheck

MOVED: Final = "inspector-moved"  # in the audit, with the station before
ELSEWHERE: Final = "checked-elsewhere"


def process_checks(
    services: Services, shift: InspectorShift, submitted: Sequence[SubmittedCheck]
) -> list[OfflineOutcome]:
    """Process checks as `offline.process_checks` does, each at the station that it names, or else at that of the shift.

    One of a station at which the inspector was not at that moment is ELSEWHERE, which somebody else may submit.
    """
    outcomes: dict[int, OfflineOutcome] = {}
    at_station: defaultdict[int, list[int]] = defaultdict(list)
    stations = _find_stations(services, shift, submitted)
    for number, station in enumerate(stations):
        if station is None:
            outcomes[number] = OfflineOutcome(_why_not(services, submitted[number]), None)
        else:
            at_station[station.id].append(number)
    for numbers in at_station.values():
        there = shift._replace(station=stations[numbers[0]] or shift.station)
        done = offline.process_checks(services, there, [submitted[number] for number in numbers])
        outcomes |= dict(zip(numbers, done, strict=True))
    return [outcomes[number] for number in range(len(submitted))]


def _find_stations(
    services: Services, shift: InspectorShift, submitted: Sequence[SubmittedCheck]
) -> list[Station | None]:
    """Return the station of each check; None where the inspector was not at the one that it names."""
    named = {one.station for one in submitted} - {"", shift.station.name}
    if not named:
        return [shift.station] * len(submitted)
    with services.sessions() as session:
        known = {name: accounts.find_station(session, name) for name in named}
        were_at = stations_at(session, shift, {one.at for one in submitted})
    known |= {"": shift.station, shift.station.name: shift.station}
    found = ((one, known[one.station]) for one in submitted)
    return [
        station if station is shift.station or (station is not None and were_at[one.at] == station.id) else None
        for one, station in found
    ]


def stations_at(session: Session, shift: InspectorShift, moments: Collection[datetime]) -> dict[datetime, int]:
    """Return the id of the station at which the inspector was at each moment."""
    moved = (
        select(AuditEvent.at, AuditEvent.detail["station_before"].as_integer())
        .where(AuditEvent.action == MOVED, audit.RARE, AuditEvent.at > min(moments))
        .where(AuditEvent.detail["inspector"].as_integer() == shift.inspector_id)
        .order_by(AuditEvent.id)
    )
    moves = session.execute(moved).all()
    return {
        moment: next((before for at, before in moves if at > moment), shift.station.id)  # until the next move
        for moment in moments
    }


def _why_not(services: Services, submitted: SubmittedCheck) -> str:
    """Return the outcome of a check of another station: what is too old for anybody is refused for good."""
    try:
        offline.read_moment(services, submitted.at)
    except Problem as problem:
        return problem.slug
    return ELSEWHERE
