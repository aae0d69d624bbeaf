"""A check at a station: a token is read, the color of this moment decides what the inspector does.

A station keeps no name and no trace of who passed, only counts. A temperature becomes evidence; the ledger decides
what follows.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes import ledger
from app.codes.current_code import CurrentCode
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import DecisionRow
from app.codes.states import State
from app.codes.tokens import NO_GRACE, TokenRefused
from app.core.errors import Problem
from app.core.texts import LANGUAGES, text
from app.rules import Policy, Temperature
from app.runtime import Services
from app.stations import counts
from app.stations.counts import TEMPERATURE, StationEvent
from app.stations.models import Station

MIN_CELSIUS, MAX_CELSIUS = Decimal("34.0"), Decimal("43.0")


class Check(NamedTuple):
    """What a station learns: the state now, and what to do: pass, measure or stop."""

    current_code: CurrentCode
    action: str
    instruction: dict[str, str]


class InspectorShift(NamedTuple):
    """An inspector at their station. `remark` is added to the reference of what they record."""

    inspector_id: int
    station: Station
    remark: str = ""

    @property
    def actor(self) -> Actor:
        return Actor("inspector", str(self.inspector_id))


class ScannedToken(NamedTuple):
    """What a token told: whose code it is, and its state as the token was made."""

    serial: int
    state: State


def check(services: Services, token: str, *, station_id: int) -> Check:
    """Read a token, look its code up, and count. Raises Problem `token-…` when the token cannot be accepted."""
    now = services.clock.now()
    # who shows a code is told by its pseudonym, which only we can make; the signature is for those without network
    check = _check_code(services, recognise(services, token, now))
    counts.increment(services.redis, StationEvent(station_id, now, check.current_code.record.state, check.action))
    return check


def register_temperature(services: Services, token: str, celsius: Decimal, shift: InspectorShift) -> Check:
    """Write an on-site temperature down and say what the code is now.

    The token may have ended since it was scanned: measuring takes its time (`tokens.temperature_grace_seconds`).
    """
    now = services.clock.now()
    serial = read_token(services, token, now, services.settings.tokens.temperature_grace).serial
    fact = Temperature(id=new_id(), at=now, celsius=celsius)
    with services.begin() as session:
        record_temperature(session, services, serial, fact, shift)
    check = _check_code(services, serial)
    counts.increment(services.redis, StationEvent(shift.station.id, now, check.current_code.record.state, TEMPERATURE))
    fever = celsius >= services.policy.at(now).fever_celsius
    if check.current_code.record.state == State.UNVERIFIED and not fever:  # measured just now, and normal
        words = {lang: text("stations", "measured-normal", lang) for lang in LANGUAGES}
        return check._replace(action="pass", instruction=words)
    return check


def recognise(services: Services, token: str, now: datetime) -> int:
    """Whose a token is. Raises Problem `token-…`."""
    try:
        return services.tokens.recognise(token, now)
    except TokenRefused as refusal:
        raise Problem(f"token-{refusal.outcome}") from None


def read_token(services: Services, token: str, at: datetime, grace: timedelta = NO_GRACE) -> ScannedToken:
    """What a token told at a moment; it may have ended `grace` before. Raises Problem `token-…`."""
    try:
        found = services.tokens.read(token, at, grace)
    except TokenRefused as refusal:
        raise Problem(f"token-{refusal.outcome}") from None
    assert found.serial is not None  # only a reading without our keys has no serial
    return ScannedToken(found.serial, found.state)


def record_temperature(
    session: Session, services: Services, serial: int, fact: Temperature, shift: InspectorShift
) -> DecisionRow | None:
    """Record a measured temperature as evidence; return the new decision, if there is one."""
    station, now = shift.station, services.clock.now()
    evidence = NewEvidence(fact, authority=station.name, reference=f"station {station.id}{shift.remark}")
    return ledger.record(session, services.policy, serial, [evidence], actor=shift.actor, now=now)


def is_plausible(celsius: Decimal) -> bool:
    """Whether a temperature is one that a living person can have, told with one decimal."""
    return MIN_CELSIUS <= celsius <= MAX_CELSIUS and celsius == celsius.quantize(Decimal("0.1"))


def _check_code(services: Services, serial: int) -> Check:
    current = services.current_code(serial)
    if current.record.state == State.NOT_DECLARED:  # the platform has denied its holder since the token was made
        raise Problem("not-declared")
    return make_check(services.policy, current)


def make_check(policy: Policy, current: CurrentCode) -> Check:
    """What a station does with a code that is so."""
    station = policy.station(current.record.state.name)
    return Check(current, station.action, {"zh": station.zh, "en": station.en})
