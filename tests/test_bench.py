"""The province of the benchmark is one that the ledger would have made: in small, and without measuring anything."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import select, text

from app.citizens.documents import DocumentType
from app.citizens.lookup import hash_of
from app.citizens.models import Citizen
from app.codes import ledger
from app.codes.cache import loading
from app.codes.models import Code, DecisionRow
from app.codes.states import State
from app.migrations.schema import tables
from app.rules import decide
from bench import archetypes, mass_compare, province, province_environment
from bench.province_environment import Ground

pytestmark = pytest.mark.slow

SCALE = 0.0005


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """Not in pytest's own directory, which another run closes to the server's user."""
    with TemporaryDirectory(prefix="jixiang-province-") as place:
        yield Path(place)


@pytest.fixture(scope="module")
def ground(directory: Path) -> Iterator[Ground]:
    before = os.environ.get("JIXIANG_CONFIG")
    with province.ground(directory, SCALE) as where:
        yield where
    os.environ.pop("JIXIANG_CONFIG")
    assert before is None


@pytest.fixture
def some(ground: Ground) -> list[int]:
    """People at random, and one of every rule."""
    rare = "select min(serial) from codes group by rule, retry_at is null"
    with ground.services.engine.connect() as connection:
        return sorted({*Random(1).sample(range(1, ground.citizens + 1), 400), *connection.scalars(text(rare))})


def test_everybody_is_there_and_the_mix_is_that_of_a_province(ground: Ground) -> None:
    with ground.services.sessions() as session:
        states = Counter(map(State, session.scalars(select(Code.state))))
        assert sorted(session.scalars(select(Citizen.serial))) == list(range(1, ground.citizens + 1))
    assert sum(states.values()) == ground.citizens == 12_035
    assert 0.93 < states[State.GREEN] / ground.citizens < 0.97
    assert set(states) == set(State) - {State.EMPTY}


def test_the_rules_say_of_everybody_what_their_rows_say(ground: Ground, some: list[int]) -> None:
    services = ground.services
    with services.sessions() as session:
        evidence = ledger.load_evidence_many(session, some)
        for serial in some:
            code = session.get_one(Code, serial)
            decision = decide(evidence[serial], services.policy, services.clock.now())
            assert code.due_at == decision.due_at
            if decision.rule == "NOT-DECLARED":
                assert (code.state, code.rule, code.decision_id) == (State.NOT_DECLARED, None, None)
                continue
            stands = session.get_one(DecisionRow, code.decision_id)
            assert stands.serial == serial and stands.version <= code.version  # which grows with the due time too
            assert stands.state == code.state == State.of(decision.color)
            assert stands.rule == code.rule == decision.rule
            assert stands.evidence == list(decision.evidence)
            assert (stands.since, stands.until) == (decision.since, decision.until)


def test_to_decide_anew_changes_nothing(ground: Ground, some: list[int]) -> None:
    services = ground.services
    with services.sessions() as session:
        actor = ledger.Actor("clock")
        changed = ledger.reevaluate_many(
            ledger.ChangeContext(session, services.policy, actor, services.clock.now()), some
        )
        assert changed.states == {}
        session.rollback()


def test_people_are_found_by_their_documents_and_their_data_opens(ground: Ground, some: list[int]) -> None:
    encryption = ground.services.encryption
    with ground.services.sessions() as session:
        for serial in some:
            citizen, number = session.get_one(Citizen, serial), archetypes.document_number(serial)
            assert citizen.document_fingerprint == hash_of(encryption, (DocumentType.ID_CARD, number))
            assert (
                citizen.document_ciphertext
                and encryption.decrypt("citizens.document", citizen.document_ciphertext) == number
            )
            if citizen.name_ciphertext and citizen.phone_ciphertext:
                assert encryption.decrypt("citizens.name", citizen.name_ciphertext).startswith("示例")
                assert encryption.decrypt("citizens.phone", citizen.phone_ciphertext).startswith("138")


def test_nobody_shares_a_document_with_anybody_in_a_whole_province() -> None:
    last = province.PROVINCE
    assert last < archetypes.MOST
    serials = [1, 2, 27_000, 27_001, 54_000, last - 27_000, last - 1, last]
    assert len({archetypes.document_number(serial) for serial in serials}) == len(serials)
    assert len({archetypes.ids_of(serial) for serial in range(1, 50_000)}) == 49_999


def test_indexes_and_constraints_are_those_of_the_migrations(ground: Ground) -> None:
    with ground.services.engine.connect() as connection:
        names = set(
            connection.scalars(text("select conname from pg_constraint union select indexname from pg_indexes"))
        )
        invalid = "select count(*) from pg_constraint where not convalidated"
        assert connection.scalar(text(invalid)) == 0
    parts = [part for table in tables().tables.values() for part in (*table.constraints, *table.indexes)]
    assert [part.name for part in parts if part.name not in names] == []


def test_new_codes_and_decisions_go_on_behind_the_last(ground: Ground) -> None:
    services = ground.services
    with services.sessions() as session:
        code = ledger.create_code(session, services.clock.now())
        assert code.serial == ground.citizens + 1
        session.rollback()


def test_the_steps_come_to_their_end_and_the_cache_agrees(ground: Ground) -> None:
    steps = ("load", "warm", "dry-run", "import")
    found = {figure.name: figure.value for step in steps for figure in province.STEPS[step](ground)}
    services = ground.services
    assert 0 < found["dry run: people with another rule or end"] < 0.01 * ground.citizens
    assert found["import: notices put"] > 0.9 * province.FEWEST_CONTACTS
    compared = loading.verify_cache(services.cache, services.sessions, services.policy)
    assert [serials for _, serials in compared if serials] == []
    assert len(services.cache.blocks()) == 3


def test_what_falls_due_in_a_day_is_settled_or_waits_for_the_platform(ground: Ground) -> None:
    found = {figure.name: figure.value for figure in province.due(ground)}
    waiting = found["due in a day"] * found["due: of those settled, wait for the platform"]
    decided = found["due in a day"] - waiting
    due = "select count(*) from codes where coalesce(retry_at, due_at) <= %s"
    assert ground.ask(due, ground.services.clock.now()) == 0
    assert 0.03 < decided / ground.citizens < 0.1 < 0.13 > waiting / ground.citizens > 0.05


def test_a_disk_with_too_little_room_is_told_in_one_line(directory: Path) -> None:
    with pytest.raises(SystemExit, match=r"take about .* GiB in .*: name a --directory with more room"):
        province_environment._check_room(directory, 10**12)


def test_a_directory_with_a_province_of_another_size_is_left_alone(ground: Ground, directory: Path) -> None:
    with pytest.raises(SystemExit, match="holds a province of 12035 citizens"), province.ground(directory, SCALE * 2):
        pass


def test_mass_changes_of_two_checkouts_are_measured_in_turn() -> None:
    ((other, this),) = mass_compare.compare(mass_compare.ROOT, 2_000, 1)
    assert other.keys() == this.keys() == mass_compare.FIGURES.keys()
    assert all(figure > 0 for side in (other, this) for figure in side.values())
