"""Guessing at log-ins by password: it is slowed down by account and network, and closes no account to its owner."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import create_app
from app.core.settings import RateLimitSettings
from app.runtime import Services, connect_redis
from app.web import limits, login_delays
from tests.support.apps import Apps
from tests.support.clock import StandingClock
from tests.support.people import PASSWORD, Phone, Station

GROWING = [1, 2, 4, 8, 16, 32, 64, 72, 72]  # seconds; 72 is 50 in an hour
_addresses = count(1)


@pytest.fixture
def client(services: Services, apps: Apps) -> FlaskClient:
    """A server with the limits of a new installation, behind a proxy that names the address of the caller."""
    settings = services.settings.model_copy(update={"limits": RateLimitSettings(login="100000 per hour"), "proxies": 1})
    limits.limiter._storage_dead = False
    limited = replace(services, settings=settings, real_clock=services.clock)
    return apps.of("with the limits of a new installation", limited).test_client()


def anywhere() -> str:
    """An address in a network that nobody has called from."""
    return f"2001:db8:{next(_addresses):x}::1"


def log_in(
    client: FlaskClient, username: str, password: str = "wrong", address: str | None = None, session: str | None = None
) -> Any:
    headers = {"X-Forwarded-For": address or anywhere()}
    headers |= {"Authorization": f"Bearer {session}"} if session else {}
    body = {"username": username, "password": password}
    return client.post("/api/v1/accounts/login", json=body, headers=headers)


def at_the_station(client: FlaskClient, password: str, address: str | None = None, **more: str) -> Any:
    body = {"username": "inspector-1", "password": password, **more}
    return client.post("/api/v1/stations/login", json=body, headers={"X-Forwarded-For": address or anywhere()})


def wait_of(answer: Any) -> int:
    assert answer.status_code == 429, answer.text
    assert answer.json["type"].endswith("/too-many-requests")
    return int(answer.headers["Retry-After"])


def test_without_redis_other_names_do_not_make_a_process_forget_whom_somebody_guesses_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(login_delays, "_memory", login_delays._Memory(most=10))
    away, at = Redis(port=1, socket_connect_timeout=0.1, retry=Retry(NoBackoff(), 0)), 1_000
    guessed = [login_delays.Counter("guessed", 72_000)]
    for number in range(40):
        login_delays.reserve(away, guessed, at)
        login_delays.reserve(away, [login_delays.Counter(f"other-{number}", 72_000)], at)
    assert login_delays.reserve(away, guessed, at) > 0
    assert len(login_delays._memory.kept) == 10


def guess_for_an_hour(
    clock: StandingClock, guess: Callable[[], Any], seconds: int = 3600, then: Callable[[], None] | None = None
) -> int:
    """Guess as often as the server lets one; returns how often."""
    ends, guessed = clock.now().timestamp() + seconds, 0
    while clock.now().timestamp() < ends:
        answer = guess()
        if answer.status_code == 429:
            clock.advance(seconds=int(answer.headers["Retry-After"]))
        else:
            assert answer.status_code == 401
            guessed += 1
        if then:
            then()
    return guessed


def test_each_wrong_log_in_after_the_first_few_makes_strangers_wait_longer(
    client: FlaskClient, clock: StandingClock, phone: Callable[..., Phone]
) -> None:
    citizen = phone().become_green()
    for _ in range(6):
        assert log_in(client, citizen.username).status_code == 401
    waits = []
    for _ in GROWING:
        waits.append(wait_of(log_in(client, f" {citizen.username.upper()} ", PASSWORD)))
        assert log_in(client, "somebody-else").status_code == 401, "another account is not delayed"
        clock.advance(seconds=waits[-1])
        assert log_in(client, citizen.username).status_code == 401
    assert waits == GROWING
    clock.advance(seconds=GROWING[-1])
    assert log_in(client, citizen.username, PASSWORD).status_code == 200, "the account was never closed"


@pytest.mark.slow
def test_guessing_from_one_network_slows_down_that_network(
    client: FlaskClient, clock: StandingClock, phone: Callable[..., Phone]
) -> None:
    citizen = phone().become_green()
    last, hosts = 0, count(1)

    def guess() -> Any:  # each from another address of one /64, as a phone may have
        nonlocal last
        answer = log_in(client, citizen.username, address=f"2001:db8:ffff:1::{next(hosts):x}")
        last = int(answer.headers.get("Retry-After", last))
        return answer

    assert guess_for_an_hour(clock, guess) <= 32
    assert last == 180, "20 in an hour"
    answer = log_in(client, citizen.username, PASSWORD, address="2001:db8:ffff:2::1")
    assert answer.status_code == 200 or wait_of(answer) <= 72, "the owner elsewhere waits a minute, no hour"


def test_the_owners_phone_is_let_through_while_strangers_guess(
    client: FlaskClient, phone: Callable[..., Phone]
) -> None:
    citizen, other = phone("示例甲").become_green(), phone("示例乙").become_green()
    for _ in range(6):
        log_in(client, citizen.username)
    assert wait_of(log_in(client, citizen.username, PASSWORD)) == 1
    assert wait_of(log_in(client, citizen.username, PASSWORD, session=other.session)) == 1, "another's phone"
    assert log_in(client, citizen.username, PASSWORD, session=citizen.session).status_code == 200


def test_fewer_than_a_hundred_wrong_log_ins_an_hour_are_taken_from_anywhere_and_known_devices_together(
    client: FlaskClient, clock: StandingClock, station: Station
) -> None:
    device = at_the_station(client, PASSWORD).json["device"]
    known = 0

    def guess_on_the_device() -> None:
        nonlocal known
        known += at_the_station(client, "wrong", device=device).status_code == 401

    strangers = guess_for_an_hour(clock, lambda: at_the_station(client, "wrong"), then=guess_on_the_device)
    assert strangers > 50 and known > 20, "slowed down, not closed"
    assert strangers + known < 100


def test_a_known_device_of_an_inspector_is_let_through_and_nobody_elses_is(
    client: FlaskClient, services: Services, station: Station
) -> None:
    Station.open(client, services, "inspector-2")
    own = at_the_station(client, PASSWORD).json["device"]
    others = at_the_station(client, PASSWORD, username="inspector-2").json["device"]
    for _ in range(6):
        assert at_the_station(client, "wrong").status_code == 401
    changed = own[:-2] + ("AA" if own[-2] != "A" else "BA")
    for device in ("", "x", others, changed, station.session):
        assert at_the_station(client, PASSWORD, device=device).status_code == 429, device
    assert at_the_station(client, PASSWORD, device=own).status_code == 200


def test_a_quiet_hour_forgets_the_wrong_log_ins(
    client: FlaskClient, clock: StandingClock, phone: Callable[..., Phone]
) -> None:
    citizen = phone().become_green()
    for _ in range(6):
        log_in(client, citizen.username)
    clock.advance(seconds=3602)
    assert [log_in(client, citizen.username).status_code for _ in range(7)] == [401] * 6 + [429]


def test_citizens_inspectors_and_officers_of_one_name_do_not_delay_each_other(
    client: FlaskClient, station: Station
) -> None:
    for _ in range(6):
        log_in(client, "inspector-1")
    assert log_in(client, "inspector-1").status_code == 429
    assert at_the_station(client, PASSWORD).status_code == 200


@pytest.mark.slow
def test_many_names_from_many_addresses_of_one_network_meet_its_limit(services: Services) -> None:
    settings = services.settings.model_copy(update={"limits": RateLimitSettings(), "proxies": 1})
    limits.limiter._storage_dead = False
    client = create_app(replace(services, settings=settings)).test_client()
    statuses = [log_in(client, f"name-{n}", address=f"2001:db8:eeee:1:{n:x}::{n:x}").status_code for n in range(1, 141)]
    assert statuses == [401] * 120 + [429] * 20
    assert log_in(client, "name-1", address="2001:db8:eeee:2::1").status_code == 401


@pytest.mark.parametrize("same", [("10.1.1.1", "::ffff:10.1.1.1"), ("10.1.1.2", "64:ff9b::a01:102")])
def test_an_ipv4_address_is_one_however_it_comes(client: FlaskClient, same: tuple[str, str]) -> None:
    for n in range(6):
        log_in(client, "nobody-4", address=same[n % 2])
    clock_of_the_network = [wait_of(log_in(client, "nobody-4", address=address)) for address in same]
    assert clock_of_the_network == [1, 1]


def test_many_at_once_are_no_way_around(client: FlaskClient, services: Services, phone: Callable[..., Phone]) -> None:
    citizen = phone().become_green()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(lambda _: log_in(client.application.test_client(), citizen.username).status_code, range(24))
        )
    assert sorted(statuses) == [401] * 6 + [429] * 18


def test_without_redis_each_process_slows_guessing_down(services: Services) -> None:
    settings = services.settings.model_copy(
        update={"redis": services.settings.redis.model_copy(update={"url": "redis://127.0.0.1:1/0"}), "proxies": 1}
    )
    settings = settings.model_copy(update={"limits": RateLimitSettings(login="100000 per hour")})
    app = create_app(replace(services, settings=settings, redis=connect_redis(settings), real_clock=services.clock))
    client = app.test_client()
    assert [log_in(client, "nobody-without").status_code for _ in range(8)] == [401] * 6 + [429] * 2
