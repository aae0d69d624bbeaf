"""The policy simulation: it reports the changes for everybody at one moment, and writes nothing."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from sqlalchemy.exc import InternalError

import app.rules
from app.cli import main
from app.codes import ledger, simulation
from app.codes.evidence import new_id
from app.codes.models import DecisionRow, Notice
from app.codes.simulation import simulate
from app.codes.simulation_result import SimulationResult
from app.codes.states import State
from app.core.clock import rfc3339
from app.core.db import make_engine
from app.rules import Contact, Declaration, Diagnosis, Evidence, Policy, Quarantine, load_policy
from app.runtime import Services
from tests.support.clock import START, StandingClock
from tests.support.codes import (
    OFFICER,
    YESTERDAY,
    contact,
    decide_again,
    everything,
    fever,
    open_code,
    open_green_code,
    state,
    tell,
    verified,
    withdraw,
    write_config,
)  # fmt: skip
from tests.support.random_facts import entries_of

POLICY = Path(app.rules.__file__).with_name("policy.toml")
DAY = timedelta(days=1)
VERSION = load_policy().version


def changed(policy: Policy, version: str = "new", **numbers: Any) -> Policy:
    """The policy with other numbers."""
    return replace(
        policy, version=version, parameters=tuple((day, replace(old, **numbers)) for day, old in policy.parameters)
    )


def simulated(
    services: Services, proposed: Policy, processes: int = 1, ahead: timedelta = timedelta(0)
) -> SimulationResult:
    url, at = services.settings.database.url, services.clock.now() + ahead
    result = SimulationResult()
    for progress in simulate(url, services.policy, proposed, at, processes):
        result = progress.result
    return result


def states(result: SimulationResult) -> dict[str, int]:
    return {f"{old.name} → {new.name}": people for (old, new), people in result.states.items()}


# --- what it tells ------------------------------------------------------------------------------------------------


def test_whoever_has_no_color_stands_in_the_table_too(services: Services) -> None:
    open_code(services)
    tell(services, open_code(services), verified(START)[0])
    open_green_code(services)
    tell(services, open_green_code(services), fever(START))
    tell(services, open_code(services), contact(START))
    tell(services, open_code(services), Diagnosis(id=new_id(), at=START, status="confirmed"))
    result = simulated(services, changed(services.policy))
    every = ("NOT_DECLARED", "UNVERIFIED", "GREEN", "YELLOW", "ORANGE", "RED")
    assert states(result) == {f"{name} → {name}": 1 for name in every}
    assert (result.people, result.changed, result.notices, result.due, result.asked) == (6, 0, 0, 0, 0)
    assert not result.ends


def test_a_shorter_quarantine_shows_by_color_and_by_rule(services: Services, clock: StandingClock) -> None:
    served, short = open_green_code(services), open_green_code(services)
    tell(services, served, contact(START))
    clock.advance(days=10)
    tell(services, short, Contact(id=new_id(), at=clock.now(), exposed_on=clock.now().date()))
    result = simulated(services, changed(services.policy, quarantine_days=8))
    assert states(result) == {"ORANGE → ORANGE": 2}
    assert result.rules == {("ORANGE-CONTACT", "ORANGE-REVERIFY"): 1, ("ORANGE-CONTACT", "ORANGE-CONTACT"): 1}
    assert result.ends == {("ORANGE-CONTACT", "earlier"): 1}


def test_a_longer_one_ends_later(services: Services) -> None:
    tell(services, open_green_code(services), contact(START))
    assert simulated(services, changed(services.policy, quarantine_days=21)).ends == {("ORANGE-CONTACT", "later"): 1}


def test_what_is_due_by_the_clock_is_not_blamed_on_the_policy(services: Services, clock: StandingClock) -> None:
    tell(services, open_code(services), verified(START)[0])
    tell(services, open_green_code(services), fever(START))
    clock.advance(days=15)  # the declaration of the first is over, and nobody has looked
    serial = open_green_code(services)
    result = simulated(services, changed(services.policy))
    assert (result.changed, result.notices) == (0, 0)
    before = {**dict.fromkeys(("UNVERIFIED → UNVERIFIED", "YELLOW → YELLOW"), 1), "GREEN → GREEN": 1}
    assert states(result) == before
    assert simulated(services, changed(services.policy), ahead=15 * DAY).due == 1
    assert state(services, serial) == State.GREEN


def test_a_green_code_that_lacks_only_the_platforms_word_stands_as_in_the_ledger(
    services: Services, clock: StandingClock
) -> None:
    serial = open_green_code(services)
    clock.advance(days=4)
    proposed = changed(services.policy, verification_days=3)
    result = simulated(services, proposed)
    assert states(result) == {"GREEN → GREEN": 1}
    assert (result.asked, result.notices) == (1, 0)
    decide_again(replace(services, policy=proposed), serial)
    assert state(services, serial) == State.GREEN


def test_it_does_not_stand_on_what_was_withdrawn(services: Services, clock: StandingClock) -> None:
    serial = open_code(services)
    declaration, answer = verified(START)
    tell(services, serial, declaration, answer)
    clock.advance(days=1)
    withdraw(services, serial, answer.id)
    assert states(simulated(services, changed(services.policy, verification_days=3))) == {"UNVERIFIED → UNVERIFIED": 1}


def test_an_old_declaration_that_would_hold_no_longer_is_told_to_its_holder(
    services: Services, clock: StandingClock
) -> None:
    open_green_code(services)
    clock.advance(days=6)
    result = simulated(services, changed(services.policy, declaration_days=5))
    assert states(result) == {"GREEN → UNVERIFIED": 1}
    assert result.rules == {("GREEN-VERIFIED", "UNVERIFIED-EXPIRED"): 1}
    assert (result.notices, result.withheld) == (1, 0)


def test_a_notice_that_would_be_withheld_is_counted_apart(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    tell(services, serial, fever(START, "37.5"))
    with services.begin() as session:
        ledger.lock_code(session, serial).claimed_at = START + DAY
    clock.advance(days=2)
    result = simulated(services, changed(services.policy, fever_celsius=services.policy.at(START).fever_celsius + 1))
    assert states(result) == {"YELLOW → GREEN": 1}
    assert (result.notices, result.withheld) == (0, 1)


# --- it is what would come about -------------------------------------------------------------------------------------


def populate(services: Services, clock: StandingClock, people: int, seed: int) -> list[int]:
    """People with a past at random, whom the clock has looked at last at different moments."""
    chance = random.Random(seed)
    with services.begin() as session:
        serials = ledger.create_codes(session, people, START)
    for _ in range(4):
        entries = {serial: entries_of(chance, clock.now()) for serial in chance.sample(serials, people * 2 // 3)}
        with services.begin() as session:
            ledger.record_many(ledger.ChangeContext(session, services.policy, OFFICER, clock.now()), entries)
        clock.advance(days=chance.randrange(1, 6), seconds=chance.randrange(5000))
    return serials


NUMBERS: list[dict[str, int]] = [
    {"quarantine_days": 7},
    {"quarantine_days": 21, "recovery_days": 5},
    {"declaration_days": 4, "verification_days": 2},
    {"declaration_days": 30, "verification_days": 30},
    {"release_declaration_days": 9},
    *({name: number} for name in ("quarantine_days", "recovery_days") for number in (1, 60)),
    {"declaration_days": 1},
    {"verification_days": 1},
    {"release_declaration_days": 1},
    {"fever_celsius": 36},
    {"fever_celsius": 42},
]


@pytest.mark.slow
@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
def test_what_it_tells_is_what_the_ledger_then_does(
    services: Services, clock: StandingClock, numbers: dict[str, int]
) -> None:
    serials = populate(services, clock, 120, seed=len(str(numbers)))
    told = simulated(services, changed(services.policy, **numbers))
    with services.begin() as session:
        codes = {serial: State(ledger.get_code(session, serial).state) for serial in serials}
    before = _looked_at(services, services.policy, serials)
    after = _looked_at(services, changed(services.policy, **numbers), serials)
    moved = Counter((before[serial][0], after[serial][0]) for serial in serials)
    assert told.states == moved
    assert told.rules == Counter((before[serial][1], after[serial][1]) for serial in serials)
    assert told.due == sum(codes[serial] != before[serial][0] for serial in serials)
    assert told.notices == sum(after[s][2] and before[s][0] != after[s][0] for s in serials)


def _looked_at(services: Services, policy: Policy, serials: list[int]) -> dict[int, tuple[State, str, bool]]:
    """State, rule and whether a notice was written, once everybody was decided anew; all of it is undone."""
    with services.sessions() as session:
        newest = session.scalar(text("select coalesce(max(id), 0) from notices"))
        ledger.reevaluate_many(ledger.ChangeContext(session, policy, OFFICER, services.clock.now()), serials)
        told = set(session.scalars(text(f"select serial from notices where id > {newest}")))
        codes = {serial: ledger.get_code(session, serial) for serial in serials}
        found = {
            serial: (State(code.state), code.rule or "NOT-DECLARED", serial in told) for serial, code in codes.items()
        }
        session.rollback()
    return found


ENDED: dict[str, list[Evidence]] = {
    "a contact": [contact(START)],
    "a contact that was declared": [Declaration(id=new_id(), at=START, symptoms=(), contact_on=YESTERDAY)],
    "a quarantine": [Quarantine(id=new_id(), at=START, first_day=START.date(), last_day=date(2020, 4, 2))],
    "a recovery": [Diagnosis(id=new_id(), at=START, status="recovered")],
    "a suspicion": [
        Diagnosis(id=new_id(), at=START, status="suspected"),
        Diagnosis(id=new_id(), at=START + 14 * DAY, status="ruled_out"),
    ],
}


@pytest.mark.parametrize("what", ENDED)
def test_how_old_a_declaration_may_be_is_judged_after_every_end(
    services: Services, clock: StandingClock, what: str
) -> None:
    clock.advance(days=16)
    declaration, answer = verified(START + 4 * DAY)
    tell(services, open_code(services), *ENDED[what], declaration, replace(answer, at=clock.now()))
    proposed = changed(services.policy, release_declaration_days=30)
    assert simulated(services, proposed).rules == {("ORANGE-REVERIFY", "GREEN-VERIFIED"): 1}


def test_a_contact_that_was_declared_is_judged_like_one_that_was_recorded(
    services: Services, clock: StandingClock
) -> None:
    tell(services, open_code(services), *ENDED["a contact that was declared"])
    clock.advance(days=10)
    told = simulated(services, changed(services.policy, quarantine_days=7)).rules
    assert told == {("ORANGE-DECLARED-CONTACT", "ORANGE-REVERIFY"): 1}


@pytest.mark.slow
def test_several_processes_tell_what_one_tells(
    services: Services, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):  # at once, for processes take seconds to start
        populate(services, clock, 60, seed)
    monkeypatch.setattr(simulation, "_BLOCK", 16)
    proposed = changed(services.policy, quarantine_days=7, verification_days=2)
    alone, together = simulated(services, proposed), simulated(services, proposed, processes=2)
    assert alone == together and alone.people == 180


def test_nobody_is_left_out_or_counted_twice_at_the_border_of_a_block(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for block in (1, 2, 3, 5, 7):
        monkeypatch.setattr(simulation, "_BLOCK", block)
        open_code(services)
        assert simulated(services, changed(services.policy)).people == (1, 2, 3, 5, 7).index(block) + 1


def test_an_empty_province_has_an_empty_result(services: Services) -> None:
    assert simulated(services, changed(services.policy)) == SimulationResult()


# --- it changes nothing, and sees one moment -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_nothing_is_written(services: Services, clock: StandingClock, processes: int) -> None:
    populate(services, clock, 40, seed=5)
    before = everything(services)
    simulated(services, changed(services.policy, quarantine_days=3, declaration_days=3), processes)
    assert everything(services) == before


def test_its_transactions_cannot_write(services: Services) -> None:
    serial = open_code(services)
    engine = make_engine(services.settings.database.url, 1)
    with pytest.raises(InternalError, match="read-only"), simulation.snapshot_transaction(engine) as connection:
        connection.execute(text(f"update codes set state = 6 where serial = {serial}"))
    engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_committed_while_it_runs_is_not_seen(
    services: Services, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(simulation, "_BLOCK", 2)
    serials = [open_green_code(services) for _ in range(9)]
    running = simulate(services.settings.database.url, services.policy, changed(services.policy), START, processes)
    next(running)
    for serial in serials:
        tell(services, serial, contact(START))
    *_, last = running
    assert states(last.result) == {"GREEN → GREEN": 9}


def test_nobody_waits_for_it(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "_BLOCK", 1)
    serial = open_green_code(services)
    running = simulate(services.settings.database.url, services.policy, changed(services.policy), START)
    next(running)
    writer = threading.Thread(target=tell, args=(services, serial, contact(START)))
    writer.start()
    writer.join(5)
    assert not writer.is_alive() and state(services, serial) == State.ORANGE
    running.close()


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(services: Services, tmp_path: Path) -> Callable[..., Result]:
    offset = tmp_path / "clock"
    config = write_config(services.settings, tmp_path / "config.toml", clock={"file": str(offset)})

    def command(*words: str) -> Result:
        real = rfc3339(services.clock.now())
        return CliRunner(env={"JIXIANG_CONFIG": str(config)}).invoke(main, ["rules", "dry-run", *words, "--at", real])

    offset.write_text("-400000000")  # long ago, so that no moment of these tests lies in the past
    return command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A policy with a quarantine of seven days from the beginning, and a version of its own."""
    words = POLICY.read_text(encoding="utf-8").replace(f'version = "{VERSION}"', 'version = "2020-03-20"')
    start = words.index("[[parameters.quarantine_days]]")
    changed = words[:start] + words[start:].replace("value = 14", "value = 7", 1)
    (tmp_path / "new.toml").write_text(changed, encoding="utf-8")
    return tmp_path / "new.toml"


