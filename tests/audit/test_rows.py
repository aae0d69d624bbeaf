"""Verification of rows: whatever somebody changes in evidence, decisions and codes by SQL is found, by table and id."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.orm import sessionmaker

from app import audit
from app.audit import Actor, monitoring
from app.audit.sealing import seal_all
from app.cli import main
from app.codes import claims, ledger
from app.codes.row_digests import monitoring as row_monitoring
from app.codes.row_digests import verification
from app.codes.row_digests.digests import COLUMNS, RowDigests
from app.core.keys import load_keys
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.codes import (
    OFFICER,
    contact,
    decide_again,
    open_code,
    open_green_code,
    tell,
    withdraw,
    write_config,
)
from tests.support.examples import examples
from tests.support.jobs import run_worker
from tests.support.people import PASSWORD, Phone, Station
from tests.support.random_facts import entries_of, record_many

GREEN, ORANGE, MISTAKEN, UNTOUCHED = 1, 2, 3, 4  # the serials of the world
OTHER_KEY = {
    "evidence": "jsonb_build_object('id', gen_random_uuid(), 'dedup_key', null)",
    "decisions": "jsonb_build_object('id', 999, 'version', 999)",
    "codes": "jsonb_build_object('serial', 999)",
}


def copy(table: str, which: str) -> str:
    """Return the SQL that inserts a row like another one, with a key of its own."""
    row = f"(select to_json(t)::jsonb || {OTHER_KEY[table]} from {table} t where {which} limit 1)::json"
    return f"insert into {table} overriding system value select * from json_populate_record(null::{table}, {row})"


@pytest.fixture
def world(services: Services, clock: StandingClock) -> Services:
    """A green code, an orange one, one whose contact was withdrawn, and one to which nothing was done."""
    for serial in (GREEN, ORANGE, MISTAKEN):
        assert open_green_code(services) == serial
    clock.advance(minutes=1)
    tell(services, ORANGE, contact(clock.now()))
    mistake = contact(clock.now())
    tell(services, MISTAKEN, mistake)
    clock.advance(minutes=1)
    withdraw(services, MISTAKEN, mistake.id)
    assert open_code(services) == UNTOUCHED
    seal_all(services)
    return services


@contextmanager
def tampering(services: Services) -> Iterator[Connection]:
    """A connection of the tables' owner, past triggers and foreign keys; rolled back at the end."""
    with services.engine.connect() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        yield connection
        connection.rollback()


def tamper(services: Services, *statements: str) -> None:
    """Tamper for good."""
    with services.engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def verify(services: Services, connection: Connection | None = None) -> tuple[set[tuple[str, str, str]], int, int]:
    """Verify all rows; return the discrepancies, the number of right rows, and that of uncovered ones."""
    sessions = services.sessions
    if connection is not None:
        sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")
    runs = list(verification.verify_rows(sessions, services.row_digests))
    found = {(one.kind, one.table, one.id) for run in runs for one in run.discrepancies}
    return found, sum(run.rows for run in runs), sum(run.uncovered for run in runs)


