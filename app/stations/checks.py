"""A check at a station: a token is read, the color of this moment decides what the inspector does.

A station keeps no name and no trace of who passed. A temperature becomes evidence; the ledger decides what follows.
"""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from app.audit import Actor
from app.codes import ledger
from app.codes.evidence import Entry, new_id
from app.codes.reading import Current
from app.codes.states import State
from app.codes.tokens import TokenRefused
from app.errors import Problem
from app.rules import Temperature
from app.services import Services
from app.stations.models import Station
from app.texts import LANGUAGES, text

LOWEST, HIGHEST = Decimal("34.0"), Decimal("43.0")


class Check(NamedTuple):
    """What a station learns: the state now, and what to do: pass, measure or stop."""

    current: Current
    action: str
    instruction: dict[str, str]


def check(services: Services, token: str) -> Check:
    """Read a token and look its code up. Raises Problem `token-…` when the token cannot be accepted."""
    serial = _serial(services, token)
    return _judge(services, serial)


def register_temperature(
    services: Services, token: str, celsius: Decimal, *, inspector_id: int, station: Station
) -> Check:
    """Write an on-site temperature down and say what the code is now.

    The token may have ended since it was scanned: measuring takes its time (`tokens.temperature_grace_seconds`).
    """
    grace = timedelta(seconds=services.settings.tokens.temperature_grace_seconds)
    serial = _serial(services, token, grace)
    now = services.clock.now()
    with services.begin() as session:
        fact = Temperature(id=new_id(), at=now, celsius=celsius)
        ledger.record(
            session,
            services.policy,
            serial,
            [Entry(fact, authority=station.name, reference=f"station {station.id}")],
            actor=Actor("inspector", str(inspector_id)),
            now=now,
        )
        fever = celsius >= services.policy.at(now).fever_celsius
    judged = _judge(services, serial)
    if judged.current.record.state == State.UNVERIFIED and not fever:  # measured just now, and normal
        words = {tongue: text("stations", "measured-normal", tongue) for tongue in LANGUAGES}
        return judged._replace(action="pass", instruction=words)
    return judged


def _serial(services: Services, token: str, grace: timedelta = timedelta(0)) -> int:
    try:
        serial = services.tokens.read(token, services.clock.now(), grace).serial
    except TokenRefused as refusal:
        raise Problem(f"token-{refusal.outcome}") from None
    assert serial is not None  # only a reading without our keys has no serial
    return serial


def _judge(services: Services, serial: int) -> Check:
    current = services.current(serial)
    state = current.record.state
    if state == State.NOT_DECLARED:  # the platform has denied its holder since the token was made
        raise Problem("not-declared")
    station = services.policy.station(state.name)
    return Check(current, station.action, {"zh": station.zh, "en": station.en})
