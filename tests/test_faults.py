"""`make faults` runs, and counts what it is there to count: damage that no program can survive shows in the table."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

import faults.__main__
from faults.__main__ import main
from faults.rounds import Case, run
from faults.system import System, running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    before = os.environ.get("JIXIANG_CONFIG")
    with running() as system:
        yield system
    os.environ.pop("JIXIANG_CONFIG")
    assert before is None


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
def test_what_cannot_be_caused_is_refused_before_anything_starts(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "faults", *arguments]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert (told.returncode, told.stdout) == (2, "") and told.stderr.startswith("usage: python -m faults")


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
