"""What a station checked while there was no network, told afterwards: each check by itself, each of them once.

A check was judged by its token at the station, so it is only counted. A temperature becomes evidence of the moment at
which it was measured. Nobody learns here what a color is now: the person has gone, and the token is an old one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid5

import structlog
from redis import RedisError
from sqlalchemy import select

from app import audit
from app.codes import ledger
from app.codes.models import EvidenceRow
from app.codes.states import State
from app.codes.tokens import NO_GRACE
from app.core.errors import Problem
from app.rules import Temperature
from app.runtime import Services
from app.stations import checks, counts
from app.stations.checks import InspectorShift, ScannedToken
from app.stations.counts import TEMPERATURE, StationEvent

log = structlog.get_logger()

COUNTED, REGISTERED, KNOWN = "counted", "registered", "known"
_IDS = UUID("6f3d2c1a-58b7-4e0c-9a44-0d6b1f2e7c93")  # ours alone; changed, every id would be new


class SubmittedCheck(NamedTuple):
    """A check as the phone kept it: an id of its own, the token, when it was, and what was measured, if anything."""

    id: UUID
    token: str
    at: datetime
    celsius: Decimal | None


class OfflineOutcome(NamedTuple):
    """What became of it: COUNTED, REGISTERED, KNOWN or the slug of a problem; and the state that the token told."""

    outcome: str
    state: State | None


def process_checks(
    services: Services, shift: InspectorShift, submitted_checks: Sequence[SubmittedCheck]
) -> list[OfflineOutcome]:
    """What becomes of each entry, in order. Every result is final.

    What would pass refuses the whole: raises Problem `unavailable`, and the same entries may be sent again. Before that
    every temperature is registered, for evidence does not wait for a count.
    """
    known = _registered(services, shift.station.id, submitted_checks)
    results = [
        OfflineOutcome(KNOWN, None) if submitted.id in known else _process(services, shift, submitted)
        for submitted in submitted_checks
    ]
    try:
        return [_count(services, shift, *pair) for pair in zip(submitted_checks, results, strict=True)]
    except RedisError as error:
        log.warning("check-not-counted", error=type(error).__name__)
        raise Problem("unavailable", retry_after=5) from None


def evidence_id(station_id: int, id_: UUID) -> str:
    """The id of the evidence of an entry: the same for every telling, so that the database takes it once."""
    return str(uuid5(_IDS, f"{station_id} {id_}"))


def _registered(services: Services, station_id: int, submitted_checks: Sequence[SubmittedCheck]) -> set[UUID]:
    """The entries whose temperature is evidence already, however old they are by now."""
    ids = {
        evidence_id(station_id, submitted.id): submitted.id
        for submitted in submitted_checks
        if submitted.celsius is not None
    }
    if not ids:
        return set()
    with services.sessions() as session:
        return {ids[found] for found in session.scalars(select(EvidenceRow.id).where(EvidenceRow.id.in_(ids)))}


def _process(services: Services, shift: InspectorShift, submitted: SubmittedCheck) -> OfflineOutcome:
    """Judge one entry, and register its temperature; a count is still to come."""
    try:
        at = _moment(services, submitted.at)
        if submitted.celsius is None:
            return OfflineOutcome(COUNTED, checks.read_token(services, submitted.token, at, NO_GRACE).state)
        if not checks.is_plausible(submitted.celsius):
            raise Problem("temperature-form")
        scanned = checks.read_token(services, submitted.token, at, services.settings.tokens.temperature_grace)
        fact = Temperature(id=evidence_id(shift.station.id, submitted.id), at=at, celsius=submitted.celsius)
        return OfflineOutcome(REGISTERED if _register(services, shift, scanned, fact) else KNOWN, scanned.state)
    except Problem as problem:
        return OfflineOutcome(problem.slug, None)


def _moment(services: Services, at: datetime) -> datetime:
    """When it was, by our clock: a phone's clock may be a little ahead. Raises Problem `check-…`."""
    now, tokens = services.clock.now(), services.settings.tokens
    if at > now + tokens.skew:
        raise Problem("check-in-future")
    if at < now - tokens.offline:
        raise Problem("check-too-old")
    return min(at, now).astimezone(UTC)


def _register(services: Services, shift: InspectorShift, scanned: ScannedToken, fact: Temperature) -> bool:
    """Write the temperature down, as on site; False when another request has done so meanwhile."""
    with services.begin() as session:
        code = ledger.lock_code(session, scanned.serial)  # a request with the same check waits here
        if session.get(EvidenceRow, fact.id) is not None:
            return False
        decision = checks.record_temperature(session, services, scanned.serial, fact, shift)
        now = services.clock.now()
        audit.append(session, shift.actor, "told-afterwards", now, serial=scanned.serial, evidence=fact.id)
        state = State(code.state if decision is None else decision.state)
    counts.increment(services.redis, StationEvent(shift.station.id, fact.at, state, TEMPERATURE))
    return True


def _count(
    services: Services, shift: InspectorShift, submitted: SubmittedCheck, result: OfflineOutcome
) -> OfflineOutcome:
    """Count a check in the hour in which it was, by what the token told; once, however often it is told."""
    if result.outcome != COUNTED:
        return result
    assert result.state is not None
    action = services.policy.station(result.state.name).action
    event = StationEvent(shift.station.id, submitted.at, result.state, action)
    tokens = services.settings.tokens
    new = counts.increment_once(services.redis, event, submitted.id, tokens.offline + tokens.skew)
    return result if new else OfflineOutcome(KNOWN, result.state)
