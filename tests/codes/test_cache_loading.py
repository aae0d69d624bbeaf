"""Loading the color cache from the database, comparing and repairing it: as functions and as commands."""

import json
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from app.cli import main
from app.codes.cache import loading
from app.codes.cache.records import NEVER, RECORD_SIZE, RECORDS_PER_KEY, CacheRecord, cache_offset, make_record, unpack
from app.codes.models import Code
from app.codes.states import State
from app.rules import load_policy
from app.runtime import Services
from tests.support.clock import START
from tests.support.codes import code, contact, open_code, open_green_code, tell, write_config
from tests.support.examples import examples

WRONG = CacheRecord(State.RED, rule=1, epoch=1, version=2**31, since_minute=0, until_minute=NEVER)


def warm(services: Services) -> list[loading.CacheProgress]:
    return list(loading.load_cache(services.cache, services.sessions, services.policy))


def differing(services: Services) -> list[int]:
    found = loading.verify_cache(services.cache, services.sessions, services.policy)
    return [serial for _, serials in found for serial in serials]


def rewrite(services: Services, serials: list[int]) -> None:
    loading.repair_cache(services.cache, services.sessions, services.policy, serials)


def all_cached(services: Services) -> dict[int, CacheRecord]:
    """Every record that was ever written, by serial."""
    cached = {}
    for number in services.cache.blocks():
        data = services.cache.block(number)
        assert len(data) == RECORDS_PER_KEY * RECORD_SIZE
        for at in range(0, len(data), RECORD_SIZE):
            if any(data[at : at + RECORD_SIZE]):
                cached[number * RECORDS_PER_KEY + at // RECORD_SIZE] = unpack(data[at : at + RECORD_SIZE])
    return cached


@pytest.fixture
def some_codes(services: Services) -> list[int]:
    """A few codes, the last of them blocks away from the first."""
    serials = [open_green_code(services), open_code(services), open_green_code(services)]
    with services.engine.begin() as connection:
        connection.execute(text(f"alter table codes alter column serial restart with {3 * RECORDS_PER_KEY}"))
    serials += [open_green_code(services), open_green_code(services)]
    tell(services, serials[0], contact(START))
    return serials


def as_the_database_says(services: Services, serials: list[int]) -> dict[int, CacheRecord]:
    return {serial: make_record(code(services, serial), services.policy.rules) for serial in serials}


# --- the functions ----------------------------------------------------------------------------------------------------


def test_warming_writes_every_code_and_only_codes(services: Services, some_codes: list[int]) -> None:
    services.cache.drop()
    progress = warm(services)
    strings = len({serial // RECORDS_PER_KEY for serial in some_codes})
    assert [step.done for step in progress] == list(range(1, strings + 1)), "and no string without a code"
    assert {step.total for step in progress} == {strings}
    assert progress[-1].codes == len(some_codes)
    assert all_cached(services) == as_the_database_says(services, some_codes)
    assert warm(services)[-1].codes == 0, "nothing is newer the second time"


moments = st.none() | st.integers(0, 2**41).map(lambda micros: START + timedelta(microseconds=micros))


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "state": st.sampled_from([state for state in State if state != State.EMPTY]),
                "version": st.integers(1, 2**31 - 1),
                "epoch": st.integers(1, 65_535),
                "rule": st.sampled_from([None, *load_policy().rules]),
                "since": moments,
                "due_at": moments,
            }
        ),
        min_size=1,
        max_size=40,
    )
)
def test_postgresql_packs_whatever_a_row_says_as_we_do(services: Services, rows: list[dict[str, Any]]) -> None:
    with services.sessions.begin() as session:
        session.execute(delete(Code))
        codes = [Code(opened_at=START, **row) for row in rows]
        session.add_all(codes)
    services.cache.drop()
    assert warm(services)[-1].codes == len(rows)
    expected = {one.serial: make_record(one, services.policy.rules) for one in codes}
    assert all_cached(services) == expected
    assert differing(services) == []


def test_a_rule_that_the_policy_does_not_know_leaves_the_record_empty(services: Services) -> None:
    serial, known = open_green_code(services), open_green_code(services)
    with services.engine.begin() as connection:
        connection.execute(text(f"update codes set rule = 'OF-A-LATER-RELEASE' where serial = {serial}"))
    services.cache.drop()
    warm(services)
    assert set(all_cached(services)) == {known}


def test_warming_again_replaces_older_records_and_leaves_newer_ones(services: Services, some_codes: list[int]) -> None:
    newer, older, far = some_codes[0], some_codes[2], some_codes[3]
    warm(services)
    services.cache.put([(newer, WRONG)])
    services.cache.forget([older, far])
    services.cache.put([(older, WRONG._replace(version=1))])
    assert warm(services)[-1].codes == 2
    expected = as_the_database_says(services, some_codes) | {newer: WRONG}
    assert all_cached(services) == expected


def test_warming_while_a_code_changes_keeps_the_change(services: Services, some_codes: list[int]) -> None:
    services.cache.drop()
    steps = loading.load_cache(services.cache, services.sessions, services.policy)
    next(steps)
    tell(services, some_codes[-1], contact(START))
    list(steps)
    assert services.cache.get(some_codes[-1]).state == State.ORANGE


def test_without_any_code_there_is_nothing_to_warm_and_nothing_differs(services: Services) -> None:
    assert warm(services) == []
    assert differing(services) == []


def test_a_warm_and_a_cold_cache_agree_with_the_database(services: Services, some_codes: list[int]) -> None:
    assert differing(services) == []
    services.cache.drop()
    assert differing(services) == [], "a record that is not there says nothing wrong"