def test_the_command_tells_people_by_color_and_rule(
    services: Services, clock: StandingClock, run: Callable[..., Result], file: Path
) -> None:
    serial = open_green_code(services)
    tell(services, serial, contact(START))
    clock.advance(days=8)
    tell(services, serial, *verified(clock.now()))
    done = run(str(file), "--processes", "1")
    assert done.exit_code == 0, done.output
    assert (
        f"Policy 2020-03-20 against {VERSION}, as of 2020-03-28T12:00:00+08:00: of <10 people <10 change color."
        in done.output
    )
    assert "ORANGE-CONTACT → GREEN-VERIFIED: <10" in done.output
    assert "Notices: <10, and 0 withheld" in done.output
    (row,) = (line.split() for line in done.output.splitlines() if line.startswith("Orange "))
    assert row == ["Orange", "·", "·", "<10", "·", "·", "·"]
    told = json.loads(run(str(file), "--processes", "1", "--json").stdout)
    assert told["states"] == [{"from": "ORANGE", "to": "GREEN", "people": "<10"}]
    assert told["rules"] == [{"from": "ORANGE-CONTACT", "to": "GREEN-VERIFIED", "people": "<10"}]
    assert (told["people"], told["changed"], told["due_anyway"], told["notices"]) == ("<10", "<10", 0, "<10")
    with services.sessions() as session:
        assert session.query(DecisionRow).count() == 3 and session.query(Notice).count() == 2


