"""The current code: from the cache while its record is fresh, else from the database, and without either of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event

from app import create_app
from app.audit import CLOCK
from app.codes import ledger
from app.codes.cache.records import cache_offset, make_record
from app.codes.states import State
from app.core.errors import Problem
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.codes import (
    code,
    contact,
    open_code,
    open_green_code,
    tell,
    with_engine,
    without_database,
    without_redis,
)
from tests.support.people import Phone, Station


@contextmanager
def statements(services: Services) -> Iterator[list[str]]:
    """Every statement that the database is sent."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    event.listen(services.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(services.engine, "before_cursor_execute", note)


def elsewhere(phone: Phone, services: Services) -> Phone:
    """The same phone, whose requests now come to a machine that has these services."""
    phone.client = create_app(services).test_client()
    return phone


# --- warm and cold ------------------------------------------------------------------------------------------------


def test_a_warm_green_code_is_shown_and_checked_without_the_database(
    green_citizen: Phone, station: Station, services: Services
) -> None:
    citizen = green_citizen
    station.check(citizen.code()["token"])  # the inspector's session is known from now on
    with statements(services) as sent:
        code_shown = citizen.code()
        assert station.check(code_shown["token"]).json["action"] == "pass"  # type: ignore[index]
    assert code_shown["state"] == "GREEN"
    assert sent == []


def test_a_cold_code_is_read_from_the_database_once_and_written_to_the_cache(services: Services) -> None:
    serial = open_green_code(services)
    expected = services.cache.get(serial)
    services.cache.drop()
    with statements(services) as sent:
        assert services.current_code(serial).record == expected
        assert len(sent) == 1
        assert services.current_code(serial).record == expected
    assert len(sent) == 1, "warm by now"
    assert services.cache.get(serial) == expected


