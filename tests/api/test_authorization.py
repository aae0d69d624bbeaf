"""Who may call what: every route with every kind of caller, and no way around the table."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.api.authorization import ANYONE, CITIZEN, INSPECTOR, ROUTE_ROLES, WECHAT
from app.api.authorization.table import one_table
from app.codes.cache.color_cache import ColorCache
from app.core.session_tokens import SessionKind, UserSession
from app.runtime import Services, connect_redis
from tests.support.clock import StandingClock
from tests.support.codes import with_short_lease
from tests.support.people import PASSWORD, Phone, Station

REFUSALS = {"session-missing", "session-invalid", "session-expired", "not-allowed", "not-registered"}
API = [route for route in ROUTE_ROLES if not route[1].startswith("/console")]  # the console has a test of its own
ROUTES = [route for route in API if not route[1].endswith("logout")]
ENDINGS = [route for route in API if route not in ROUTES]

# What each caller hears instead of an answer, by what the route wants. Nothing: they are let in.
EXPECTED: dict[str, dict[str, str]] = {
    "nobody": {WECHAT: "session-missing", CITIZEN: "session-missing", INSPECTOR: "session-missing"},
    "visitor": {CITIZEN: "not-registered", INSPECTOR: "not-allowed"},
    "citizen": {INSPECTOR: "not-allowed"},
    "inspector": {WECHAT: "not-allowed", CITIZEN: "not-allowed"},
    **{
        who: dict.fromkeys((WECHAT, CITIZEN, INSPECTOR), slug)
        for who, slug in {
            "expired citizen": "session-expired",
            "expired inspector": "session-expired",
            "logged-out visitor": "session-expired",
            "logged-out citizen": "session-expired",
            "logged-out inspector": "session-expired",
            "bound since": "session-expired",
            "forger": "session-invalid",
            "stranger with another system's session": "session-invalid",
            "somebody with a code's token": "session-invalid",
            "somebody with a password": "session-invalid",
            "somebody with nonsense": "session-invalid",
        }.items()
    },
}


@pytest.fixture
def headers(
    client: FlaskClient,
    services: Services,
    clock: StandingClock,
    phone: Callable[..., Phone],
    station: Station,
) -> dict[str, str]:
    """The Authorization header of every kind of caller."""
    visitor, citizen, gone, left = phone("示例访客"), phone("示例居民"), phone("示例出"), phone("示例离")
    late = phone("示例迟")
    visitor.log_in_with_wechat()
    citizen.become_green()
    gone.become_green()
    gone.post("/api/v1/accounts/logout", None)
    left.log_in_with_wechat()
    left.post("/api/v1/accounts/logout", None)
    late.log_in_with_wechat()
    before_binding = late.session
    late.register()
    retired = Station.open(client, services, "inspector-2")
    retired.post("/api/v1/stations/logout", None)
    ended = clock.now() - timedelta(seconds=1)
    issue = services.session_tokens.issue
    sessions = {
        "visitor": visitor.session,
        "citizen": citizen.session,
        "inspector": station.session,
        "expired citizen": issue(UserSession(SessionKind.CITIZEN, 2, 1, 1, ended)),
        "expired inspector": issue(UserSession(SessionKind.INSPECTOR, 1, 0, 1, ended)),
        "logged-out visitor": left.session,
        "logged-out citizen": gone.session,
        "logged-out inspector": retired.session,
        "bound since": before_binding,
        "forger": _with_one_letter_changed(str(citizen.session)),
        "stranger with another system's session": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        "somebody with a code's token": citizen.code()["token"],
        "somebody with nonsense": "kouling" * 20,
    }
    known = {who: f"Bearer {session}" for who, session in sessions.items()}
    return {**known, "somebody with a password": "Basic YTpi"}


def _with_one_letter_changed(text: str) -> str:
    return text[:20] + ("A" if text[20] != "A" else "B") + text[21:]


def slug(answer: Any) -> str:
    """The slug of a problem, or nothing."""
    if answer.mimetype != "application/problem+json":
        return ""
    return str(answer.json["type"]).rsplit("/", 1)[-1]


def call(client: FlaskClient, method: str, path: str, header: str | None) -> Any:
    sent = {"Authorization": header.encode().decode("latin-1")} if header else {}
    return client.open(path, method=method, headers=sent, json={} if method == "POST" else None)


def test_every_route_has_a_line_and_every_line_a_route(app: Flask) -> None:
    served = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith("/openapi") and rule.endpoint != "static"
    }
    assert served == set(ROUTE_ROLES)


def test_a_route_in_two_tables_lets_nothing_start() -> None:
    with pytest.raises(ValueError, match="two lines: GET /metrics"):
        one_table({("GET", "/metrics"): ANYONE, ("GET", "/healthz"): ANYONE}, {("GET", "/metrics"): CITIZEN})


def test_a_route_without_a_line_is_open_to_nobody(services: Services, headers: dict[str, str]) -> None:
    app = create_app(services)
    app.add_url_rule("/api/v1/forgotten", view_func=lambda: "secret")
    for who in EXPECTED:
        assert slug(call(app.test_client(), "GET", "/api/v1/forgotten", headers.get(who))) in REFUSALS, who


@pytest.mark.slow
def test_each_caller_gets_where_the_table_says_and_no_further(client: FlaskClient, headers: dict[str, str]) -> None:
    for who, (method, path) in product(EXPECTED, ROUTES):
        heard = slug(call(client, method, path, headers.get(who)))
        assert (heard if heard in REFUSALS else "") == expected(who, method, path), (who, method, path, heard)


@pytest.mark.parametrize(("method", "path"), ENDINGS)
def test_each_caller_may_end_only_their_own_sessions(
    client: FlaskClient, headers: dict[str, str], method: str, path: str
) -> None:
    for who in EXPECTED:
        assert slug(call(client, method, path, headers.get(who))) == expected(who, method, path), (who, path)


def expected(who: str, method: str, path: str) -> str:
    """The slug of the refusal that a caller hears at a route, or nothing."""
    return EXPECTED[who].get(str(ROUTE_ROLES[method, path]), "")


@pytest.mark.slow
def test_head_and_options_tell_no_more_than_get(client: FlaskClient, headers: dict[str, str]) -> None:
    for who, (method, path) in product(EXPECTED, API):
        asked = call(client, "OPTIONS", path, headers.get(who))
        assert (asked.status_code, asked.data) == (200, b""), (who, path)
        assert method in asked.headers["Allow"], (who, path)
        looked = call(client, "HEAD", path, headers.get(who))
        assert not looked.data, (who, path)
        if method == "GET":
            assert looked.status_code == call(client, "GET", path, headers.get(who)).status_code, (who, path)
        elif ("GET", path) not in ROUTE_ROLES:
            assert looked.status_code == 405, (who, path)


def test_an_address_that_does_not_exist_has_no_options(client: FlaskClient) -> None:
    assert slug(client.options("/api/v1/nothing")) == "not-found"


@pytest.mark.slow
def test_with_a_session_that_is_over_one_logs_in_by_password_all_the_same(
    client: FlaskClient, headers: dict[str, str], phone: Callable[..., Phone]
) -> None:
    person = phone("示例回").become_green()
    body = {"username": person.username, "password": PASSWORD}
    for who in ("expired citizen", "logged-out citizen", "bound since", "forger", "somebody with a password"):
        answer = client.post("/api/v1/accounts/login", json=body, headers={"Authorization": headers[who]})
        assert answer.status_code == 200, who
        assert answer.json["account"]["username"] == person.username


def test_a_refusal_names_the_scheme_that_is_wanted(client: FlaskClient) -> None:
    answer = client.get("/api/v1/code")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_header_that_holds_no_session_is_refused(client: FlaskClient) -> None:
    for header in ("", "Bearer", "Bearer ", "bearer  x", "Token abc", "Bearer a b c", "Bearer " + "A" * 9000):
        heard = slug(client.get("/api/v1/code", headers={"Authorization": header}))
        assert heard == ("session-invalid" if header else "session-missing"), header


def test_a_session_ends_at_its_time(green_citizen: Phone, clock: StandingClock) -> None:
    citizen = green_citizen
    clock.advance(days=29, hours=23)
    assert citizen.get("/api/v1/accounts/me").status_code == 200
    clock.advance(hours=1)
    assert slug(citizen.get("/api/v1/accounts/me")) == "session-expired"


def test_an_inspectors_session_lasts_a_shift(station: Station, clock: StandingClock) -> None:
    clock.advance(hours=11, minutes=59)
    assert slug(station.check("x")) == "token-malformed"
    clock.advance(minutes=1)
    assert slug(station.check("x")) == "session-expired"


def test_logging_one_citizen_out_leaves_the_others_in(green_citizens: list[Phone]) -> None:
    one, other, _ = green_citizens
    one.post("/api/v1/accounts/logout", None)
    assert other.color() == "GREEN"


def test_a_log_out_counts_for_the_cached_code_as_well(green_citizen: Phone) -> None:
    citizen = green_citizen
    assert citizen.color() == "GREEN", "the record is in the cache now"
    citizen.post("/api/v1/accounts/logout", None)
    for path in ("/api/v1/code", "/api/v1/code.svg", "/api/v1/code.png", "/api/v1/notices"):
        assert slug(citizen.get(path)) == "session-expired"


def test_without_redis_sessions_are_checked_all_the_same(
    services: Services, green_citizens: list[Phone], station: Station
) -> None:
    citizen, gone, _ = green_citizens
    gone.post("/api/v1/accounts/logout", None)
    client = create_app(_without_redis(services)).test_client()
    for person, status in ((citizen, 200), (gone, 401)):
        answer = client.get("/api/v1/accounts/me", headers={"Authorization": f"Bearer {person.session}"})
        assert answer.status_code == status
    answer = client.post("/api/v1/checks", json={"token": "x"}, headers={"Authorization": f"Bearer {station.session}"})
    assert slug(answer) == "token-malformed"


def test_an_inspector_who_logged_out_while_redis_was_away_can_log_in_again(
    services: Services, client: FlaskClient, station: Station
) -> None:
    assert slug(station.check("x")) == "token-malformed", "Redis knows the session now"
    away = create_app(_without_redis(with_short_lease(services))).test_client()
    old = {"Authorization": f"Bearer {station.session}"}
    assert away.post("/api/v1/stations/logout", headers=old).status_code == 204
    body = {"username": "inspector-1", "password": PASSWORD}
    fresh = {"Authorization": "Bearer " + client.post("/api/v1/stations/login", json=body).json["session"]}
    assert slug(client.post("/api/v1/checks", json={"token": "x"}, headers=fresh)) == "token-malformed"
    assert slug(client.post("/api/v1/checks", json={"token": "x"}, headers=old)) == "session-expired"


def _without_redis(services: Services) -> Services:
    """The same services, with a Redis that does not answer."""
    redis = services.settings.redis.model_copy(update={"url": "redis://127.0.0.1:1/0"})
    settings = services.settings.model_copy(update={"redis": redis})
    nowhere = connect_redis(settings)
    return replace(services, settings=settings, redis=nowhere, cache=ColorCache(nowhere))


def test_nobody_but_anyone_is_meant_by_anyone() -> None:
    open_routes = {path for (_, path), role in ROUTE_ROLES.items() if role == ANYONE}
    assert open_routes == {
        "/api/v1/wechat/login",
        "/api/v1/accounts/login",
        "/api/v1/stations/login",
        "/api/v1/home",
        "/api/v1/service",
        "/api/v1/visits/exposures",
        "/.well-known/jixiang-keys",
        "/.well-known/jixiang-audit",
        "/.well-known/jixiang-revoked",
        "/.well-known/jixiang-trust",
        "/.well-known/did.json",
        "/wechat/callback",
        "/wechat/official/callback",
        "/healthz",
        "/readyz",
        "/metrics",
        "/console/login",
        "/console/static/<path:filename>",
    }
