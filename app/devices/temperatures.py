"""Temperatures of thermal cameras, which know nobody: each joins the token that its lane checks within ten seconds.

Whether it is a fever is the policy's word, never that of a firmware. Of a reading that joins nothing, nothing is kept.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import uuid5

from redis import RedisError

from app.codes import ledger
from app.codes.current_code import changed_code
from app.codes.models import EvidenceRow
from app.core.errors import Problem
from app.devices import lanes
from app.devices.device_cache import KnownDevice
from app.devices.lanes import WINDOW_SECONDS, Before, Reading
from app.devices.models import DeviceAct
from app.devices.shifts import make_shift
from app.rules import Temperature
from app.runtime import Services
from app.stations import checks, offline
from app.stations.checks import Check

JOINED: Final = "joined"
WAITING: Final = "waiting"  # for the check that follows
AMBIGUOUS: Final = "ambiguous"
_REMEMBERED_SECONDS: Final = 3600


class Measured(NamedTuple):
    """What became of a reading, whether it is a fever, and the check of the code that it belongs to, if any."""

    result: str
    fever: bool
    check: Check | None = None


def read(services: Services, device: KnownDevice, reading: Reading, at: datetime) -> Measured:
    """Take a reading that a device of a lane made at a moment; it joins the check of the ten seconds before, if one.

    Raises Problem `device-may-not`, `temperature-form`, `reading-too-old`, and `unavailable` without Redis.
    """
    if not device.may(DeviceAct.TEMPERATURE):
        raise Problem("device-may-not")
    if not checks.is_plausible(reading.celsius):
        raise Problem("temperature-form")
    if abs(services.real_clock.now() - at) > timedelta(seconds=WINDOW_SECONDS):
        raise Problem("reading-too-old")
    try:
        known = services.redis.get(_name(reading))
        if isinstance(known, bytes):
            return Measured(known.decode(), is_fever(services, reading.celsius))
        before = lanes.add(services, device, reading)
        measured = _join(services, device, reading, before)
        if measured.result != JOINED:
            _remember(services, reading, measured.result)
        return measured
    except RedisError:
        raise Problem("unavailable", retry_after=1) from None


def _join(services: Services, device: KnownDevice, reading: Reading, before: Before) -> Measured:
    tokens = [token for token in before.checks if lanes.is_token(token)]
    if len(before.checks) == len(tokens) == 1 and not before.readings:
        return register(services, device, reading, tokens[0])
    result = AMBIGUOUS if before.checks or before.readings else WAITING
    return Measured(result, is_fever(services, reading.celsius))


def join_reading(services: Services, device: KnownDevice, token: str, before: Before) -> Measured | None:
    """Join the one reading that was made before a check, if there is any; None where the lane was empty.

    A reading that followed another check is that one's, or ambiguous: it is never that of the next one.
    """
    if before.checks or len(before.readings) != 1:
        return leave_readings(services, before)
    return register(services, device, before.readings[0], token)


def leave_readings(services: Services, before: Before) -> Measured | None:
    """Return what readings before a check that they cannot join say: nobody's, and whether there is a fever of them."""
    if before.checks or not before.readings:
        return None
    return Measured(AMBIGUOUS, any(is_fever(services, reading.celsius) for reading in before.readings))


def register(services: Services, device: KnownDevice, reading: Reading, token: str) -> Measured:
    """Record a temperature as evidence, once for the number of the reading; return the check after it. Raises Problem.

    It is the holder's of the token, which may have ended since the check as far as an inspector's may.
    """
    now, shift = services.clock.now(), make_shift(services, device)
    scanned = checks.read_token(services, token, now, services.settings.tokens.temperature_grace)
    id_ = offline.evidence_id(device.station, uuid5(reading.number, str(reading.device)))
    with services.begin() as session:
        checks.require_of_holder(session, scanned)
        if session.get(EvidenceRow, (scanned.serial, id_)) is None:
            context = ledger.ChangeContext(session, services.policy, shift.actor, now)
            fact = Temperature(id=id_, at=now, celsius=reading.celsius)
            checks.record_temperature(context, scanned.serial, fact, shift)
        decided = changed_code(session, services.policy, scanned.serial)
    _remember(services, reading, JOINED)
    check = checks.check_measured(services, decided, reading.celsius)
    return Measured(JOINED, is_fever(services, reading.celsius), check)


def is_fever(services: Services, celsius: Decimal) -> bool:
    """Return whether a temperature is a fever by the policy now."""
    return celsius >= services.policy.at(services.clock.now()).fever_celsius


def _remember(services: Services, reading: Reading, result: str) -> None:
    """Remember what became of a reading, so that it has one answer however often it is sent; without a name."""
    try:
        services.redis.set(_name(reading), result, ex=_REMEMBERED_SECONDS)
    except RedisError:
        return  # sent again, it finds its evidence


def _name(reading: Reading) -> str:
    return f"jx:reading:{reading.device}:{reading.number}"