@pytest.mark.parametrize(("content", "mistakes"), [("", 4), ("version = ", 1), ('version = "x"', 3)])
def test_a_file_that_is_no_policy_is_refused_with_one_line_for_each_mistake(
    run: Callable[..., Result], tmp_path: Path, content: str, mistakes: int
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(content)
    done = run(str(wrong))
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {wrong}") and done.output.count("\n") == mistakes
    assert all(str(wrong) in line for line in done.output.splitlines())


def test_a_missing_file_is_told_in_one_line(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run(str(tmp_path / "nowhere.toml"))
    assert done.exit_code == 1 and "cannot be read" in done.output and done.output.count("\n") == 1


def test_a_moment_in_the_past_is_refused(services: Services, tmp_path: Path, file: Path) -> None:
    config = write_config(services.settings, tmp_path / "config.toml")
    command = ["rules", "dry-run", str(file), "--at", "2020-03-20T12:00:00+08:00"]
    done = CliRunner(env={"JIXIANG_CONFIG": str(config)}).invoke(main, command)
    assert done.exit_code == 1 and "lies in the past" in done.output


def test_the_policy_in_force_changes_nothing(services: Services, run: Callable[..., Result]) -> None:
    open_green_code(services)
    done = run(str(POLICY), "--processes", "1")
    assert (done.exit_code, "of <10 people 0 change color" in done.output) == (0, True), done.output
    assert "compare a new file before rules.policy_file names it" in done.stderr


def test_another_policy_is_not_taken_for_the_one_in_force(run: Callable[..., Result], file: Path) -> None:
    assert run(str(file), "--processes", "1").stderr == ""


def test_other_content_under_the_version_in_force_is_refused(run: Callable[..., Result], file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace('version = "2020-03-20"', f'version = "{VERSION}"'))
    assert f"version {VERSION} is in force with other content: give the file a version" in refused(run, file)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_a_version_that_has_made_decisions_is_refused_for_other_content(
    services: Services, run: Callable[..., Result], file: Path, processes: int
) -> None:
    older = replace(services, policy=changed(services.policy, "2020-03-20"))
    open_green_code(older)
    assert "Decisions were made by version 2020-03-20" in refused(run, file, "--processes", str(processes))


def refused(run: Callable[..., Result], file: Path, *words: str) -> str:
    """The one line in which a file is refused."""
    done = run(str(file), *words)
    assert (done.exit_code, done.output.count("\n")) == (1, 1), done.output
    return done.output


def test_what_counted_on_past_days_is_not_edited(
    services: Services, tmp_path: Path, clock: StandingClock, file: Path
) -> None:
    config = write_config(services.settings, tmp_path / "config.toml")
    done = CliRunner(env={"JIXIANG_CONFIG": str(config)}).invoke(main, ["rules", "dry-run", str(file)])
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "quarantine_days was changed as of 2020-01-01: put the old entries back" in done.output


def test_rules_that_were_moved_are_refused(run: Callable[..., Result], file: Path) -> None:
    words = file.read_text(encoding="utf-8")
    start, end = words.index('[[rules]]\nid = "YELLOW-FEVER"'), words.index('[[rules]]\nid = "YELLOW-SYMPTOMS"')
    file.write_text(words[:start] + words[end:].replace("# The action of", words[start:end] + "# The action of"))
    assert "YELLOW-FEVER was moved or left out" in refused(run, file)
