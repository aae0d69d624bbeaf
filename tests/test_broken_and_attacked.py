"""A running system is attacked and broken: what is let in, lost, doubled, wrong or stuck shows in the tables.

One system for `make attack` and `make faults`, for its start takes longer than the tests. It is attacked first: damage
that no program can survive is done to it at the end.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import pytest

import faults.__main__
from attack.__main__ import attack
from attack.callers import Caller
from attack.campaigns import CAMPAIGNS, routes
from attack.campaigns.targets import Targets
from attack.sending import Request
from attack.tally import Tally
from attack.trying import send_all
from attack.world import Failed, World, attacked
from faults.__main__ import main
from faults.rounds import Case, run
from faults.system import System
from tests.support.settings import CHEAP_ENVIRONMENT

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with mock.patch.dict(os.environ, CHEAP_ENVIRONMENT), attacked() as world:
        yield world


@pytest.fixture(scope="module")
def system(world: World) -> System:
    return world.system


# --- attacked


def _try_the_auditors_pages(world: World, caller: Caller) -> Tally:
    rules = {route: rule for route, rule in routes.read_table().items() if route[1].startswith("/console/audit")}
    tally = Tally("routes", 10_000)
    tries = routes.make_tries(rules, [caller], Targets({}, "229999199001010000"))
    send_all(world, tally, [one for one in tries if one.is_plain and "/console/audit" in one.request.path])
    return tally


def test_a_hole_shows_as_let_in_and_its_absence_as_refused(world: World) -> None:
    clerk = world.clerk("attack-recorder-9")
    recorder = Caller("attack-recorder-9", frozenset({"recorder"}), clerk.headers, clerk.token)
    sound = _try_the_auditors_pages(world, recorder)
    assert sound.is_good and sound.counts["refused"] > 20, sound.findings
    world.system.order("update officers set roles = '{auditor}' where username = 'attack-recorder-9'")
    broken = _try_the_auditors_pages(world, recorder)
    assert broken.counts["let in"] >= 4, broken.findings
    assert any("GET /console/audit/chain" in words for _, words in broken.findings)


def test_a_campaign_ends_at_its_number_of_requests_and_one_that_breaks_down_is_not_good(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = attack(world, "devices", 10)
    assert result.tally.counts["refused"] >= 10 and result.tally.counts["tried"] < 60
    assert result.tally.is_good, result.tally.findings

    def breaking(world: World, tally: Tally) -> None:
        tally.judge(world.line().send(Request("GET", "/healthz")), "/healthz", True, "anybody")
        raise Failed("on purpose")

    monkeypatch.setitem(CAMPAIGNS, "breaking", breaking)  # type: ignore[arg-type]
    broken = attack(world, "breaking", 40).tally
    assert not broken.is_good and broken.counts["unmet"] == 1


def test_every_route_has_something_to_be_tried_on(world: World) -> None:
    tally = attack(world, "routes", 100).tally
    assert tally.is_good and tally.counts["tried"] >= 100 and tally.counts["refused"], tally.findings


@pytest.mark.parametrize("campaign", ["venues", "partners", "provinces", "follow-ups"])
def test_managers_partners_other_provinces_and_officers_elsewhere_are_let_in_nowhere(
    world: World, campaign: str
) -> None:
    """The first part of each; the devices are above."""
    tally = attack(world, campaign, 5).tally
    assert tally.is_good and tally.counts["refused"] > 5, tally.findings


# --- broken


def test_two_faults_are_caused_and_nothing_is_lost_doubled_wrong_or_stuck(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(faults.__main__, "running", lambda: nullcontext(system))  # one start for all tests
    monkeypatch.setattr(sys, "argv", ["faults", "--only", "redis-full", "clocks-apart", "--times", "2"])
    before = (ROOT / "faults/results.json").read_bytes()
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().out
    assert ended.value.code == 0, told
    rows = [line.split("│") for line in told.splitlines() if line.startswith("│")]
    assert [row[1].strip() for row in rows] == ["redis-full", "clocks-apart"]
    for row in rows:
        times, changes, answers, *counts = (int(cell) for cell in row[2:9])
        assert (times, counts) == (2, [0, 0, 0, 0])
        assert changes >= 10 and answers > 20, "people acted, and somebody looked on"
    assert (ROOT / "faults/results.json").read_bytes() == before, "a look is no record"


@pytest.mark.parametrize("arguments", [("--only", "no-such-fault"), ("--times", "0")])
def test_what_cannot_be_caused_is_refused_before_anything_starts(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(faults.__main__, "running", lambda: pytest.fail("it starts"))
    monkeypatch.setattr(sys, "argv", ["faults", *arguments])
    with pytest.raises(SystemExit) as refused:
        main()
    told = capsys.readouterr()
    assert (refused.value.code, told.out) == (2, "") and told.err.startswith("usage: python -m faults")


@contextmanager
def damaged(system: System, number: int) -> Iterator[None]:
    """After the acts fevers are gone, another temperature is there twice, all is green, and a job has no worker."""
    system.order("create table of_other_cases as select id from evidence")
    yield
    system.order(
        """
        set session_replication_role = replica;
        delete from evidence where kind = 'temperature' and facts ->> 'celsius' = '37.4';
        insert into evidence select (jsonb_populate_record(evidence, jsonb_build_object('id', gen_random_uuid()))).*
            from evidence where kind = 'temperature' and facts ->> 'celsius' = '36.4'
            and id not in (select id from of_other_cases);
        drop table of_other_cases;
        update codes set state = 3, version = version + 1 where state > 3;
        insert into procrastinate_jobs (queue_name, task_name, status) values ('none', 'nobody', 'todo')
        """
    )
    system.valkey.admin.flushall()


def test_damage_shows_in_the_column_that_it_belongs_to(system: System) -> None:
    result = run(system, Case("damaged", damaged, stuck_seconds=3), 1)
    assert not result.is_good
    assert [words.partition(" of faults")[0] for words in result.findings["lost"]] == ["a temperature of 37.4"]
    assert [words.partition(" of faults")[0] for words in result.findings["doubled"]] == ["a temperature of 36.4"]
    assert any("GREEN shown" in words for words in result.findings["wrong"])
    assert any("GREEN checked" in words for words in result.findings["wrong"])
    assert result.findings["stuck"] == ["a job nobody is todo"]


def test_a_case_that_breaks_down_is_not_taken_for_a_good_one(system: System) -> None:
    @contextmanager
    def breaking(system: System, number: int) -> Iterator[None]:
        system.order("select 1 / 0")
        yield

    result = run(system, Case("breaking", breaking), 2)
    assert not result.is_good
    assert "breaks down in round 1" in result.findings["stuck"][0]
