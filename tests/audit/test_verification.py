"""Verification: whatever somebody with all privileges does to the audit is found, and its place is named."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from app.audit import verification
from app.audit.chain import Discrepancy
from app.audit.generations import explain
from app.audit.sealing import seal_all
from app.cli import main
from app.runtime import Services
from tests.support.chain import (
    append_events,
    find_discrepancies,
    make_chain,
    rewrite_chain,
    stored_checkpoints,
    stored_events,
    tampering,
)
from tests.support.clock import StandingClock
from tests.support.codes import write_config
from tests.support.examples import examples

INSERT = (
    "insert into audit (at, actor, role, action, serial, detail, place, hash) "
    "select at, actor, role, action, 999, detail, {place}, {hash} from audit where id = 1"
)
NO_ROWS = "The rows are as recorded: 0 of evidence, decisions and codes.\n"
MAKE_ROOM = "update audit set place = place + 1 where place >= 5"
CLOSE_UP = "update audit set place = place - 1 where place > 5"

# What is done to a chain of ten entries whose ids are their places, and what is found: kind, place and id.
CASES: list[tuple[str, list[str], list[tuple[str, int | None, int | None]]]] = [
    ("nothing", [], []),
    ("a changed action", ["update audit set action = 'x' where id = 5"], [("changed", 5, 5)]),
    ("a changed actor", ["update audit set actor = 'officer:8' where id = 5"], [("changed", 5, 5)]),
    ("a changed role", ["update audit set role = 'clock' where id = 5"], [("changed", 5, 5)]),
    ("a role taken away", ["update audit set role = null where id = 5"], [("changed", 5, 5)]),
    ("another person", ["update audit set serial = 77 where id = 5"], [("changed", 5, 5)]),
    ("another reason", ["update audit set reason = 'appeal' where id = 5"], [("changed", 5, 5)]),
    ("another detail", ["update audit set detail = '{\"n\": 1}' where id = 5"], [("changed", 5, 5)]),
    ("a moment later", ["update audit set at = at + interval '1 microsecond' where id = 5"], [("changed", 5, 5)]),
    ("the first changed", ["update audit set action = 'x' where id = 1"], [("changed", 1, 1)]),
    ("the last changed", ["update audit set action = 'x' where id = 10"], [("changed", 10, 10)]),
    ("two changed", ["update audit set action = 'x' where id in (3, 8)"], [("changed", 3, 3), ("changed", 8, 8)]),
    ("another hash", ["update audit set hash = sha256('x') where id = 5"], [("changed", 5, 5), ("changed", 6, 6)]),
    ("a removed entry", ["delete from audit where id = 5"], [("removed", 5, None)]),
    ("the first removed", ["delete from audit where id = 1"], [("removed", 1, None)]),
    ("three removed", ["delete from audit where id in (4, 5, 6)"], [("removed", 4, None)]),
    ("removed, and closed up", ["delete from audit where id = 5", CLOSE_UP], [("changed", 5, 6)]),
    ("inserted", [MAKE_ROOM, INSERT.format(place=5, hash="sha256('x')")], [("changed", 5, 11), ("misplaced", 5, 11)]),
    (
        "inserted before the first",
        ["update audit set place = place + 1", INSERT.format(place=1, hash="sha256('x')")],
        [("changed", 1, 11), ("misplaced", 1, 11)],
    ),
    ("a place given twice", [INSERT.format(place=5, hash="sha256('x')")], [("changed", 5, 11), ("misplaced", 5, 11)]),
    (
        "two changed about",
        ["update audit set place = 11 - place where place in (5, 6)"],
        [("changed", 5, 6), ("misplaced", 5, 6), ("misplaced", 6, 5)],
    ),
    (
        "two far apart changed about",
        ["update audit set place = 11 - place where place in (2, 9)"],
        [("changed", 2, 9), ("changed", 3, 3), ("misplaced", 9, 2), ("misplaced", 10, 10)],
    ),
    (
        "a place before the first",
        ["update audit set place = -4 where id = 1"],
        [("misplaced", -4, 1), ("removed", 1, None)],
    ),
    (
        "a hole as large as can be",
        ["update audit set place = 9223372036854775807 where id = 10"],
        [("removed", 10, None)],
    ),
    ("taken out of the chain", ["update audit set place = null, hash = null where id = 5"], [("removed", 5, None)]),
]


@pytest.mark.parametrize(("statements", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_was_tampered_with_is_named(
    services: Services, statements: list[str], expected: list[tuple[str, int | None, int | None]]
) -> None:
    make_chain(services, 10)
    with tampering(services) as connection:
        for statement in statements:
            connection.execute(text(statement))
        found = find_discrepancies(services, connection)
    assert [(one.kind, one.place, one.entry) for one in found] == expected
    for one in found:
        assert str(one.entry or one.place) in one.words


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_it_is_found_wherever_one_batch_ends_and_the_next_begins(
    services: Services, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(verification, "BATCH", batch)
    for _, statements, expected in CASES:
        _empty(services)
        make_chain(services, 10)
        with tampering(services) as connection:
            for statement in statements:
                connection.execute(text(statement))
            found = find_discrepancies(services, connection)
        assert [(one.kind, one.place, one.entry) for one in found] == expected, statements


def _empty(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("alter table audit disable trigger user"))
        connection.execute(text("truncate audit restart identity"))
        connection.execute(text("alter table audit enable trigger user"))


def test_an_entry_that_nobody_sealed_is_told_after_ten_minutes(services: Services, clock: StandingClock) -> None:
    make_chain(services, 2)
    append_events(services)
    clock.advance(minutes=10)
    assert find_discrepancies(services) == []
    clock.advance(seconds=1)
    assert [(one.kind, one.entry) for one in find_discrepancies(services)] == [("unsealed", 3)]
    with tampering(services) as connection:
        connection.execute(text("update audit set place = null, hash = null where id = 2"))
        assert [(one.kind, one.entry) for one in find_discrepancies(services, connection)] == [
            ("unsealed", 2),
            ("unsealed", 3),
        ]


# --- the heads ----------------------------------------------------------------------------------------------------


@pytest.fixture
def two_days(services: Services, clock: StandingClock) -> Services:
    """A chain with a head at 4 and one at 8 entries, and two entries since."""
    for _ in range(2):
        make_chain(services, 4)
        clock.advance(days=1)
        seal_all(services)
    make_chain(services, 2)
    assert [head.entries for head in stored_checkpoints(services)] == [4, 8]
    return services


HEADS: list[tuple[str, list[str], list[tuple[str, int | None]]]] = [
    ("nothing", [], []),
    ("changed and written anew", ["update audit set action = 'x' where id = 3"], [("rewritten", 4), ("rewritten", 8)]),
    ("the same on the second day", ["update audit set action = 'x' where id = 6"], [("rewritten", 8)]),
    ("the end cut off", ["delete from audit where place > 6"], [("cut-off", 8)]),
    ("everything cut off", ["delete from audit"], [("cut-off", 4), ("cut-off", 8)]),
    ("another hash in a head", ["update audit_checkpoints set hash = sha256('x') where entries = 4"], [("forged", 4)]),
    ("another number in a head", ["update audit_checkpoints set entries = 5 where entries = 4"], [("forged", 5)]),
    ("another day in a head", ["update audit_checkpoints set day = day - 7 where entries = 4"], [("forged", 4)]),
    ("another signature", ["update audit_checkpoints set signature = sha512('x') where entries = 4"], [("forged", 4)]),
    ("another key", ["update audit_checkpoints set public_key = sha256('x') where entries = 4"], [("unknown-key", 4)]),
    ("another kid", ["update audit_checkpoints set kid = '00000000' where entries = 4"], [("unknown-key", 4)]),
]


@pytest.mark.parametrize(("statements", "expected"), [case[1:] for case in HEADS], ids=[case[0] for case in HEADS])
def test_who_writes_the_chain_anew_is_found_by_its_heads(
    two_days: Services, statements: list[str], expected: list[tuple[str, int | None]]
) -> None:
    with tampering(two_days) as connection:
        for statement in statements:
            connection.execute(text(statement))
        rewrite_chain(connection)
        found = find_discrepancies(two_days, connection)
    assert [(one.kind, one.place) for one in found] == expected
    assert all(str(one.day) in one.words for one in found)


@pytest.mark.parametrize(
    ("statements", "kinds", "words"),
    [
        (["delete from audit where id = 5", CLOSE_UP], ["changed"], "1 events were removed"),
        ([MAKE_ROOM, INSERT.format(place=5, hash="sha256('x')")], ["changed", "misplaced"], "1 events were inserted"),
    ],
)
def test_a_head_tells_by_how_many_entries_the_chain_is_short_or_long(
    two_days: Services, statements: list[str], kinds: list[str], words: str
) -> None:
    with tampering(two_days) as connection:
        for statement in statements:
            connection.execute(text(statement))
        found = find_discrepancies(two_days, connection)
    assert [(one.kind, one.place) for one in found] == [*((kind, 5) for kind in kinds), ("shifted", 8)]
    assert words in found[-1].words


def test_heads_kept_elsewhere_find_what_was_taken_out_of_both_tables(two_days: Services) -> None:
    saved = stored_checkpoints(two_days)
    with tampering(two_days) as connection:
        connection.execute(text("delete from audit where place > 6"))
        connection.execute(text("delete from audit_checkpoints where entries > 6"))
        assert find_discrepancies(two_days, connection) == [], "nothing in the database itself tells it"
        found = find_discrepancies(two_days, connection, external=saved)
    assert [(one.kind, one.place) for one in found] == [("cut-off", 8)]


def test_from_a_day_on_only_what_came_after_the_head_before_is_read(two_days: Services, clock: StandingClock) -> None:
    day = stored_checkpoints(two_days)[1].day
    for changed, expected in ((4, []), (5, [("changed", 5)])):
        with tampering(two_days) as connection:
            connection.execute(text(f"update audit set action = 'x' where id = {changed}"))
            assert [(one.kind, one.place) for one in find_discrepancies(two_days, connection, since=day)] == expected
    assert find_discrepancies(two_days, since=day - timedelta(days=9)) == [], "no head before: from the beginning"


def test_from_a_day_on_a_forged_head_is_no_place_to_begin(two_days: Services) -> None:
    day = stored_checkpoints(two_days)[1].day
    with tampering(two_days) as connection:
        connection.execute(text("update audit set action = 'x' where id = 3"))
        rewrite_chain(connection)
        connection.execute(
            text("update audit_checkpoints set hash = a.hash from audit a where a.place = 4 and entries = 4")
        )
        kinds = [one.kind for one in find_discrepancies(two_days, connection, since=day)]
    assert kinds == ["forged", "rewritten"]


# --- anything at random -------------------------------------------------------------------------------------------

LENGTH = 12
COLUMNS = {
    "actor": "'x'",
    "role": "'x'",
    "action": "'x'",
    "serial": "serial + 1",
    "reason": "'x'",
    "detail": "'{\"x\": 1}'",
    "at": "at - interval '1 second'",
    "hash": "sha256(hash)",
}
places = st.integers(1, LENGTH)
manipulations = st.one_of(
    st.tuples(st.just("change"), places, st.sampled_from(sorted(COLUMNS))),
    st.tuples(st.just("remove"), places, st.booleans()),
    st.tuples(st.just("insert"), places, st.booleans()),
    st.tuples(st.just("exchange"), places, st.integers(1, LENGTH - 1)),
)


def tamper(connection: Connection, kind: str, place: int, how: Any) -> set[int]:
    """Do it; returns the places about which something may be said."""
    if kind == "change":
        connection.execute(text(f"update audit set {how} = {COLUMNS[how]} where place = {place}"))
        return {place, place + 1}
    if kind == "remove":
        connection.execute(text(f"delete from audit where place = {place}"))
        if how:
            connection.execute(text(f"update audit set place = place - 1 where place > {place}"))
        return {place}
    if kind == "insert":
        if how:
            connection.execute(text(f"update audit set place = place + 1 where place >= {place}"))
        connection.execute(
            text(INSERT.format(place=place, hash="sha256('x')").replace("id = 1", f"id = {LENGTH // 2}"))
        )
        return {place}
    other = (place + how - 1) % LENGTH + 1
    connection.execute(
        text(f"update audit set place = {place + other} - place where place in ({place}, {other})"),
    )
    return {place, other}


@given(manipulation=manipulations)
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_done_inside_a_chain_stays_hidden(
    services: Services, manipulation: tuple[str, int, Any]
) -> None:
    if not stored_events(services):
        make_chain(services, LENGTH)
    with tampering(services) as connection:
        about = tamper(connection, *manipulation)
        found = find_discrepancies(services, connection)
    # the end is for the heads: there is nothing behind it that it could not fit
    if manipulation[0] == "remove" and manipulation[1] == LENGTH:
        assert found == []
    else:
        assert about & {one.place for one in found}, (manipulation, found)


@given(manipulation=manipulations, place=places)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_stays_hidden_from_a_head_however_well_the_chain_is_written_anew(
    services: Services, clock: StandingClock, manipulation: tuple[str, int, Any], place: int
) -> None:
    if not stored_events(services):
        make_chain(services, LENGTH)
        clock.advance(days=1)
        seal_all(services)
        clock.advance(days=-1)
    if manipulation[0] == "change" and manipulation[2] == "hash":
        return  # written anew, it is right again
    if manipulation == ("insert", LENGTH, False):
        return  # it comes to stand behind the head, as what is entered later does
    with tampering(services) as connection:
        tamper(connection, *manipulation)
        connection.execute(
            text(
                "update audit a set place = n.place from "
                "(select id, row_number() over (order by place, id) as place from audit) n where n.id = a.id"
            )
        )
        rewrite_chain(connection)
        assert {one.kind for one in find_discrepancies(services, connection)} & {"rewritten", "cut-off"}, manipulation


@pytest.mark.parametrize(
    ("at", "sealed", "why"),
    [
        ("2020-03-21 23:59:59+08", 3, "no restore since then explains this"),  # it is older than the checkpoint
        ("2020-03-22 00:00:00+08", 8, "no restore since then explains this"),  # it has cut nothing of the checkpoint
        ("2020-03-22 00:00:00+08", 7, "the database was put back to place 7 on 2020-03-2"),
    ],
)
def test_a_restore_explains_a_cut_that_it_may_have_made(services: Services, at: str, sealed: int, why: str) -> None:
    began = text(
        "insert into audit (at, actor, action, detail) "
        "values (cast(:at as timestamptz), 'clock', 'generation-began', cast(:detail as jsonb))"
    )
    with services.engine.begin() as connection:
        connection.execute(began, {"at": at, "detail": json.dumps({"sealed": sealed})})
    cut = Discrepancy("cut-off", "cut", 8, None, date(2020, 3, 21))
    [one] = explain(services.sessions, [cut])
    assert one.words.startswith(f"cut; {why}")


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def run(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("JIXIANG_CONFIG", str(write_config(services.settings, tmp_path / "config.toml")))
    return lambda *words: CliRunner().invoke(main, ["audit", *words])


def change_one(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("alter table audit disable trigger user"))
        connection.execute(text("update audit set action = 'x' where id = 2"))
        connection.execute(text("alter table audit enable trigger user"))


def test_the_commands_seal_and_verify(services: Services, run: Any) -> None:
    append_events(services, 3)
    assert run("seal").output == "3 events sealed.\n"
    whole = run("verify")
    assert (whole.exit_code, whole.output) == (0, f"The chain is intact: 3 events.\n{NO_ROWS}")


def test_what_does_not_fit_is_a_line_and_the_command_fails(services: Services, run: Any) -> None:
    append_events(services, 3)
    run("seal")
    change_one(services)
    broken = run("verify")
    assert broken.exit_code == 1
    assert broken.output == (
        "changed: place 2, event 2: does not follow from event 1: one of them was changed, "
        "or events between were removed\n"
    )
    told = json.loads(run("verify", "--json").output)
    assert told["number"] == 1
    assert {name: told["findings"][0][name] for name in ("kind", "place", "entry", "day")} == {
        "kind": "changed",
        "place": 2,
        "entry": 2,
        "day": None,
    }


def test_the_command_takes_heads_as_they_were_published(
    two_days: Services, run: Any, client: Any, tmp_path: Path
) -> None:
    file = tmp_path / "heads.json"
    file.write_bytes(client.get("/.well-known/jixiang-audit").data)
    intact = run("verify", "--heads", str(file))
    assert (intact.exit_code, intact.output) == (
        0,
        f"The chain is intact: 10 events.\n{NO_ROWS}Compared with 2 checkpoints.\n",
    )
    with two_days.engine.begin() as connection:
        for table in ("audit", "audit_checkpoints"):
            connection.execute(text(f"alter table {table} disable trigger user"))
        connection.execute(text("delete from audit where place > 6"))
        connection.execute(text("delete from audit_checkpoints where entries > 6"))
        for table in ("audit", "audit_checkpoints"):
            connection.execute(text(f"alter table {table} enable trigger user"))
    found = run("verify", "--heads", str(file))
    assert found.exit_code == 1
    assert found.output == (
        "cut-off: checkpoint of 2020-03-21: the chain ends at place 6, and had 8 events then; "
        "no restore since then explains this\nCompared with 2 checkpoints.\n"
    )


def test_a_file_without_checkpoints_is_said_to_compare_with_none(services: Services, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "heads.json"
    file.write_text('{"heads": []}')
    assert run("verify", "--heads", str(file)).output.endswith("Compared with 0 checkpoints.\n")
    assert json.loads(run("verify", "--heads", str(file), "--json").output)["heads"] == 0


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"heads": [{}]}', '{"heads": [{"day": "x"}]}'])
def test_heads_that_cannot_be_read_are_one_line(
    services: Services, run: Any, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "heads.json"
    if content is not None:
        file.write_text(content)
    result = run("verify", "--heads", str(file))
    assert result.exit_code == 1
    assert result.output.startswith("Error: ") and result.output.count("\n") == 1
