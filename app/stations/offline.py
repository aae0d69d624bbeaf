"""Offline checks: submitted when the network is back, and processed each by itself and once.

The station judged a check by its token, so it is only counted. A temperature becomes evidence of the moment at which it
was measured. The response does not contain the current color: the citizen has left, and the token is old.

A card on paper has no state: its check is counted as that of an unverified code, which is how the station treated it.
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
from app.codes.models import TEMPERATURES, EvidenceRow
from app.codes.states import State
from app.codes.tokens import NO_GRACE, PAPER_PREFIX, Paper
from app.core.db import among
from app.core.errors import Problem
from app.rules import Temperature
from app.runtime import Services
from app.stations import alerts, checks, counts, foreign, paper_checks, rollup
from app.stations.checks import AnyShift, Shift
from app.stations.counts import StationEvent, TokenMark
from app.stations.paper_checks import ScannedPaper
from app.trust.statements import ReadingTime

log = structlog.get_logger()

COUNTED, REGISTERED, KNOWN = "counted", "registered", "known"
NOT_RECORDED = "foreign-not-recorded"  # a temperature of somebody whose code is not ours
_IDS = UUID("6f3d2c1a-58b7-4e0c-9a44-0d6b1f2e7c93")  # the namespace of our ids; another one would change every id


class SubmittedCheck(NamedTuple):
    """A check as the phone stored it: its id, the token, the moment, and the temperature, if one was measured.

    `tail` is that of the document beside a card on paper whose holder was measured; `station` the name of where it was,
    of somebody who has been moved since.
    """

    id: UUID
    token: str
    at: datetime
    celsius: Decimal | None
    tail: str = ""
    station: str = ""


class OfflineOutcome(NamedTuple):
    """COUNTED, REGISTERED, KNOWN, NOT_RECORDED or the slug of a problem; and the state in the token.

    `mark` is that of a token to count, which `is_foreign` where another province has issued it; `paper` is what a card
    is about.
    """

    outcome: str
    state: State | None
    mark: TokenMark | None = None
    paper: Paper | None = None
    is_foreign: bool = False


def process_checks(
    services: Services, shift: Shift, submitted_checks: Sequence[SubmittedCheck]
) -> list[OfflineOutcome]:
    """Process checks and return their outcomes, in order. Every outcome is final.

    A temporary failure refuses all of them: raises Problem `unavailable`, and the same checks may be submitted again.
    Temperatures are registered before checks are counted, so that evidence does not depend on the counts.
    """
    known = _registered(services, shift.station.id, submitted_checks)
    results = [
        OfflineOutcome(KNOWN, None) if submitted.id in known else _process(services, shift, submitted)
        for submitted in submitted_checks
    ]
    try:
        counted = [_count(services, shift, *pair) for pair in zip(submitted_checks, results, strict=True)]
        _roll_up(services, shift, submitted_checks, counted)
        return counted
    except RedisError as error:
        log.warning("check-not-counted", error=type(error).__name__)
        raise Problem("unavailable", retry_after=5) from None


def evidence_id(station_id: int, id_: UUID) -> str:
    """Return the id of the evidence of a check: the same at every submission, so that it is stored once."""
    return str(uuid5(_IDS, f"{station_id} {id_}"))


def _registered(services: Services, station_id: int, submitted_checks: Sequence[SubmittedCheck]) -> set[UUID]:
    """Return the ids of the checks whose temperature is evidence already, however old they are."""
    ids = {
        evidence_id(station_id, submitted.id): submitted.id
        for submitted in submitted_checks
        if submitted.celsius is not None
    }
    if not ids:
        return set()
    with services.sessions() as session:
        found = session.scalars(select(EvidenceRow.id).where(TEMPERATURES, among(EvidenceRow.id, ids)))
        return {ids[id_] for id_ in found}


def _process(services: Services, shift: Shift, submitted: SubmittedCheck) -> OfflineOutcome:
    """Judge one check and register its temperature; counting comes later."""
    try:
        at = read_moment(services, submitted.at)
        if submitted.celsius is not None and not checks.is_plausible(submitted.celsius):
            raise Problem("temperature-form")
        if submitted.token.startswith(PAPER_PREFIX):
            return _process_card(services, shift, submitted, at)
        if submitted.celsius is None:
            checked = checks.read_token(services, submitted.token, at, NO_GRACE)
            alerts.note(services, checked.serial, checked.state, at)
            return OfflineOutcome(COUNTED, checked.state, checked.mark)
        scanned = checks.read_token(services, submitted.token, at, services.settings.tokens.temperature_grace)
        alerts.note(services, scanned.serial, scanned.state, at)
        return OfflineOutcome(_register(services, shift, scanned.serial, submitted, at), scanned.state)
    except Problem as problem:
        if problem.slug == "token-unknown-key":
            return _process_foreign(services, submitted)
        return OfflineOutcome(problem.slug, None)


def _process_card(services: Services, shift: Shift, submitted: SubmittedCheck, at: datetime) -> OfflineOutcome:
    """Judge a check of a card on paper. It counts once by its own id: a mark of the card would show where it was."""
    if submitted.celsius is None:
        paper = paper_checks.read_card(services, submitted.token, at)
        mark = TokenMark(submitted.id.int >> 65, int(at.timestamp()), counts.mark_seconds(services.settings.tokens))
        return OfflineOutcome(COUNTED, None, mark, paper)
    if not submitted.tail:
        raise Problem("paper-needs-tail")
    scanned = ScannedPaper(submitted.token, submitted.tail)
    serial = paper_checks.open_card(services, scanned, services.clock.now(), at=at)
    alerts.note(services, serial, None, at)
    shift = AnyShift(shift.station, f", paper{shift.remark}", shift.actor)
    return OfflineOutcome(_register(services, shift, serial, submitted, at), None)


def _process_foreign(services: Services, submitted: SubmittedCheck) -> OfflineOutcome:
    """Judge a check of a code that we did not issue, by the trust list of now."""
    tokens = services.settings.tokens
    grace = NO_GRACE if submitted.celsius is None else tokens.temperature_grace
    try:
        statement = foreign.read(services, submitted.token, ReadingTime(submitted.at, tokens.skew, grace))
    except Problem as problem:
        return OfflineOutcome(problem.slug, None)
    if submitted.celsius is not None:
        return OfflineOutcome(NOT_RECORDED, statement.state)
    return OfflineOutcome(COUNTED, statement.state, foreign.mark_of(services, statement), is_foreign=True)


def read_moment(services: Services, at: datetime) -> datetime:
    """Return the moment of a check by our clock; the phone's may be slightly ahead. Raises Problem `check-…`."""
    now, tokens = services.clock.now(), services.settings.tokens
    if at > now + tokens.skew:
        raise Problem("check-in-future")
    if at < now - tokens.offline:
        raise Problem("check-too-old")
    return min(at, now).astimezone(UTC)


