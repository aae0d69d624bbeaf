"""Many codes at once: what follows is, row by row, what follows when each is changed alone."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from app.audit import CLOCK
from app.citizens import verification
from app.citizens.models import Citizen, DeclarationRow
from app.codes import ledger
from app.codes.cache import record_of
from app.codes.evidence import Entry, new_id
from app.codes.models import Code
from app.errors import Problem
from app.rules import Contact, Declaration, Diagnosis, Evidence, Quarantine, Release, Temperature, Verification
from app.services import Services
from tests.codes.acts import OFFICER, code, everything, open_code, open_green_code, state, tell, write_config
from tests.conftest import START, StandingClock

PEOPLE = 60


# --- people at random, twice --------------------------------------------------------------------------------------


def facts_of(chance: random.Random, at: datetime, before: Sequence[Entry] = ()) -> list[Evidence]:
    """Something that may become known of a person at a moment, of any kind."""
    day = at.date() - timedelta(days=chance.randrange(20))
    earlier = [entry.fact for entry in before]
    declared = Declaration(id=new_id(), at=at, symptoms=chance.choice([(), (), ("cough",)]), contact_on=None)
    restricting = [fact.id for fact in earlier if isinstance(fact, Contact | Quarantine)]
    status: Any = chance.choice(["suspected", "confirmed", "ruled_out", "recovered"])
    kinds: list[list[Evidence]] = [
        [declared],
        [declared, Verification(id=new_id(), at=at, declaration=declared.id)],
        [Temperature(id=new_id(), at=at, celsius=Decimal(chance.choice(["36.5", "38.2"])))],
        [Contact(id=new_id(), at=at, exposed_on=day)],
        [Quarantine(id=new_id(), at=at, first_day=day, last_day=day + timedelta(days=chance.randrange(30)))],
        [Diagnosis(id=new_id(), at=at, status=status)],
        [Release(id=new_id(), at=at, releases=chance.choice(restricting or [new_id()]))],
        [],
    ]
    return chance.choice(kinds) + (chance.choice(kinds) if chance.random() < 0.3 else [])


def entries_of(chance: random.Random, at: datetime, before: Sequence[Entry] = ()) -> list[Entry]:
    """The same as entries, some of which are findings that are told again and again."""
    new = [Entry(fact, "示例疾控", f"文书{chance.randrange(3)}") for fact in facts_of(chance, at, before)]
    return [replace(entry, finding=chance.choice([None, None, "told again"])) for entry in new]


def anew(entries: Sequence[Entry], ids: dict[str, str]) -> list[Entry]:
    """The same entries for somebody else: with ids of their own."""
    names = {"id", "declaration", "releases"}
    told = []
    for entry in entries:
        own = {name: ids.setdefault(getattr(entry.fact, name), new_id()) for name in names if hasattr(entry.fact, name)}
        told.append(replace(entry, fact=replace(entry.fact, **own)))
    return told


def populations(services: Services, chance: random.Random) -> tuple[list[int], list[int], list[dict[str, str]]]:
    """Two times the same people, each with a past, some of them held by somebody who is not confirmed."""
    ones, others, ids = [], [], []
    pasts: list[list[Entry]] = []
    for _ in range(PEOPLE):
        one, other, same = open_code(services), open_code(services), dict[str, str]()
        past: list[Entry] = []
        for hours in sorted(chance.sample(range(1, 400), chance.randrange(4)), reverse=True):
            at = START - timedelta(hours=hours)
            new = entries_of(chance, at, past)
            past += new
            for serial, told in ((one, new), (other, anew(new, same))):
                with services.begin() as session:
                    ledger.record(session, services.policy, serial, told, actor=OFFICER, now=at)
        if chance.random() < 0.3:
            held = START - timedelta(hours=chance.randrange(300))
            confirmed = chance.choice([None, None, START])
            with services.begin() as session:
                for serial in (one, other):
                    row = ledger.lock_code(session, serial)
                    row.held_since, row.confirmed_at = held, confirmed
        ones.append(one)
        others.append(other)
        ids.append(same)
        pasts.append(past)
    services_pasts[id(services)] = pasts
    return ones, others, ids


services_pasts: dict[int, list[list[Entry]]] = {}


def what_is_written(services: Services, serials: Sequence[int]) -> list[dict[str, Any]]:
    """Everything about each of these codes, with their ids replaced by the order in which they appear."""
    queries = {
        "code": "select * from codes where serial = :s",
        "evidence": "select * from evidence where serial = :s order by recorded_at, at, kind, facts::text",
        "decisions": "select * from decisions where serial = :s order by version",
        "audit": "select at, actor, action, detail from audit where serial = :s order by id",
        "notices": "select * from notices where serial = :s order by id",
    }
    people = []
    with services.engine.connect() as connection:
        for serial in serials:
            rows = {
                name: [dict(row) for row in connection.execute(text(query), {"s": serial}).mappings()]
                for name, query in queries.items()
            }
            people.append({**rows, "cache": services.cache.get(serial)._asdict()})
    return people


def nameless(people: list[dict[str, Any]], serials: Sequence[int], ids: Sequence[dict[str, str]]) -> list[str]:
    """The same without what tells one population from the other."""
    told = []
    for person, serial, same in zip(people, serials, ids, strict=True):
        decisions = {row["id"]: f"decision {row['version']}" for row in person["decisions"]}
        back = {other: one for one, other in same.items()}

        def plain(
            value: Any, serial: int = serial, known: dict[Any, str] = decisions, back: dict[str, str] = back
        ) -> Any:
            if isinstance(value, dict):
                items = {name: plain(some) for name, some in value.items() if name != "serial"}
                for name in ("id", "decision", "decision_id"):
                    if name in items and not isinstance(value[name], str) and value[name] in known:
                        items[name] = known[value[name]]
                return {name: some for name, some in items.items() if name != "id" or isinstance(some, str)}
            if isinstance(value, list):
                return sorted((plain(some) for some in value), key=repr)
            return back.get(str(value), str(value))

        told.append(json.dumps(plain(person), ensure_ascii=False, sort_keys=True))
    return told


def jobs_about(services: Services, serials: Sequence[int]) -> dict[str, list[int]]:
    """About whom which jobs wait, whether alone or in a batch."""
    about: dict[str, list[int]] = {}
    names = {"refresh-many-in-cache": "refresh-cache", "deliver-many-notices": "deliver-notices"}
    with services.engine.connect() as connection:
        for task, args in connection.execute(text("select task_name, args from procrastinate_jobs order by id")):
            some = args.get("serials") or [args["serial"]]
            about.setdefault(names.get(task, task), []).extend(serials.index(s) for s in some if s in serials)
    return {task: sorted(some) for task, some in about.items()}


def forget_jobs(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("delete from procrastinate_jobs"))


def assert_the_same(
    services: Services, ones: Sequence[int], others: Sequence[int], ids: Sequence[dict[str, str]]
) -> None:
    nothing: list[dict[str, str]] = [{} for _ in ones]
    alone = nameless(what_is_written(services, ones), ones, nothing)
    together = nameless(what_is_written(services, others), others, ids)
    for one, other in zip(alone, together, strict=True):
        assert one == other
    assert jobs_about(services, ones) == jobs_about(services, others)


@pytest.mark.parametrize("seed", range(5))
def test_many_changed_together_are_as_if_each_had_been_changed_alone(services: Services, seed: int) -> None:
    chance = random.Random(seed)
    ones, others, ids = populations(services, chance)
    forget_jobs(services)
    entries = [entries_of(chance, START, past) for past in services_pasts[id(services)]]
    for one, some in zip(ones, entries, strict=True):
        with services.begin() as session:
            ledger.record(session, services.policy, one, some, actor=OFFICER, now=START)
    together = {other: anew(some, same) for other, some, same in zip(others, entries, ids, strict=True)}
    with services.begin() as session:
        ledger.record_many(session, services.policy, together, actor=OFFICER, now=START)
    assert_the_same(services, ones, others, ids)


@pytest.mark.parametrize("seed", range(5))
def test_many_decided_anew_together_are_as_if_each_had_been_decided_alone(
    services: Services, clock: StandingClock, seed: int
) -> None:
    chance = random.Random(100 + seed)
    ones, others, ids = populations(services, chance)
    forget_jobs(services)
    for days in (3, 10, 10):
        clock.advance(days=days)
        for one in ones:
            with services.begin() as session:
                ledger.decide_again(session, services.policy, one, actor=CLOCK, now=clock.now())
        with services.begin() as session:
            ledger.decide_many(session, services.policy, others, actor=CLOCK, now=clock.now())
        assert_the_same(services, ones, others, ids)


# --- what is due --------------------------------------------------------------------------------------------------


def make_citizens(services: Services, chance: random.Random, serials: Sequence[int], draws: Sequence[int]) -> None:
    """Some are registered, some erased, some have declared; the draws say who."""
    del chance
    with services.begin() as session:
        for serial, draw in zip(serials, draws, strict=True):
            if draw % 4 == 0:
                continue
            seal = services.vault.seal
            session.add(
                Citizen(
                    serial=serial,
                    document_type="id-card",
                    document_sealed=seal("citizens.document", "示例") if draw % 4 > 1 else None,
                    document_hash=services.vault.fingerprint("document:id-card", str(serial)),
                    name_sealed=seal("citizens.name", "示例"),
                    created_at=START,
                )
            )
            session.flush()
            for row in what_is_declared(services, serial):
                outcome = ("waiting", "verified", "identity-mismatch")[draw // 4 % 3]
                session.add(DeclarationRow(serial=serial, consent_version="1", outcome=outcome, **row))


def what_is_declared(services: Services, serial: int) -> list[dict[str, Any]]:
    with services.sessions() as session:
        facts = ledger.evidence_of(session, serial)
    return [
        {
            "evidence_id": fact.id,
            "declared_at": fact.at,
            "symptoms": list(fact.symptoms),
            "contact_on": fact.contact_on,
        }
        for fact in facts
        if isinstance(fact, Declaration)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_the_clock_settles_many_together_as_it_settles_each_alone_and_asks_about_the_same(
    services: Services, clock: StandingClock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(200 + seed)
    ones, others, ids = populations(services, chance)
    draws = [chance.randrange(12) for _ in ones]
    for serials in (ones, others):
        make_citizens(services, chance, serials, draws)
    forget_jobs(services)
    clock.advance(days=chance.choice([1, 5, 8, 15, 30]))
    asked = set()
    for one in ones:
        if verification._question(services, one) is not None:
            asked.add(one)
        else:
            assert verification.look_again(services, one)
    with services.begin() as session:
        left = verification.settle_many(session, services.policy, others, clock.now())
    assert [others.index(serial) for serial in left] == [ones.index(serial) for serial in sorted(asked)]
    assert_the_same(services, ones, others, ids)
    assert 0 < len(left) < len(others)


# --- one transaction ----------------------------------------------------------------------------------------------


def contact_entry(at: datetime = START, finding: str | None = "contact") -> Entry:
    return Entry(Contact(id=new_id(), at=at, exposed_on=date(2020, 3, 19)), "示例疾控", "文书", finding)


def record_many(services: Services, serials: Sequence[int]) -> ledger.Changed:
    entries = {serial: [contact_entry()] for serial in serials}
    with services.begin() as session:
        return ledger.record_many(session, services.policy, entries, actor=OFFICER, now=services.clock.now())


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
        assert services.cache.get(serial) == record_of(code(services, serial), services.policy.rules)


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
        entries = {serial: [contact_entry(), contact_entry(), contact_entry(finding=None)]}
        changed = ledger.record_many(session, services.policy, entries, actor=OFFICER, now=START)
    assert changed.entries == 2


def test_what_a_session_read_before_a_mass_change_is_read_anew(services: Services) -> None:
    serial = open_green_code(services)
    with services.begin() as session:
        row = ledger.code_of(session, serial)
        ledger.record_many(session, services.policy, {serial: [contact_entry()]}, actor=OFFICER, now=START)
        assert row.rule == "ORANGE-CONTACT"
        row.confirmed_at = START  # and what is changed now does not bring the old state back
    assert (state(services, serial).name, code(services, serial).confirmed_at) == ("ORANGE", START)


# --- a process that is killed -------------------------------------------------------------------------------------

CHILD = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.orm import Session
from app.config import load_settings
from app.services import make_services
from tests.codes.test_mass import record_many
from tests.conftest import StandingClock

event.listen(Session, sys.argv[1] + "_commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
services = make_services(load_settings(), StandingClock())
record_many(services, list(map(int, sys.argv[2:])))
"""


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
    assert {services.cache.get(serial).state.name for serial in serials} == {color}
    record_many(services, serials)
    assert {state(services, serial).name for serial in serials} == {"ORANGE"}
    with services.sessions() as session:
        assert session.scalars(select(Code.state)).all() == [5] * 4
        for serial in serials:
            assert len(ledger.evidence_of(session, serial)) == 3
    tell(services, serials[0])