def test_a_record_that_has_come_to_its_end_is_not_believed(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    clock.advance(days=7)
    with statements(services) as sent:
        current = services.current_code(serial)
    assert len(sent) == 1
    assert (current.record.state, current.stale) == (State.GREEN, False)


def test_a_record_of_a_release_that_is_not_known_sends_to_the_database(services: Services) -> None:
    serial = open_green_code(services)
    services.redis.setrange(services.cache.key_of(serial), cache_offset(serial), "\x63" * 16)
    assert services.current_code(serial).record.state == State.GREEN


def test_a_slow_reader_never_puts_an_old_color_over_a_new_one(services: Services) -> None:
    serial = open_green_code(services)
    old = services.cache.get(serial)
    services.cache.drop()
    tell(services, serial, contact(START))
    services.cache.put([(serial, old)])  # what a reader writes that asked the database before the change
    assert services.current_code(serial).record.state == State.ORANGE


# --- nothing to show ----------------------------------------------------------------------------------------------


def test_before_the_first_declaration_there_is_no_code_to_show(services: Services, phone: Callable[..., Phone]) -> None:
    citizen = phone()
    citizen.register()
    answer = citizen.get("/api/v1/code")
    assert (answer.status_code, answer.json["type"]) == (404, "/problems/not-declared")  # type: ignore[index]


@pytest.mark.parametrize("cut_off", [lambda services: services, without_redis])
def test_a_code_that_nobody_has_is_not_found(services: Services, cut_off: Callable[[Services], Services]) -> None:
    with pytest.raises(Problem, match="code-not-found"):
        cut_off(services).current_code(4711)


# --- parts that are away ------------------------------------------------------------------------------------------


def test_without_redis_the_database_answers(services: Services) -> None:
    serial = open_green_code(services)
    current = without_redis(services).current_code(serial)
    assert current.record == make_record(code(services, serial), services.policy.rules)
    assert current.stale is False


def test_without_the_database_a_believable_record_is_as_good_as_ever(services: Services) -> None:
    serial = open_green_code(services)
    assert without_database(services).current_code(serial).stale is False


def test_without_the_database_the_last_color_stands_and_is_marked_stale(
    services: Services, clock: StandingClock
) -> None:
    serial = open_green_code(services)
    clock.advance(days=7)
    current = without_database(services).current_code(serial)
    assert (current.record.state, current.stale) == (State.GREEN, True)
    assert current.record.since == START


def test_with_every_connection_taken_the_last_color_stands_as_without_a_database(
    services: Services, clock: StandingClock
) -> None:
    serial = open_green_code(services)
    clock.advance(days=7)
    engine = create_engine(services.engine.url, pool_size=1, max_overflow=0, pool_timeout=0)
    busy = with_engine(services, engine)
    with engine.connect():
        current = busy.current_code(serial)
    engine.dispose()
    assert (current.record.state, current.stale) == (State.GREEN, True)


def test_with_nothing_to_ask_and_nothing_known_a_code_is_unavailable_for_the_moment(services: Services) -> None:
    serial = open_green_code(services)
    services.cache.drop()
    with pytest.raises(Problem, match="unavailable") as refusal:
        without_database(services).current_code(serial)
    assert refusal.value.retry_after == 5
    with pytest.raises(Problem, match="unavailable"):
        without_database(without_redis(services)).current_code(serial)


def test_over_http_the_last_color_is_stale_and_shows_its_age_while_the_database_is_away(
    services: Services, green_citizen: Phone, clock: StandingClock
) -> None:
    citizen = green_citizen
    clock.advance(days=8)
    shown = elsewhere(citizen, without_database(services)).code()
    assert (shown["state"], shown["stale"]) == ("GREEN", True)
    [reason] = shown["reasons"]
    assert (reason["since"], reason["until"]) == ("2020-03-20T12:00:00+08:00", "2020-03-27T12:00:00+08:00")
    assert shown["as_of"] == "2020-03-28T12:00:00+08:00"


def test_over_http_a_restricted_code_keeps_its_color_and_rule_while_the_database_is_away(
    services: Services, green_citizen: Phone, station: Station
) -> None:
    citizen = green_citizen
    station.measure(citizen.code()["token"], 38.0)
    shown = elsewhere(citizen, without_database(services)).code()
    assert (shown["state"], shown["stale"]) == ("YELLOW", True)
    assert [reason["rule"] for reason in shown["reasons"]] == ["YELLOW-FEVER"]


def test_over_http_without_redis_a_code_is_shown_from_the_database(services: Services, green_citizen: Phone) -> None:
    citizen = green_citizen
    shown = elsewhere(citizen, without_redis(services)).code()
    assert (shown["state"], shown["stale"]) == ("GREEN", False)


def test_over_http_with_nothing_known_the_answer_says_when_to_come_again(
    services: Services, green_citizen: Phone
) -> None:
    citizen = green_citizen
    services.cache.drop()
    answer = elsewhere(citizen, without_database(services)).get("/api/v1/code")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json["type"] == "/problems/unavailable"  # type: ignore[index]
    assert answer.headers["Retry-After"] == "5"


# --- sessions in the record ---------------------------------------------------------------------------------------


def test_sessions_that_were_ended_have_ended_for_every_reader(client: FlaskClient, services: Services) -> None:
    serial = open_code(services)
    before = services.current_code(serial).record.epoch
    with services.begin() as session:
        epoch = ledger.end_sessions(session, serial, actor=CLOCK, now=services.clock.now())
    assert epoch != before
    assert services.current_code(serial).record.epoch == epoch
    services.cache.drop()
    assert services.current_code(serial).record.epoch == epoch


def test_a_session_epoch_never_runs_out(services: Services) -> None:
    serial = open_code(services)
    with services.begin() as session:
        ledger.lock_code(session, serial).epoch = 65_535
    with services.begin() as session:
        assert ledger.end_sessions(session, serial, actor=CLOCK, now=services.clock.now()) == 1
    assert services.current_code(serial).record.epoch == 1


def test_a_color_that_ends_in_a_minute_is_believed_until_then(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    clock.advance(days=6, hours=23, minutes=59)
    with statements(services) as sent:
        assert services.current_code(serial).record.until == clock.now() + timedelta(minutes=1)
    assert sent == []


def test_a_color_that_was_due_long_ago_is_marked_as_an_old_one(green_citizen: Phone, clock: StandingClock) -> None:
    citizen = green_citizen
    clock.advance(days=7, minutes=4)
    assert citizen.code()["stale"] is False
    clock.advance(minutes=2)
    assert (citizen.code()["state"], citizen.code()["stale"]) == ("GREEN", True)
