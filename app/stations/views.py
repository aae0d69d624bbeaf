"""The inspector's doors: log in, check a code, register a temperature."""

from datetime import timedelta
from decimal import Decimal

import structlog
from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from redis import RedisError

from app.clock import rfc3339
from app.codes.states import State
from app.errors import bad_field
from app.sessions import Kind, Session
from app.stations import accounts, checks
from app.stations.models import Inspector, Station
from app.texts import text
from app.web import SESSION, Body, answer, language, limits, private, services, session
from app.web.authorization import EPOCH_SECONDS, inspector_epoch_key
from app.web.problems import RESPONSES

log = structlog.get_logger()

views = APIBlueprint(
    "stations",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Stations", description="Checks and temperatures")],
    abp_responses=RESPONSES,
)


class LoginBody(Body):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)


class StationSessionOut(BaseModel):
    session: str
    expires_at: str
    station: str


@views.post("/stations/login", responses={200: StationSessionOut})
@limits.log_in
def log_in(body: LoginBody) -> Response:
    """Log an inspector in at their station, for one shift."""
    with services().begin() as database:
        inspector, station = accounts.log_in(database, body.username, body.password)
    _remember_epoch(inspector.id, inspector.epoch)
    ends = services().clock.now() + timedelta(hours=services().settings.sessions.inspector_hours)
    token = services().session_tokens.issue(Session(Kind.INSPECTOR, inspector.id, 0, inspector.epoch, ends))
    return answer(StationSessionOut(session=token, expires_at=rfc3339(ends), station=station.name))


@views.post("/stations/logout", responses={204: None}, security=SESSION)
def log_out() -> Response:
    """End every session of the inspector."""
    with services().begin() as database:
        epoch = accounts.end_sessions(database, session().subject)
    _remember_epoch(session().subject, epoch)
    return private(Response(), 204)


def _remember_epoch(inspector_id: int, epoch: int) -> None:
    """Let the next request know which sessions count, whatever Redis missed while it was away."""
    try:
        services().redis.set(inspector_epoch_key(inspector_id), epoch, ex=EPOCH_SECONDS)
    except RedisError as error:
        log.warning("redis-unreachable", error=type(error).__name__)


class CheckBody(Body):
    token: str = Field(min_length=1, max_length=1024, description="The text of the scanned QR code")


class TemperatureBody(CheckBody):
    celsius: float = Field(ge=34.0, le=43.0, allow_inf_nan=False)


class CheckOut(BaseModel):
    """What a station learns of a code; nothing of it is kept there."""

    state: str
    color: str | None
    word: str
    action: str = Field(description="pass, measure or stop")
    instruction: str
    as_of: str
    stale: bool


@views.post("/checks", responses={200: CheckOut}, security=SESSION)
def check(body: CheckBody) -> Response:
    """Check a scanned code: its color now, and what to do."""
    return answer(_out(checks.check(services(), body.token)))


@views.post("/checks/temperature", responses={200: CheckOut}, security=SESSION)
def register_temperature(body: TemperatureBody) -> Response:
    """Register a temperature measured on site; 37.3 °C and more turns a code yellow, less turns it back."""
    celsius = Decimal(str(body.celsius))
    if celsius != celsius.quantize(Decimal("0.1")):
        raise bad_field("/celsius", "temperature-form")
    with services().sessions() as database:
        inspector = database.get_one(Inspector, session().subject)
        station = database.get_one(Station, inspector.station_id)
    return answer(
        _out(checks.register_temperature(services(), body.token, celsius, inspector_id=inspector.id, station=station))
    )


def _out(check: checks.Check) -> CheckOut:
    state = State(check.current.record.state)
    return CheckOut(
        state=state.name,
        color=state.color,
        word=text("states", state.name, language()),
        action=check.action,
        instruction=check.instruction[language()],
        as_of=rfc3339(services().clock.now()),
        stale=check.current.stale,
    )
