"""Checks by devices: the color and what to do, as an inspector reads them, each counted once by the device's number.

A token is counted once at a station anyhow. A card and a document are counted once for the number of the check, so that
a device repeats what was not answered.
"""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import structlog
from redis import RedisError

from app.citizens.document_checks import checks as document_checks
from app.citizens.document_checks.checks import Asked, DocumentResult, Identity, Outcome
from app.core.errors import Problem
from app.core.texts import citizen_languages, text
from app.devices import lanes, temperatures
from app.devices.device_cache import KnownDevice
from app.devices.lanes import Before, Passage, Reading
from app.devices.models import DeviceAct
from app.devices.shifts import actor_of
from app.devices.temperatures import Measured
from app.runtime import Services
from app.stations import checks, counts, foreign, paper_checks
from app.stations.checks import Check
from app.stations.counts import TEMPERATURE, NumberMark, StationEvent
from app.stations.foreign import ForeignCheck
from app.stations.paper_checks import ScannedPaper

log = structlog.get_logger()
Proof = str | ScannedPaper | Identity  # a token, a card with the tail of its document, or a document with its name


class DeviceCheck(NamedTuple):
    """A check that a device asks for: its own number, what was shown, and the temperature measured with a token."""

    number: UUID
    proof: Proof
    celsius: Decimal | None = None


class DeviceResult(NamedTuple):
    """The answer to a device: our result, or the statement about a code of another province.

    `counted` is False where a token could not be counted: it is submitted later, then.
    """

    result: DocumentResult | ForeignCheck
    measured: Measured | None = None
    counted: bool = True


def require(device: KnownDevice, act: DeviceAct) -> None:
    """Raise Problem `device-may-not` for what a device of this kind does not do."""
    if not device.may(act):
        raise Problem("device-may-not")


def check(services: Services, device: KnownDevice, asked: DeviceCheck) -> DeviceResult:
    """Check what was shown to a device. Raises Problem as the check of an inspector does, and `device-may-not`."""
    require(device, _act(asked.proof))
    if isinstance(asked.proof, str):
        return _check_token(services, device, asked, asked.proof)
    return _with_readings(services, device, asked, _read_other(services, device, asked.proof))


def _act(proof: Proof) -> DeviceAct:
    if isinstance(proof, str):
        return DeviceAct.TOKEN
    return DeviceAct.PAPER if isinstance(proof, ScannedPaper) else DeviceAct.DOCUMENT


def _check_token(services: Services, device: KnownDevice, asked: DeviceCheck, token: str) -> DeviceResult:
    if asked.celsius is not None:
        require(device, DeviceAct.TEMPERATURE)
        if not checks.is_plausible(asked.celsius):
            raise Problem("temperature-form")
    now = services.clock.now()
    try:
        found, mark = checks.read_check(services, token, now)
    except Problem as problem:
        if problem.slug != "token-unknown-key":  # of another province, perhaps
            raise
        return _with_readings(services, device, asked, _read_foreign(services, device, asked, token))
    before, measured = _pass(services, device, Passage(asked.number, token)), None
    if asked.celsius is not None:
        measured = temperatures.register(services, device, Reading(device.id, asked.number, asked.celsius), token)
    elif before is not None:
        measured = temperatures.join_reading(services, device, token, before)
    answer = found if measured is None else _after(found, measured)
    event = StationEvent(device.station, now, answer.current_code.record.state, answer.action)
    counted = counts.increment(services.redis, event, mark)
    return DeviceResult(_as_result(services, answer), measured, counted)


def _read_foreign(services: Services, device: KnownDevice, asked: DeviceCheck, token: str) -> ForeignCheck:
    """Read a code that we did not issue, as an inspector does; a temperature is counted, and not recorded."""
    now = services.clock.now()
    stated = foreign.read_check(services, token, now)
    if asked.celsius is None:
        return stated
    measured = foreign.event_of(device.station, now, stated.statement.state, TEMPERATURE)
    counts.increment(services.redis, measured, NumberMark(device.id, asked.number))
    return foreign.judge_measured(services, stated, asked.celsius)


def _with_readings(
    services: Services, device: KnownDevice, asked: DeviceCheck, found: DocumentResult | ForeignCheck
) -> DeviceResult:
    """Note a check in its lane that no reading joins, and count it by its answer.

    Where a reading before it is a fever, nobody is let pass unmeasured.
    """
    before = _pass(services, device, Passage(asked.number, ""))
    measured = None if before is None else temperatures.leave_readings(services, before)
    if isinstance(found, ForeignCheck):
        if measured is not None and measured.fever and found.action == "pass":
            found = found._replace(action="measure", slug="measure")
    elif measured is not None and found.check is not None:
        found = found._replace(check=_after(found.check, measured))
    return DeviceResult(found, measured, _count(services, device, asked, found))


def _count(services: Services, device: KnownDevice, asked: DeviceCheck, found: DocumentResult | ForeignCheck) -> bool:
    """Count what was answered; return whether it was, or was nobody's check."""
    now = services.clock.now()
    if isinstance(found, ForeignCheck):
        event = foreign.event_of(device.station, now, found.statement.state, found.action)
        return counts.increment(services.redis, event, foreign.mark_of(services, found.statement))
    if found.check is None:
        return True
    event = StationEvent(device.station, now, found.check.current_code.record.state, found.check.action)
    return counts.increment(services.redis, event, NumberMark(device.id, asked.number))


def _after(check: Check, measured: Measured) -> Check:
    """Return a check after a measurement; somebody's fever that is not known to be theirs is measured by hand."""
    if measured.check is not None:
        return measured.check
    if measured.fever and check.action == "pass":
        words = {language: text("stations", "fever-in-lane", language) for language in citizen_languages()}
        return check._replace(action="measure", instruction=words)
    return check


def _read_other(services: Services, device: KnownDevice, proof: ScannedPaper | Identity) -> DocumentResult:
    now = services.clock.now()
    if isinstance(proof, ScannedPaper):
        return _as_result(services, paper_checks.read_check(services, proof, now))
    return document_checks.read_check(services, proof, Asked(actor_of(device), device.station), now)


def _as_result(services: Services, check: Check) -> DocumentResult:
    """Return a check with its outcome, as the check of a document has one."""
    outcome = document_checks.make_result(services.policy, check.current_code).outcome
    return DocumentResult(outcome if outcome is not Outcome.NOT_FOUND else Outcome.UNVERIFIED, check)


def _pass(services: Services, device: KnownDevice, passage: Passage) -> Before | None:
    """Note a check in its lane; None without Redis, where no reading can be joined."""
    try:
        return lanes.add(services, device, passage)
    except RedisError as error:
        log.warning("lane-not-kept", error=type(error).__name__)
        return None