def test_every_kind_of_difference_is_found_and_mended(services: Services, some_codes: list[int]) -> None:
    newer, foreign, nobody, far = some_codes[0], some_codes[1], 500, 9 * RECORDS_PER_KEY + 7
    services.cache.put([(serial, WRONG) for serial in (newer, nobody, far)])
    services.redis.setrange(services.cache.key_of(foreign), cache_offset(foreign), "\x63" * 16)
    assert differing(services) == [newer, foreign, nobody, far]
    rewrite(services, [newer, foreign, nobody, far])
    assert differing(services) == []
    assert services.cache.get(newer).state == State.ORANGE
    assert services.cache.get(far).state == State.EMPTY


def test_an_older_record_is_found_and_mended(services: Services) -> None:
    serial = open_green_code(services)
    old = services.cache.get(serial)
    tell(services, serial, contact(START))
    services.cache.forget([serial])
    services.cache.put([(serial, old)])
    assert differing(services) == [serial]
    rewrite(services, [serial])
    assert services.cache.get(serial).state == State.ORANGE


def test_a_change_while_cache_and_database_are_compared_is_no_difference(services: Services) -> None:
    serial = open_green_code(services)

    def sessions() -> Session:
        """The cache was read, and the database is not yet."""
        tell(services, serial, contact(services.clock.now()))
        return services.sessions()

    assert loading.verify_block(services.cache, cast(Any, sessions), services.policy, 0) == []
    assert services.cache.get(serial).state == State.ORANGE


def test_what_redis_did_not_confirm_is_in_doubt_and_no_difference(services: Services) -> None:
    serial = open_green_code(services)
    old = services.cache.get(serial)
    tell(services, serial, contact(START))
    services.cache.forget([serial])
    services.cache.put([(serial, old)])
    with services.engine.begin() as connection:
        connection.execute(text(f"insert into cache_doubts (key) values ('code:{serial}')"))
    assert differing(services) == []
    services.lease.renew()
    assert services.cache.get(serial).state == State.ORANGE


def test_a_repair_lets_no_record_from_before_a_change_in(services: Services) -> None:
    serial = open_green_code(services)
    services.cache.mark({serial: code(services, serial).version})  # a change that is about to be committed
    rewrite(services, [serial])
    assert services.cache.get(serial).state == State.EMPTY


def test_a_cache_that_is_wrong_everywhere_is_mended_however_many_codes_it_has(services: Services) -> None:
    serial = open_green_code(services)
    serials = range(17 * RECORDS_PER_KEY)  # more than one statement can name
    services.cache.put((number, WRONG) for number in serials)
    rewrite(services, list(serials))
    assert services.cache.get(serial).state == State.GREEN
    assert services.cache.get(17 * RECORDS_PER_KEY - 1).state == State.EMPTY


# --- the commands -------------------------------------------------------------------------------------------------

Jixiang = Callable[..., Result]


@pytest.fixture
def jixiang(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jixiang:
    """`jixiang …` with a configuration file of its own; sections given by name replace values of it."""

    def run(*words: str, **sections: dict[str, Any]) -> Result:
        file = write_config(services.settings, tmp_path / "config.toml", **sections)
        monkeypatch.setenv("JIXIANG_CONFIG", str(file))
        return CliRunner().invoke(main, words)

    return run


def one_line_error(result: Result) -> str:
    """What went wrong, told in one line on standard error."""
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def test_the_command_warms_the_cache(services: Services, some_codes: list[int], jixiang: Jixiang) -> None:
    services.cache.drop()
    result = jixiang("cache", "warm")
    assert (result.exit_code, result.stdout) == (0, f"{len(some_codes)} records written.\n")
    assert services.cache.get(some_codes[-1]).state == State.GREEN


def test_the_command_says_that_cache_and_database_agree(
    services: Services, some_codes: list[int], jixiang: Jixiang
) -> None:
    result = jixiang("cache", "verify")
    assert (result.exit_code, result.stdout) == (0, "The cache agrees with the database.\n")


def test_the_command_fails_on_a_difference_until_it_is_told_to_repair(
    services: Services, some_codes: list[int], jixiang: Jixiang
) -> None:
    services.cache.put([(some_codes[0], WRONG)])
    assert "1 records differ" in one_line_error(jixiang("cache", "verify"))
    assert services.cache.get(some_codes[0]) == WRONG, "looking changes nothing"
    repaired = jixiang("cache", "verify", "--repair")
    assert (repaired.exit_code, repaired.stdout) == (0, "1 records differed and were rewritten.\n")
    assert jixiang("cache", "verify").exit_code == 0


@pytest.mark.parametrize("command", ["warm", "verify"])
def test_the_commands_say_in_one_line_that_the_database_is_away(jixiang: Jixiang, command: str) -> None:
    away = {"url": "postgresql+psycopg:///jixiang?host=/nowhere"}
    assert "database" in one_line_error(jixiang("cache", command, database=away))


@pytest.mark.parametrize("command", ["warm", "verify"])
def test_the_commands_say_in_one_line_that_redis_is_away(some_codes: list[int], jixiang: Jixiang, command: str) -> None:
    assert "Redis" in one_line_error(jixiang("cache", command, redis={"url": "unix:///nowhere/s"}))


def test_the_configuration_of_these_tests_says_what_the_settings_say(services: Services, tmp_path: Path) -> None:
    file = write_config(services.settings, tmp_path / "config.toml")
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    assert written == json.loads(services.settings.model_dump_json(exclude_none=True))
