"""Checks at a station: a token is read, and the current color decides the action of the inspector.

A station stores no names and no record of who passed, only counts. A temperature becomes evidence; the ledger decides
the result.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes import ledger
from app.codes.current_code import CurrentCode, changed_code
from app.codes.evidence import NewEvidence, new_id
from app.codes.models import DecisionRow
from app.codes.states import State
from app.codes.tokens import NO_GRACE, PAPER_PREFIX, STRIP_PREFIX, TokenRefused
from app.core.errors import Problem
from app.core.texts import citizen_languages, text
from app.rules import Policy, Temperature
from app.runtime import Services
from app.stations import alerts, counts
from app.stations.counts import TEMPERATURE, StationEvent, TokenMark
from app.stations.models import Station

MIN_CELSIUS, MAX_CELSIUS = Decimal("34.0"), Decimal("43.0")


class Check(NamedTuple):
    """The result of a check: the current code, the action (pass, measure or stop) and its instruction by language."""

    current_code: CurrentCode
    action: str
    instruction: dict[str, str]


class Shift(Protocol):
    """Who checks and measures, at which station; `remark` is added to the reference of what they record."""

    @property
    def station(self) -> Station: ...

    @property
    def remark(self) -> str: ...

    @property
    def actor(self) -> Actor: ...


class AnyShift(NamedTuple):
    """A shift as it is recorded: of whoever checks."""

    station: Station
    remark: str
    actor: Actor


class InspectorShift(NamedTuple):
    """An inspector at their station. `remark` is added to the reference of what they record."""

    inspector_id: int
    station: Station
    remark: str = ""

    @property
    def actor(self) -> Actor:
        return Actor("inspector", str(self.inspector_id))


class ScannedToken(NamedTuple):
    """The content of a token: the serial of the code, its state when the token was minted, and its mark.

    `epoch` is that of the holder's sessions in a token of a strip, which ends with them.
    """

    serial: int
    state: State
    mark: TokenMark
    epoch: int | None = None


class Recognised(NamedTuple):
    """What a check needs of a token: as in `RecognisedToken`, and the epoch in a token of a strip."""

    serial: int
    number: int
    issued: int
    epoch: int | None = None


def check(services: Services, token: str, *, station_id: int) -> Check:
    """Check the code of a token and count the check, once for each token at a station.

    Raises Problem `token-…` for a token that is not valid.
    """
    now = services.clock.now()
    check, mark = read_check(services, token, now)
    event = StationEvent(station_id, now, check.current_code.record.state, check.action)
    counts.increment(services.redis, event, mark)
    return check


def read_check(services: Services, token: str, now: datetime) -> tuple[Check, TokenMark]:
    """Return the check of the code of a token, which is not counted yet, and the mark of the token. Raises Problem."""
    # the pseudonym, which only our keys can make, is enough here; the signature is for stations without network
    recognised = recognise(services, token, now)
    current = services.current_code(recognised.serial)
    if recognised.epoch is not None and recognised.epoch != current.record.epoch:
        raise Problem("strip-ended")
    check, seconds = check_code(services, current), counts.mark_seconds(services.settings.tokens)
    alerts.note(services, recognised.serial, current.record.state, now)
    return check, TokenMark(recognised.number, recognised.issued, seconds)


def register_temperature(services: Services, token: str, celsius: Decimal, shift: Shift) -> Check:
    """Record an on-site temperature and return the check of the code after it.

    The token may have ended since the scan, because measuring takes time (`tokens.temperature_grace_seconds`).
    """
    scanned = read_token(services, token, services.clock.now(), services.settings.tokens.temperature_grace)
    with services.begin() as session:
        require_of_holder(session, scanned)
        decided = measure(services, session, scanned.serial, celsius, shift)
    alerts.note(services, scanned.serial, decided.record.state, services.clock.now())
    return check_measured(services, decided, celsius)


def measure(services: Services, session: Session, serial: int, celsius: Decimal, shift: Shift) -> CurrentCode:
    """Record a temperature measured now, in a transaction that holds the code locked; return the code after it."""
    now = services.clock.now()
    fact = Temperature(id=new_id(), at=now, celsius=celsius)
    record_temperature(ledger.ChangeContext(session, services.policy, shift.actor, now), serial, fact, shift)
    return changed_code(session, services.policy, serial)


def check_measured(services: Services, decided: CurrentCode, celsius: Decimal) -> Check:
    """Return the check of a code after a temperature was measured."""
    check, now = check_code(services, decided), services.clock.now()
    fever = celsius >= services.policy.at(now).fever_celsius
    if check.current_code.record.state == State.UNVERIFIED and not fever:  # the temperature just measured is normal
        words = {lang: text("stations", "measured-normal", lang) for lang in citizen_languages()}
        return check._replace(action="pass", instruction=words)
    return check


def require_of_holder(session: Session, scanned: ScannedToken) -> None:
    """Lock the code. Raises Problem `token-expired` for a token of somebody who does not hold it any more.

    And `strip-ended` for that of a strip of a session that has ended.
    """
    code = ledger.lock_code(session, scanned.serial)
    if scanned.epoch is not None and scanned.epoch != code.epoch:
        raise Problem("strip-ended")
    claimed_at = code.claimed_at
    if claimed_at is None or scanned.mark.issued < int(claimed_at.timestamp()):
        raise Problem("token-expired")


def recognise(services: Services, token: str, now: datetime) -> Recognised:
    """Return what is in a token. Raises Problem `token-…`, and `paper-needs-tail` for one on paper."""
    require_no_paper(token)
    try:
        if token.startswith(STRIP_PREFIX):
            strip = services.strip_tokens.read(token, now)
            assert strip.holder is not None  # only a token verified without our keys has none
            return Recognised(strip.holder.serial, strip.number, int(strip.issued_at.timestamp()), strip.holder.epoch)
        return Recognised(*services.tokens.recognise(token, now))
    except TokenRefused as refusal:
        raise Problem(f"token-{refusal.outcome}") from None


def require_no_paper(token: str) -> None:
    """Raise Problem `paper-needs-tail` for the token of a card on paper: it is checked with the person's document."""
    if token.startswith(PAPER_PREFIX):
        raise Problem("paper-needs-tail")


