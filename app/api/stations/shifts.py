"""Endpoints for an inspector's shift: log in, the station's counts of today, log out."""

from datetime import timedelta

from flask import Response, g, request
from pydantic import BaseModel, Field
from redis import RedisError

from app.api.ending import EndingOut, ending_out
from app.api.stations.checks import views
from app.codes.tokens import STATES_WITH_TOKEN
from app.core.clock import BEIJING, rfc3339
from app.core.errors import Problem
from app.core.session_tokens import SessionKind, UserSession
from app.staff import stopped_logins
from app.stations import accounts, hours, rollup, sessions
from app.stations.counts import FOREIGN, TEMPERATURE
from app.stations.models import Station, Venue
from app.web import SESSION, RequestBody, current_session, get_services, json_response, language, limits, no_store
from app.web.problems import problem_responses


class InspectorLoginBody(RequestBody):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)
    device: str | None = Field(
        default=None, max_length=128, repr=False, description="As the last log-in here returned it"
    )
    new_password: str | None = Field(
        default=None, min_length=1, max_length=128, repr=False,
        description="From now on; needed after 403 `must-change-password`, as somebody else has set the current one",
    )  # fmt: skip


class StationSessionOut(BaseModel):
    session: str
    expires_at: str
    station: str
    device: str = Field(description="Send it with the next log-in, which guessing elsewhere then does not delay")


def _is_known_device(username: str) -> bool:
    body, services = request.get_json(silent=True), get_services()
    device = body.get("device") if isinstance(body, dict) else None
    account = limits.login_fingerprint("inspector", username)
    return isinstance(device, str) and services.devices.recognises(device, account, services.real_clock.now())


def _count_stopped() -> None:
    stopped_logins.count(get_services(), "inspector", limits.entered_username())


@views.post("/stations/login", responses={200: StationSessionOut, **problem_responses(401, 403, 429)})
@limits.limit_logins("inspector", _is_known_device, _count_stopped)
def log_in(body: InspectorLoginBody) -> Response:
    """Log an inspector in at their station, for one shift."""
    now = get_services().clock.now()
    try:
        with get_services().begin() as database:
            inspector, station = accounts.log_in(database, body.username, body.password, now)
            accounts.change_password(database, inspector, body.password, body.new_password, now)
            ends = now + timedelta(hours=get_services().settings.sessions.inspector_hours)
            session_id = sessions.start(database, inspector, now, ends).id
    except Problem as problem:
        if problem.slug == "wrong-credentials":
            with get_services().begin() as database:
                accounts.count_failed_login(database, body.username, now)
            raise Problem(problem.slug, step="inspector-wrong-credentials") from None
        raise
    token = get_services().session_tokens.issue(
        UserSession(SessionKind.INSPECTOR, inspector.id, session_id, inspector.epoch, ends)
    )
    account = limits.login_fingerprint("inspector", limits.entered_username())
    device = get_services().devices.issue(account, get_services().real_clock.now())
    return json_response(
        StationSessionOut(session=token, expires_at=rfc3339(ends), station=station.name, device=device)
    )


@views.post("/stations/logout", responses={204: None}, security=SESSION)
def log_out() -> Response:
    """End every session of the inspector."""
    with get_services().begin() as database:
        sessions.end_all(database, current_session().subject, get_services().clock.now())
    return no_store(Response(), 204)


class TodayOut(BaseModel):
    """The counts of a station on this Beijing day: of checks, not of people, so that nobody is recognised."""

    station: str
    date: str
    passed: int = Field(description="Checks answered `pass`, without those who passed after a measurement")
    measured: int = Field(description="Checks answered `measure`, whether or not a temperature followed")
    stopped: int = Field(description="Checks answered `stop`")
    foreign: int = Field(description="Checks of codes of other provinces, whatever the action; in none of the others")
    temperatures: int = Field(description="Temperatures registered, with fever or not; they are not counted as checks")
    foreign_actions: dict[str, str] = Field(
        description="By the current policy: what to do about each state in a code of another province"
    )
    fever_celsius: float = Field(description="A fever from this temperature on, by the current policy")
    as_of: str
    hours: str | None = Field(description="Of the venue today, such as 08:00-22:00; null for a station of no venue")
    outside_hours: bool = Field(description="The venue is closed now: a check is answered and counted all the same")
    ending: EndingOut | None = Field(description="The announced end of the service")


@views.get("/stations/today", responses={200: TodayOut}, security=SESSION)
def today() -> Response:
    """Return the counts of the inspector's station since midnight; a token counts once, however often it is checked."""
    now = get_services().clock.now()
    with get_services().begin() as database:
        station = database.get_one(Station, g.inspector.station)
        venue = None if station.venue_id is None else database.get_one(Venue, station.venue_id)
        sessions.see(database, current_session().serial, now)
    try:
        done = rollup.day_counts(get_services(), station.id, now)
    except RedisError:
        raise Problem("unavailable", retry_after=5) from None
    return json_response(
        TodayOut(
            station=station.name,
            date=now.astimezone(BEIJING).date().isoformat(),
            passed=done["pass"],
            measured=done["measure"],
            stopped=done["stop"],
            foreign=sum(done[f"{FOREIGN}{action}"] for action in ("pass", "measure", "stop")),
            temperatures=done[TEMPERATURE],
            foreign_actions={
                state.name: get_services().policy.foreign_action(state.name, now) for state in STATES_WITH_TOKEN
            },
            fever_celsius=float(get_services().policy.at(now).fever_celsius),
            as_of=rfc3339(now),
            hours=None if venue is None else hours.of_day(venue.hours, now),
            outside_hours=venue is not None and not hours.is_open(venue.hours, now),
            ending=ending_out(get_services().generation.service, language()),
        )
    )
