"""The inspector's doors: log in, check a code, register a temperature; and what the station did today."""

from datetime import timedelta
from decimal import Decimal

from flask import Response, g
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field
from redis import RedisError

from app.clock import BEIJING, rfc3339
from app.errors import Problem, bad_field
from app.sessions import Kind, Session
from app.stations import accounts, checks, counts, duty, offline_views
from app.stations.answers import CheckOut, check_out
from app.stations.counts import TEMPERATURE
from app.stations.duty import Duty
from app.stations.models import Station
from app.web import SESSION, Body, answer, language, limits, private, services, session
from app.web.problems import refused

views = APIBlueprint(
    "stations",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Stations", description="Checks and temperatures")],
)
views.register_api(offline_views.views)


class LoginBody(Body):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)


class StationSessionOut(BaseModel):
    session: str
    expires_at: str
    station: str


@views.post("/stations/login", responses={200: StationSessionOut, **refused(401, 429)})
@limits.log_in
def log_in(body: LoginBody) -> Response:
    """Log an inspector in at their station, for one shift."""
    with services().begin() as database:
        inspector, station = accounts.log_in(database, body.username, body.password)
    duty.remember(services().redis, inspector.id, Duty(inspector.epoch, station.id))
    ends = services().clock.now() + timedelta(hours=services().settings.sessions.inspector_hours)
    token = services().session_tokens.issue(Session(Kind.INSPECTOR, inspector.id, 0, inspector.epoch, ends))
    return answer(StationSessionOut(session=token, expires_at=rfc3339(ends), station=station.name))


@views.post("/stations/logout", responses={204: None}, security=SESSION)
def log_out() -> Response:
    """End every session of the inspector."""
    with services().begin() as database:
        epoch = accounts.end_sessions(database, session().subject)
    duty.remember(services().redis, session().subject, Duty(epoch, g.duty.station))
    return private(Response(), 204)


class TodayOut(BaseModel):
    """What a station did on this Beijing day. A number counts deeds, not people: nobody is recognised."""

    station: str
    date: str
    passed: int = Field(description="Checks answered `pass`; who passed after a measurement is not among them")
    measured: int = Field(description="Checks answered `measure`, whether or not a temperature followed")
    stopped: int = Field(description="Checks answered `stop`")
    temperatures: int = Field(description="Temperatures registered, fever or not; by themselves they are no checks")
    fever_celsius: float = Field(description="From this temperature on it is a fever, by the policy of now")
    as_of: str


@views.get("/stations/today", responses={200: TodayOut}, security=SESSION)
def today() -> Response:
    """The counts of the inspector's station since midnight; a check that was sent again counts again."""
    now = services().clock.now()
    with services().sessions() as database:
        station = database.get_one(Station, g.duty.station)
    try:
        done = counts.on_the_day(services().redis, station.id, now)
    except RedisError:
        raise Problem("unavailable", retry_after=5) from None
    return answer(
        TodayOut(
            station=station.name,
            date=now.astimezone(BEIJING).date().isoformat(),
            passed=done["pass"],
            measured=done["measure"],
            stopped=done["stop"],
            temperatures=done[TEMPERATURE],
            fever_celsius=float(services().policy.at(now).fever_celsius),
            as_of=rfc3339(now),
        )
    )


class CheckBody(Body):
    token: str = Field(min_length=1, max_length=1024, description="The text of the scanned QR code")


class TemperatureBody(CheckBody):
    celsius: float = Field(ge=34.0, le=43.0, allow_inf_nan=False)


@views.post("/checks", responses={200: CheckOut, **refused(410)}, security=SESSION)
def check(body: CheckBody) -> Response:
    """Check a scanned code: its color now, and what to do."""
    return answer(
        check_out(checks.check(services(), body.token, station_id=g.duty.station), language(), services().clock.now())
    )


@views.post("/checks/temperature", responses={200: CheckOut, **refused(410)}, security=SESSION)
def register_temperature(body: TemperatureBody) -> Response:
    """Register a temperature measured on site; 37.3 °C and more turns a code yellow, less turns it back."""
    celsius = Decimal(str(body.celsius))
    if not checks.can_be(celsius):
        raise bad_field("/celsius", "temperature-form")
    with services().sessions() as database:
        station = database.get_one(Station, g.duty.station)
    inspector_id = session().subject
    check = checks.register_temperature(services(), body.token, celsius, inspector_id=inspector_id, station=station)
    return answer(check_out(check, language(), services().clock.now()))