def read_token(services: Services, token: str, at: datetime, grace: timedelta = NO_GRACE) -> ScannedToken:
    """Return the content of a token at a moment; it may have ended `grace` before. Raises Problem as `recognise`."""
    require_no_paper(token)
    seconds = counts.mark_seconds(services.settings.tokens)
    try:
        if token.startswith(STRIP_PREFIX):
            strip = services.strip_tokens.read(token, at, grace)
            assert strip.holder is not None  # only a token verified without our keys has none
            mark = TokenMark(strip.number, int(strip.issued_at.timestamp()), seconds)
            return ScannedToken(strip.holder.serial, strip.state, mark, strip.holder.epoch)
        read = services.tokens.read(token, at, grace)
    except TokenRefused as refusal:
        raise Problem(f"token-{refusal.outcome}") from None
    assert read.serial is not None  # only a token verified without our keys has no serial
    return ScannedToken(read.serial, read.state, TokenMark(read.number, int(read.issued_at.timestamp()), seconds))


def record_temperature(
    context: ledger.ChangeContext, serial: int, fact: Temperature, shift: Shift
) -> DecisionRow | None:
    """Record a measured temperature as evidence and count it; return the new decision, if there is one."""
    station = shift.station
    evidence = NewEvidence(fact, authority=station.name, reference=f"station {station.id}{shift.remark}")
    decision = ledger.record(context, serial, [evidence])
    state = State((decision or ledger.get_code(context.session, serial)).state)
    counts.count_temperature(context.session, StationEvent(station.id, fact.at, state, TEMPERATURE))
    return decision


def is_plausible(celsius: Decimal) -> bool:
    """Return whether a living person can have this temperature, and it has one decimal."""
    return MIN_CELSIUS <= celsius <= MAX_CELSIUS and celsius == celsius.quantize(Decimal("0.1"))


def check_code(services: Services, current: CurrentCode) -> Check:
    """Return the check of a code. Raises Problem `not-declared`."""
    if current.record.state == State.NOT_DECLARED:  # the platform has denied the holder since the token was minted
        raise Problem("not-declared")
    return make_check(services.policy, current)


def make_check(policy: Policy, current: CurrentCode) -> Check:
    """Return the check of a code, by the instruction of the policy for its state."""
    station = policy.station(current.record.state.name)
    return Check(current, station.action, {lang: station.words(lang) for lang in citizen_languages()})
