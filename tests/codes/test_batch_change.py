"""Batch changes: the rows are those of changing each code alone."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.audit import CLOCK
from app.citizens import verification
from app.citizens.models import Citizen, DeclarationRow
from app.codes import ledger
from app.codes.cache.records import make_record
from app.codes.evidence import NewEvidence, new_id, rule_from_column
from app.codes.models import Code
from app.core.errors import Problem
from app.rules import Declaration, Quarantine
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.codes import OFFICER, code, everything, open_code, open_green_code, state, write_config
from tests.support.examples import examples
from tests.support.random_facts import contact_entry, entries_of, record_many

PEOPLE = 60


# --- people at random, twice --------------------------------------------------------------------------------------


def anew(entries: Sequence[NewEvidence], ids: dict[str, str]) -> list[NewEvidence]:
    """The same entries for somebody else: with ids of their own."""
    names = {"id", "declaration", "releases"}
    told = []
    for entry in entries:
        own = {name: ids.setdefault(getattr(entry.fact, name), new_id()) for name in names if hasattr(entry.fact, name)}
        told.append(entry._replace(fact=replace(entry.fact, **own)))
    return told


class Twins(NamedTuple):
    """The same person twice: two codes with one past, and the ids of the other's evidence by those of the one's."""

    one: int
    other: int
    ids: dict[str, str]
    past: list[NewEvidence]


def live(session: Session, services: Services, twins: Twins, chance: random.Random) -> None:
    """Give twins a past; some are held by somebody who is not confirmed."""
    held = START - timedelta(hours=chance.randrange(300)) if chance.random() < 0.3 else None
    confirmed = chance.choice([None, None, START]) if held else None
    for hours in sorted(chance.sample(range(1, 400), chance.randrange(4)), reverse=True):
        at = START - timedelta(hours=hours)
        new = entries_of(chance, at, twins.past)
        twins.past.extend(new)
        context = ledger.ChangeContext(session, services.policy, OFFICER, at)
        ledger.record_many(context, {twins.one: new, twins.other: anew(new, twins.ids)})
    for serial in twins[:2]:
        row = ledger.lock_code(session, serial)
        row.claimed_at, row.confirmed_at = held, confirmed


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.node.name)


@pytest.fixture
def population(services: Services, chance: random.Random) -> list[Twins]:
    with services.begin() as session:
        serials = iter(ledger.create_codes(session, 2 * PEOPLE, services.clock.now()))
        twins = [Twins(one, other, {}, []) for one, other in zip(serials, serials, strict=True)]
        for each in twins:
            live(session, services, each, chance)
    with services.engine.begin() as connection:
        connection.execute(text("delete from procrastinate_jobs"))
    return twins


Rows = list[dict[str, Any]]


def rows_about(services: Services, serials: Sequence[int]) -> dict[int, dict[str, Rows]]:
    """Every row about these codes, by code and table."""
    order = {"codes": "serial", "evidence": "recorded_at, at, kind, facts::text", "decisions": "version"}
    about: dict[int, dict[str, Rows]] = {serial: {} for serial in serials}
    with services.engine.connect() as connection:
        for table in ("decisions", "codes", "evidence", "audit", "notices"):
            query = text(f"select * from {table} where serial = any(:serials) order by {order.get(table, 'id')}")
            for tables in about.values():
                tables[table] = []
            for row in connection.execute(query, {"serials": list(serials)}).mappings():
                about[row["serial"]][table].append(dict(row))
    return about


def written_about(services: Services, serial: int, tables: dict[str, Rows], ids: dict[str, str]) -> str:
    """Every row about a code, and its record; without what tells it from its twin."""
    same = {other: one for one, other in ids.items()} | {str(serial): "serial"}
    same |= {str(row["id"]): f"decision {row['version']}" for row in tables["decisions"]}
    for row in tables["decisions"]:
        row["rules"] = [rule_from_column(rule, list(map(str, row["evidence"]))) for rule in row["rules"]]
    for row in (*tables["audit"], *tables["notices"]):
        del row["id"]
    about = {"cache": services.cache.get(serial)._asdict(), **tables}
    return json.dumps(_renamed(about, same), ensure_ascii=False, sort_keys=True, indent=1)


def _renamed(value: Any, names: dict[str, str], key: str = "") -> Any:
    """Everything as text, ids by the names that twins have in common; lists of ids in the order of those.

    Of a digest, which covers ids, no more than that it is there.
    """
    if key in ("digest", "code"):
        return len(value)
    if isinstance(value, dict):
        return {name: _renamed(some, names, name) for name, some in value.items()}
    if isinstance(value, list):
        some = [_renamed(one, names) for one in value]
        return sorted(some) if all(isinstance(one, str) for one in some) else some
    if isinstance(value, int) and key not in ("id", "serial", "decision", "decision_id"):
        return value
    return names.get(str(value), str(value))


def jobs_about(services: Services, serials: Sequence[int]) -> dict[str, list[int]]:
    """About whom which jobs wait, whether alone or in a batch."""
    about: dict[str, list[int]] = {}
    names = {"refresh-many-in-cache": "refresh-cache", "deliver-many-notices": "deliver-notices"}
    with services.engine.connect() as connection:
        for task, args in connection.execute(text("select task_name, args from procrastinate_jobs order by id")):
            some = args.get("serials") or [args["serial"]]
            about.setdefault(names.get(task, task), []).extend(serials.index(s) for s in some if s in serials)
    return {task: sorted(some) for task, some in about.items() if some}


def assert_the_same(services: Services, population: Sequence[Twins]) -> None:
    about = rows_about(services, [serial for twins in population for serial in twins[:2]])
    for one, other, ids, _ in population:
        assert written_about(services, one, about[one], {}) == written_about(services, other, about[other], ids)
    ones, others = ([twins[place] for twins in population] for place in (0, 1))
    assert jobs_about(services, ones) == jobs_about(services, others)


@pytest.mark.slow
@pytest.mark.parametrize("_", range(examples(8)))
def test_many_changed_together_are_as_if_each_had_been_changed_alone(
    services: Services, population: list[Twins], chance: random.Random, _: int
) -> None:
    together = {}
    for one, other, ids, past in population:
        entries = entries_of(chance, START, past)
        together[other] = anew(entries, ids)
        with services.begin() as session:
            ledger.record(ledger.ChangeContext(session, services.policy, OFFICER, START), one, entries)
    with services.begin() as session:
        ledger.record_many(ledger.ChangeContext(session, services.policy, OFFICER, START), together)
    assert_the_same(services, population)


@pytest.mark.slow
@pytest.mark.parametrize("_", range(examples(8)))
def test_many_decided_anew_together_are_as_if_each_had_been_decided_alone(
    services: Services, clock: StandingClock, population: list[Twins], _: int
) -> None:
    for days in (3, 10, 10):
        clock.advance(days=days)
        for twins in population:
            with services.begin() as session:
                ledger.reevaluate(ledger.ChangeContext(session, services.policy, CLOCK, clock.now()), twins.one)
        with services.begin() as session:
            others = [twins.other for twins in population]
            ledger.reevaluate_many(ledger.ChangeContext(session, services.policy, CLOCK, clock.now()), others)
        assert_the_same(services, population)


# --- what is due --------------------------------------------------------------------------------------------------


def register(services: Services, serial: int, *, erased: bool, outcome: str) -> None:
    """Somebody is behind the code, and their declarations came to this."""
    seal = services.encryption.encrypt
    with services.begin() as session:
        session.add(
            Citizen(
                serial=serial,
                document_type="id-card",
                document_ciphertext=None if erased else seal("citizens.document", "示例"),
                document_fingerprint=services.encryption.fingerprint("document:id-card", str(serial)),
                name_ciphertext=seal("citizens.name", "示例"),
                created_at=START,
            )
        )
        session.flush()
        for fact in ledger.load_evidence(session, serial):
            if isinstance(fact, Declaration):
                said = {"declared_at": fact.at, "symptoms": list(fact.symptoms), "contact_on": fact.contact_on}
                row = DeclarationRow(evidence_id=fact.id, serial=serial, consent_version="1", outcome=outcome, **said)
                session.add(row)


@pytest.mark.slow
@pytest.mark.parametrize("days", [1, 5, 8, 15])
def test_the_clock_settles_many_together_as_it_settles_each_alone_and_asks_about_the_same(
    services: Services,
    clock: StandingClock,
    population: list[Twins],
    chance: random.Random,
    days: int,
) -> None:
    for one, other, _, _ in population:
        outcome, erased = chance.choice(["waiting", "verified", "verified", "identity-mismatch"]), chance.random() < 0.2
        for serial in (one, other) if chance.random() < 0.8 else ():
            register(services, serial, erased=erased, outcome=outcome)
    clock.advance(days=days)
    asked = [twins for twins in population if verification.make_request(services, twins.one) is not None]
    for twins in population:
        if twins not in asked:
            assert verification.reevaluate(services, twins.one)
    with services.begin() as session:
        others = [twins.other for twins in population]
        left = verification.reevaluate_due(session, services.policy, others, clock.now())
    assert left == [twins.other for twins in asked]
    assert 0 < len(left) < len(others)
    assert_the_same(services, population)


# --- one transaction ----------------------------------------------------------------------------------------------


def forget_jobs(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("delete from procrastinate_jobs"))


def test_a_mass_change_takes_one_job_for_the_cache_and_one_for_sixteen_notices(services: Services) -> None:
    serials = [open_green_code(services) for _ in range(20)]
    forget_jobs(services)
    record_many(services, serials)
    with services.engine.connect() as connection:
        jobs = connection.execute(text("select task_name, args, priority from procrastinate_jobs order by id")).all()
    assert [(job.task_name, len(job.args["serials"]), job.priority) for job in jobs] == [
        ("deliver-many-notices", 16, -10),
        ("deliver-many-notices", 4, -10),
        ("refresh-many-in-cache", 20, 0),
    ]


def test_the_job_of_a_mass_change_mends_the_cache(services: Services, work: Callable[[], None]) -> None:
    serials = [open_green_code(services) for _ in range(3)]
    record_many(services, serials)
    services.cache.drop()
    work()
    for serial in serials:
        assert services.cache.get(serial) == make_record(code(services, serial), services.policy.rules)


def test_one_code_that_does_not_exist_refuses_the_whole(services: Services) -> None:
    serials = [open_green_code(services) for _ in range(3)]
    before = everything(services)
    with pytest.raises(Problem, match="code-not-found"):
        record_many(services, [*serials, 999_999])
    assert everything(services) == before


def test_a_mass_change_of_nobody_writes_nothing(services: Services) -> None:
    before = everything(services)
    assert record_many(services, []) == (0, {})
    assert everything(services) == before


def test_a_mass_change_tells_what_was_new_and_the_states_before_and_after(services: Services) -> None:
    green, unknown = open_green_code(services), open_code(services)
    first = record_many(services, [green, unknown])
    assert first.entries == 2
    assert {s: (a.name, b.name) for s, (a, b) in first.states.items()} == {
        green: ("GREEN", "ORANGE"),
        unknown: ("NOT_DECLARED", "ORANGE"),
    }
    assert record_many(services, [green, unknown]) == (0, {})


def test_the_same_finding_twice_in_one_change_is_kept_once(services: Services) -> None:
    serial = open_green_code(services)
    with services.begin() as session:
        entries = {serial: [contact_entry(), contact_entry(), contact_entry(dedup_key=None)]}
        changed = ledger.record_many(ledger.ChangeContext(session, services.policy, OFFICER, START), entries)
    assert changed.entries == 2


def test_a_change_of_the_due_time_alone_reaches_the_cache_as_a_newer_version(services: Services) -> None:
    serials = [open_green_code(services) for _ in range(3)]
    before = [code(services, serial).version for serial in serials]
    tomorrow = Quarantine(id=new_id(), at=START, first_day=date(2020, 3, 21), last_day=date(2020, 3, 30))
    entries = {serial: [NewEvidence(replace(tomorrow, id=new_id()), "示例疾控", "文书")] for serial in serials}
    with services.begin() as session:
        assert ledger.record_many(ledger.ChangeContext(session, services.policy, OFFICER, START), entries).states == {}
    for serial, version in zip(serials, before, strict=True):
        row = code(services, serial)
        assert (row.version, row.due_at) == (version + 1, datetime.fromisoformat("2020-03-21T00:00:00+08:00"))
        assert services.cache.get(serial) == make_record(row, services.policy.rules)


def test_a_look_that_was_put_off_is_over_once_it_was_taken(services: Services) -> None:
    serials = [open_green_code(services) for _ in range(3)]
    with services.begin() as session:
        for serial in serials:
            ledger.schedule_retry(session, serial, START + timedelta(minutes=2))
    with services.begin() as session:
        ledger.record_many(ledger.ChangeContext(session, services.policy, OFFICER, START), {serials[0]: []})
        ledger.reevaluate_many(ledger.ChangeContext(session, services.policy, CLOCK, START), serials[1:])
    assert [code(services, serial).retry_at for serial in serials] == [START + timedelta(minutes=2), None, None]


def test_what_a_session_read_before_a_mass_change_is_read_anew(services: Services) -> None:
    serial = open_green_code(services)
    with services.begin() as session:
        row = ledger.get_code(session, serial)
        ledger.record_many(ledger.ChangeContext(session, services.policy, OFFICER, START), {serial: [contact_entry()]})
        assert row.rule == "ORANGE-CONTACT"
        row.confirmed_at = START  # and what is changed now does not bring the old state back
    assert (state(services, serial).name, code(services, serial).confirmed_at) == ("ORANGE", START)


# --- a process that is killed -------------------------------------------------------------------------------------

CHILD = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.orm import Session
from app.core.settings import load_settings
from app.runtime import make_services
from tests.support.random_facts import record_many
from tests.support.clock import StandingClock

event.listen(Session, sys.argv[1] + "_commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
services = make_services(load_settings(), StandingClock())
record_many(services, list(map(int, sys.argv[2:])))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("dies", "color"), [("before", "GREEN"), ("after", "ORANGE")])
def test_a_process_killed_in_a_mass_change_leaves_all_of_it_or_nothing(
    services: Services, tmp_path: Path, work: Callable[[], None], dies: str, color: str
) -> None:
    serials = [open_green_code(services) for _ in range(4)]
    forget_jobs(services)
    file = write_config(services.settings, tmp_path / "config.toml")
    root = Path(__file__).parents[2]
    child = [sys.executable, "-c", CHILD, dies, *map(str, serials)]
    ended = subprocess.run(child, cwd=root, env={**os.environ, "JIXIANG_CONFIG": str(file)}, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    work()
    assert {state(services, serial).name for serial in serials} == {color}
    assert {services.current_code(serial).record.state.name for serial in serials} == {color}
    record_many(services, serials)
    assert {state(services, serial).name for serial in serials} == {"ORANGE"}
    with services.sessions() as session:
        assert session.scalars(select(Code.state)).all() == [5] * 4
        for serial in serials:
            assert len(ledger.load_evidence(session, serial)) == 3
