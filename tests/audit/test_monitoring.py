"""Monitoring of the chain: runs cover all of it, and report a discrepancy until it is gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import sessionmaker

from app.audit import monitoring
from app.audit.monitoring import ChainStatus, VerificationRun
from app.audit.sealing import seal_all
from app.runtime import Services
from tests.support.chain import append_events, make_chain, rewrite_chain, tampering
from tests.support.clock import StandingClock
from tests.support.jobs import run_worker


def verify_next(services: Services, limit: int = 100) -> VerificationRun:
    """Make a run, and seal its event before the next one."""
    run = monitoring.verify_next(services, limit)
    seal_all(services)
    return run


def chain_status(services: Services) -> ChainStatus:
    with services.sessions() as session:
        return monitoring.chain_status(session, services.clock.now())


@pytest.fixture
def tampered(services: Services) -> Iterator[tuple[Services, Connection]]:
    """Services on the connection of somebody who tampers with a chain of 30 events, and that connection."""
    make_chain(services, 30)
    with tampering(services) as connection:
        sessions = sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        yield replace(services, sessions=sessions), connection


def test_a_round_goes_on_where_the_last_one_ended_and_begins_anew_after_the_end(services: Services) -> None:
    make_chain(services, 25)
    made = [verify_next(services, 10) for _ in range(4)]
    assert [(one.first, one.last, one.complete) for one in made] == [
        (1, 10, False),
        (11, 20, False),
        (21, 27, True),  # with what the rounds before have entered
        (1, 10, False),
    ]
    assert [one.number for one in made] == [0, 0, 0, 0]


def test_an_empty_chain_is_whole(services: Services) -> None:
    made = monitoring.verify_next(services)
    assert (made.last, made.complete, made.number) == (0, True, 0)


def test_what_does_not_fit_is_told_until_a_round_comes_by_and_finds_it_right(
    tampered: tuple[Services, Connection],
) -> None:
    services, connection = tampered
    connection.execute(text("update audit set action = 'nothing' where place = 5"))
    made = [verify_next(services, 12) for _ in range(3)]
    assert [one.number for one in made] == [1, 1, 1], "the second and the third do not come by there"
    assert [(one["kind"], one["place"]) for one in made[2].found] == [("changed", 5)]
    assert chain_status(services).fault == "broken"
    connection.execute(text("update audit set action = 'tried' where place = 5"))
    assert verify_next(services, 12).number == 0
    assert chain_status(services).fault is None


def test_a_finding_at_the_end_of_a_part_is_told_once_and_stays(tampered: tuple[Services, Connection]) -> None:
    services, connection = tampered
    connection.execute(text("update audit set action = 'nothing' where place = 10"))
    assert [verify_next(services, 10).number for _ in range(4)] == [1, 1, 1, 1]


def test_a_chain_written_anew_between_two_rounds_does_not_follow_from_where_the_first_ended(
    tampered: tuple[Services, Connection],
) -> None:
    services, connection = tampered
    verify_next(services, 10)
    connection.execute(text("update audit set action = 'nothing' where place = 5"))
    rewrite_chain(connection, 5)
    assert [(one["kind"], one["place"]) for one in verify_next(services, 10).found] == [("changed", 11)]


def test_a_gap_longer_than_a_night_is_told_and_passed(tampered: tuple[Services, Connection]) -> None:
    services, connection = tampered
    connection.execute(text("delete from audit where place between 3 and 25"))
    made = [verify_next(services, 5) for _ in range(2)]
    assert [(one["kind"], one["place"]) for one in made[1].found] == [("removed", 3)]
    assert made[1].last > 25


def test_a_head_is_met_in_the_round_that_comes_by_it(services: Services, clock: StandingClock) -> None:
    make_chain(services, 10)
    clock.advance(days=1)
    seal_all(services)  # signs the head of yesterday
    append_events(services, 10)
    seal_all(services)
    assert [verify_next(services, 10).number for _ in range(3)] == [0, 0, 0]
    with tampering(services) as connection:
        sessions = sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        connection.execute(text("update audit set action = 'nothing' where place = 2"))
        rewrite_chain(connection)
        made = [monitoring.verify_next(replace(services, sessions=sessions), 10) for _ in range(2)]
        assert [(one["kind"], one["place"]) for one in made[1].found] == [("rewritten", 10)]


def test_the_job_verifies_and_enters_what_it_found(services: Services) -> None:
    make_chain(services, 3)
    assert chain_status(services).round is None
    run_worker(services, "verify-audit")
    made = chain_status(services).round
    assert made is not None and (made.first, made.last, made.complete, made.number) == (1, 3, True, 0)


def test_a_worker_that_has_stopped_is_told(services: Services, clock: StandingClock) -> None:
    make_chain(services, 3)
    verify_next(services)
    assert chain_status(services).fault is None
    append_events(services)
    clock.advance(minutes=11)
    assert (chain_status(services).fault, chain_status(services).waiting) == ("unsealed", 1)
    seal_all(services)
    assert chain_status(services).fault is None
    clock.advance(days=2)
    assert chain_status(services).fault == "late"


def test_a_system_that_never_verifies_is_told_after_two_days(services: Services, clock: StandingClock) -> None:
    assert chain_status(services) == ChainStatus(0, None, 0, None, None, None, None)
    make_chain(services, 1)
    clock.advance(days=2)
    assert chain_status(services).fault is None
    clock.moment += timedelta(seconds=1)
    assert chain_status(services).fault == "late"