@pytest.fixture
def run(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("JIXIANG_CONFIG", str(write_config(services.settings, tmp_path / "config.toml")))
    return lambda *words: CliRunner().invoke(main, ["audit", "verify", *words])


# --- the command --------------------------------------------------------------------------------------------------


def test_rows_that_are_as_they_were_told_are_counted(world: Services, run: Any) -> None:
    whole = run()
    rows = 8 + 6 + 4
    assert whole.exit_code == 0
    assert whole.output.splitlines()[1:] == [f"The rows are as recorded: {rows} of evidence, decisions and codes."]
    told = json.loads(run("--json").output)
    assert (told["rows"], told["uncovered"], told["findings"]) == (rows, 0, [])
    assert "rows" not in json.loads(run("--json", "--no-rows").output)


def test_each_changed_deleted_and_inserted_row_is_a_line_and_the_command_fails(world: Services, run: Any) -> None:
    wrong = {
        ("row-changed", "evidence", "update evidence set authority = 'x' where serial = 1 and kind = 'declaration'"),
        ("row-missing", "evidence", "delete from evidence where serial = 2 and kind = 'contact'"),
        ("row-inserted", "evidence", copy("evidence", "serial = 1 and kind = 'verification'")),
        ("row-changed", "decisions", "update decisions set state = 1 where serial = 2 and rule = 'ORANGE-CONTACT'"),
        ("row-missing", "decisions", "delete from decisions where serial = 3 and rule = 'ORANGE-CONTACT'"),
        ("row-inserted", "decisions", copy("decisions", "serial = 1")),
        ("row-changed", "codes", "update codes set state = 1 where serial = 2"),
        ("row-missing", "codes", "delete from codes where serial = 3"),
        ("row-inserted", "codes", copy("codes", "serial = 1")),
    }
    expected = set()
    with world.engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        for kind, table, statement in wrong:
            key = COLUMNS[table][0]
            expected.add((kind, table, connection.scalar(text(f"{statement} returning {key}::text"))))
    broken = run()
    assert broken.exit_code == 1
    lines = [line.split(": ", 2)[:2] for line in broken.output.splitlines()]
    assert sorted(lines) == sorted([kind, f"{table} {id_}"] for kind, table, id_ in expected)
    told = json.loads(run("--json").output)
    assert {(one["kind"], one["table"], one["id"]) for one in told["findings"]} == expected
    assert told["number"] == len(wrong)


def test_another_value_in_any_column_is_found(world: Services) -> None:
    other = {
        "uuid": "gen_random_uuid()",
        "text": "coalesce({0}, '') || 'x'",
        "character varying": "coalesce({0}, '') || 'x'",
        "timestamp with time zone": "coalesce({0} + interval '1 microsecond', 'infinity')",
        "jsonb": "jsonb_build_array({0}, repeat('[', 3))",
        "ARRAY": "array_append({0} || {0}, null)",
        "bigint": "coalesce({0}, 0) + 500",
        "integer": "coalesce({0}, 0) + 500",
        "smallint": "coalesce({0}, 0) + 500",
    }
    columns = "select column_name, data_type from information_schema.columns where table_name = '{}'"
    first = "(select min(ctid) from {} where serial = 2)"
    hidden = []
    with tampering(world) as connection:
        connection.execute(text("alter table codes alter serial drop identity, alter opened_at drop not null"))
        connection.execute(text("alter table decisions alter id drop identity"))
        for table in COLUMNS:
            for column, kind in connection.execute(text(columns.format(table))).all():
                savepoint = connection.begin_nested()
                value = other[kind].format(column)
                connection.execute(text(f"update {table} set {column} = {value} where ctid = {first.format(table)}"))
                if not verify(world, connection)[0]:
                    hidden.append((table, column))
                savepoint.rollback()
    assert hidden == [("codes", "retry_at")], "which workers move all the time"


# --- events that were added for a row -----------------------------------------------------------------------------

REPEAT = (
    "insert into audit (at, actor, role, action, serial, detail) "
    "select {at}, actor, role, action, serial, detail from audit where serial = {serial} and {which} {order} limit 1"
)


@pytest.mark.parametrize(("at", "kind"), [("at", "row-repeated"), ("at + interval '1 day'", "row-changed")])
def test_a_code_put_back_with_a_repeated_event_is_found(world: Services, at: str, kind: str) -> None:
    """Its old row and its old event, of the same or another moment."""
    with world.engine.connect() as connection:
        old = connection.scalar(text("select row_to_json(c)::text from codes c where serial = 1"))
    tell(world, GREEN, contact(world.clock.now()))
    assert verify(world)[0] == set()
    with tampering(world) as connection:
        values = json.loads(old or "")
        sets = ", ".join(f"{name} = :{name}" for name in values if name != "serial")
        connection.execute(text(f"update codes set {sets} where serial = :serial"), values)
        assert verify(world, connection)[0] == {("row-changed", "codes", "1")}
        which = "detail ->> 'code' is not null and action = 'decided'"
        connection.execute(text(REPEAT.format(at=at, serial=1, which=which, order="order by id")))
        found = verify(world, connection)[0]
        assert (kind, "codes", "1") in found


def test_evidence_that_was_withdrawn_does_not_come_back_with_a_repeated_event(world: Services) -> None:
    with tampering(world) as connection:
        id_ = connection.scalar(
            text(
                "update evidence set withdrawn_at = null, withdrawn_for = null where withdrawn_at is not null "
                "returning id::text"
            )
        )
        which = f"action = 'evidence-recorded' and detail ->> 'evidence' = '{id_}'"
        connection.execute(text(REPEAT.format(at="at", serial=3, which=which, order="")))
        assert verify(world, connection)[0] == {("row-repeated", "evidence", id_)}


@pytest.mark.parametrize(
    "digest", ["'AAAAAAAAAAAAAAAA'::text", "7", "(select detail ->> 'digest' from audit where id = 1)"]
)
def test_an_inserted_row_with_an_event_of_its_own_is_found(world: Services, digest: str) -> None:
    with tampering(world) as connection:
        id_ = connection.scalar(text(copy("evidence", "serial = 1") + " returning id::text"))
        detail = f"jsonb_build_object('evidence', '{id_}', 'digest', {digest})"
        event = f"select now(), 'platform', 'platform', 'evidence-recorded', 1, {detail}"
        connection.execute(text(f"insert into audit (at, actor, role, action, serial, detail) {event}"))
        assert verify(world, connection)[0] == {("row-changed", "evidence", id_)}


def test_what_cannot_be_read_is_found_and_stops_nothing(world: Services) -> None:
    with tampering(world) as connection:
        deep = "'{\"a\": ' || repeat('[', 4000) || repeat(']', 4000) || '}'"
        id_ = connection.scalar(
            text(
                f"update evidence set facts = ({deep})::jsonb where serial = 2 and kind = 'contact' returning id::text"
            )
        )
        assert verify(world, connection)[0] == {("row-changed", "evidence", id_)}


# --- rows without digests -----------------------------------------------------------------------------------------

FORGET = "update audit set detail = detail - 'digest' - 'code'"


def test_rows_of_before_digests_are_not_covered_and_said_to_be_that(world: Services, run: Any) -> None:
    tamper(world, FORGET + ", place = null, hash = null")
    seal_all(world)
    found = run()
    assert found.exit_code == 0
    assert found.output.splitlines()[1:] == [
        "The rows are as recorded: 1 of evidence, decisions and codes.",  # to which nothing was done
        "Not covered, because their events have no digest of our keys: 17 rows.",
    ]
    with tampering(world) as connection:
        connection.execute(text("delete from decisions where serial = 2"))
        id_ = connection.scalar(text(copy("evidence", "serial = 1") + " returning id::text"))
        kinds = {(kind, table) for kind, table, _ in verify(world, connection)[0]}
        assert kinds == {("row-missing", "decisions"), ("row-inserted", "evidence")}, id_


def test_a_change_covers_the_rows_that_it_writes(world: Services) -> None:
    tamper(world, FORGET)
    tell(world, GREEN, contact(world.clock.now()))
    assert verify(world) == (set(), 1 + 3, 17 - 1)


def test_an_event_without_digest_after_the_second_run_is_found(world: Services) -> None:
    found = []
    for minutes in range(2):
        row_monitoring.verify_next(world)
        new = contact(world.clock.now() + timedelta(minutes=minutes))
        tell(world, GREEN, new)
        tamper(world, f"{FORGET} where detail ->> 'evidence' = '{new.id}'")
        found.append(verify(world)[0])
    assert found == [set(), {("row-undigested", "evidence", new.id)}]


# --- other keys ---------------------------------------------------------------------------------------------------


def adopt(services: Services) -> None:
    with services.begin() as session:
        audit.append(session, Actor("operator"), "keys-adopted", services.clock.now(), fingerprint="x")


def test_rows_of_lost_keys_are_not_covered_once_others_were_adopted(world: Services) -> None:
    keys = load_keys(world.settings.keys.directory)
    others = replace(world, row_digests=RowDigests(replace(keys, lookup=bytes(32))))
    assert len(verify(others)[0]) == 17, "other keys, and nobody has adopted them"
    adopt(world)
    assert verify(others) == (set(), 1, 17)


def test_an_adoption_that_somebody_added_excuses_nothing(world: Services) -> None:
    adopt(world)
    with tampering(world) as connection:
        connection.execute(text("update codes set state = 1 where serial = 2"))
        assert verify(world, connection)[0] == {("row-changed", "codes", "2")}


# --- each night ---------------------------------------------------------------------------------------------------


def test_runs_cover_all_codes_and_carry_what_they_have_found(world: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 2)
    tamper(world, "update codes set state = 1 where serial = 2")
    made = [row_monitoring.verify_next(world, 1) for _ in range(3)]
    assert [(one.first, one.last, one.complete, one.number) for one in made] == [
        (1, 2, False, 1),
        (3, 4, True, 1),
        (1, 2, False, 1),
    ]
    tamper(world, "update codes set state = 5 where serial = 2")
    assert row_monitoring.verify_next(world, 1).number == 1, "it does not come by there"
    assert row_monitoring.verify_next(world, 1).number == 0


def test_the_job_tells_auditors(world: Services) -> None:
    tamper(world, "update codes set state = 1 where serial = 2")
    run_worker(world, "verify-audit")
    with world.sessions() as session:
        status = monitoring.chain_status(session, world.clock.now())
    assert status.fault == "rows"
    assert status.rows is not None
    assert [(one["kind"], one["table"], one["id"]) for one in status.rows.found] == [("row-changed", "codes", "2")]


def test_an_empty_system_verifies(services: Services) -> None:
    assert verify(services) == (set(), 0, 0)
    assert row_monitoring.verify_next(services).complete


# --- what is allowed never alarms ---------------------------------------------------------------------------------

ACTIONS = ("tell", "tell many", "withdraw", "withdraw many", "decide", "end sessions", "claim", "confirm", "deny")
steps = st.lists(st.sampled_from([*ACTIONS, "release", "retry", "lease", "roll back"]), min_size=3, max_size=15)


class Actions:
    """Everything that changes evidence, decisions and codes, at random, on three codes."""

    def __init__(self, services: Services, clock: StandingClock, chance: random.Random) -> None:
        self.services, self.clock, self.chance = services, clock, chance
        self.serials = [open_code(services) for _ in range(3)]

    def do(self, action: str) -> None:
        self.clock.advance(hours=self.chance.choice([0, 1, 30, 300]), seconds=1)
        serial, now = self.chance.choice(self.serials), self.clock.now()
        citizen = Actor("citizen", str(serial))
        with self.services.begin() as session:
            context = ledger.ChangeContext(session, self.services.policy, OFFICER, now)
            evidence = {
                one: fact.id
                for one in self.serials
                for fact in ledger.load_evidence(session, one)
                if fact.withdrawn_at is None
            }
            if action == "tell":
                ledger.record(context, serial, entries_of(self.chance, now))
            elif action == "withdraw" and serial in evidence:
                ledger.withdraw(context, serial, evidence[serial], "entered-in-error")
            elif action == "withdraw many":
                ledger.withdraw_many(context, evidence, "entered-in-error")
            elif action == "end sessions":
                ledger.end_sessions(session, serial, actor=citizen, now=now)
            elif action == "claim":
                claims.claim(session, serial, actor=citizen, now=now)
            elif action == "release":
                claims.release(session, serial, actor=citizen, now=now, user=None)
            elif action == "confirm":
                claims.confirm(session, serial, now)
            elif action == "deny":
                claims.deny(session, serial, now)
            elif action == "retry":
                ledger.schedule_retry(session, serial, now + timedelta(hours=1))
            elif action == "lease":
                due = ledger.lease_due(session, now, now + timedelta(minutes=2), 10)
                ledger.reevaluate_many(context, due)
            elif action == "roll back":
                with ledger.rolled_back(session):
                    ledger.record(context, serial, entries_of(self.chance, now))
        if action == "tell many":
            record_many(self.services, self.serials)
        elif action == "decide":
            decide_again(self.services, serial)


@given(actions=steps, seed=st.integers(0, 2**32))
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_system_does_to_codes_is_as_it_was_told(
    services: Services, clock: StandingClock, actions: list[str], seed: int
) -> None:
    doing = Actions(services, clock, random.Random(seed))
    for action in actions:
        doing.do(action)
    found, _, uncovered = verify(services)
    assert (found, uncovered) == (set(), 0)


def test_a_life_is_as_it_was_told(
    services: Services, green_citizen: Phone, station: Station, clock: StandingClock, work: Callable[[], None]
) -> None:
    citizen = green_citizen
    station.measure(citizen.code()["token"], 38.0)
    clock.advance(days=15)
    work()
    citizen.declare(("cough",), contact_on="2020-04-01")
    assert citizen.post("/api/v1/accounts/logout", {}).status_code == 204
    assert citizen.log_in_with_wechat().status_code == 200
    erased = citizen.post("/api/v1/accounts/me/erasure", {"password": PASSWORD})
    assert erased.status_code == 200, erased.text
    found, rows, uncovered = verify(services)
    assert (found, uncovered) == (set(), 0)
    assert rows > 8