def _register(services: Services, shift: Shift, serial: int, submitted: SubmittedCheck, at: datetime) -> str:
    """Record the temperature as on site; return KNOWN when another request has done so meanwhile."""
    assert submitted.celsius is not None
    fact = Temperature(id=evidence_id(shift.station.id, submitted.id), at=at, celsius=submitted.celsius)
    with services.begin() as session:
        ledger.lock_code(session, serial)  # a request with the same check waits here
        if session.get(EvidenceRow, (serial, fact.id)) is not None:
            return KNOWN
        now = services.clock.now()
        context = ledger.ChangeContext(session, services.policy, shift.actor, now)
        checks.record_temperature(context, serial, fact, shift)
        audit.append(session, shift.actor, "told-afterwards", now, serial=serial, evidence=fact.id)
    return REGISTERED


def _count(services: Services, shift: Shift, submitted: SubmittedCheck, result: OfflineOutcome) -> OfflineOutcome:
    """Count a check in its hour, by the state in its token; a token once, however often and by what id it comes."""
    if result.outcome != COUNTED:
        return result
    state = State.UNVERIFIED if result.state is None else result.state  # a card says none
    if result.is_foreign:
        action: str = services.policy.foreign_action(state.name, submitted.at)
        event = foreign.event_of(shift.station.id, submitted.at, state, action)
    else:
        action = services.policy.station(state.name).action
        event = StationEvent(shift.station.id, submitted.at, state, action)
    new = counts.increment_once(services.redis, event, result.mark)
    if new and result.paper is not None:
        serial = paper_checks.note_scan(services, result.paper, services.clock.now())
        if serial is not None:
            alerts.note(services, serial, None, submitted.at)
    return result if new else OfflineOutcome(KNOWN, result.state)


def _roll_up(
    services: Services, shift: Shift, submitted: Sequence[SubmittedCheck], results: Sequence[OfflineOutcome]
) -> None:
    """Roll the hours of these checks up at once: the periodic roll-up passes over hours that are over."""
    pairs = zip(submitted, results, strict=True)
    at = [check.at.astimezone(UTC) for check, result in pairs if result.outcome == COUNTED]
    hours = sorted({moment.replace(minute=0, second=0, microsecond=0) for moment in at})
    if hours:
        rollup.roll_up_stations(services, [shift.station.id], hours)
