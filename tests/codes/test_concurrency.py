"""Concurrency: changes of one code are serialized, and a due code is re-evaluated by one worker only."""

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import pairwise

from sqlalchemy import select, text

from app.codes import ledger
from app.codes.evidence import new_id
from app.codes.models import EvidenceRow
from app.codes.states import State
from app.rules import Diagnosis, Evidence
from app.runtime import Services
from app.worker.due import LEASE, evaluate_due
from tests.support.clock import START, StandingClock
from tests.support.codes import (
    assert_one_order,
    code,
    contact,
    decisions,
    fever,
    jobs,
    open_code,
    open_green_code,
    state,
    tell,
    verified,
)
from tests.support.threads import at_once

THREADS = 8


# --- one code -----------------------------------------------------------------------------------------------------


def test_a_fever_and_a_contact_at_the_same_moment_are_decided_one_after_the_other(services: Services) -> None:
    for _ in range(25):
        serial = open_green_code(services)
        facts: list[Evidence] = [fever(START), contact(START)]
        both = at_once([partial(tell, services, serial, fact) for fact in facts])
        rules = sorted(len(row.rules) for row in both if row)
        assert rules == [2, 3], "the second decision knows of the first"
        assert state(services, serial) == State.ORANGE
        assert_one_order(services, serial)


def test_eight_changes_at_once_give_versions_without_gap_or_double_and_evidence_that_only_grows(
    services: Services,
) -> None:
    for _ in range(4):
        serial = open_green_code(services)
        before = code(services, serial).version
        at_once([partial(tell, services, serial, contact(START)) for _ in range(THREADS)])
        history = decisions(services, serial)[1:]
        assert [row.version - before for row in history] == list(range(1, THREADS + 1))
        for earlier, later in pairwise(history):
            assert set(earlier.evidence) < set(later.evidence)
        assert_one_order(services, serial)


def test_any_changes_from_eight_threads_end_in_the_color_that_the_rules_give_to_all_of_them(
    services: Services,
) -> None:
    chance = random.Random(20200320)
    kinds: list[Callable[[], tuple[Evidence, ...]]] = [
        lambda: (fever(START),),
        lambda: (fever(START, "36.5"),),
        lambda: (contact(START),),
        lambda: (Diagnosis(id=new_id(), at=START, status="suspected"),),
        lambda: (Diagnosis(id=new_id(), at=START, status="ruled_out"),),
        lambda: verified(START),
    ]
    for _ in range(6):
        serial = open_green_code(services)
        chosen = chance.choices(kinds, k=THREADS)
        at_once([partial(tell, services, serial, *kind()) for kind in chosen])
        assert_one_order(services, serial)


def test_readers_never_see_a_version_go_back_while_a_code_changes(services: Services, clock: StandingClock) -> None:
    serial = open_green_code(services)
    services.cache.drop()

    def read() -> list[int]:
        return [services.current_code(serial).record.version for _ in range(150)]

    def change() -> list[int]:
        for celsius in ("38.0", "36.5") * 5:
            clock.advance(seconds=1)
            tell(services, serial, fever(clock.now(), celsius))
        return []

    for versions in at_once([change, read, read, read]):
        assert versions == sorted(versions)
    assert_one_order(services, serial)


# --- many codes ---------------------------------------------------------------------------------------------------


def test_changes_of_several_people_in_different_orders_never_wait_for_each_other_in_a_ring(
    services: Services,
) -> None:
    serials = [open_green_code(services) for _ in range(5)]

    def change_all(seed: int) -> None:
        order = random.Random(seed).sample(serials, len(serials))
        for serial in order:
            tell(services, serial, fever(START), contact(START))

    at_once([partial(change_all, seed) for seed in range(THREADS)])
    for serial in serials:
        assert_one_order(services, serial)
        with services.sessions() as session:
            rows = session.scalars(select(EvidenceRow).filter_by(serial=serial)).all()
        assert len(rows) == 2 + 2 * THREADS


# --- what is due --------------------------------------------------------------------------------------------------


def make_due(services: Services, clock: StandingClock, number: int) -> list[int]:
    """Codes whose contact is over at the end of the quarantine, and that moment."""
    serials = [open_code(services) for _ in range(number)]
    for serial in serials:
        tell(services, serial, contact(START))
    clock.advance_to("2020-04-03 00:00")
    return serials


def claim(services: Services, most: int) -> list[int]:
    now = services.clock.now()
    with services.begin() as session:
        session.execute(text("set local lock_timeout = '5s'"))  # a claim that waits for somebody is a mistake
        return ledger.lease_due(session, now, now + LEASE, most)


def test_of_many_workers_none_gets_a_code_that_another_one_has(services: Services, clock: StandingClock) -> None:
    serials = make_due(services, clock, 24)
    claimed: list[int] = []
    for _ in range(10):
        for some in at_once([lambda: claim(services, 3) for _ in range(4)]):
            claimed += some
    assert sorted(claimed) == serials


def test_a_worker_that_has_claimed_but_not_committed_leaves_the_rest_to_others(
    services: Services, clock: StandingClock
) -> None:
    serials = make_due(services, clock, 4)
    now = services.clock.now()
    with services.begin() as session:
        first = ledger.lease_due(session, now, now + LEASE, 2)
        session.flush()
        second = claim(services, 10)
    assert sorted(first + second) == serials


def test_the_code_that_is_due_first_is_claimed_first(services: Services, clock: StandingClock) -> None:
    first, second, third = (open_code(services) for _ in range(3))
    for serial, minutes in ((second, 20), (third, 30), (first, 10)):
        with services.begin() as session:
            ledger.schedule_retry(session, serial, START + timedelta(minutes=minutes))
    clock.advance(minutes=20)
    assert [claim(services, 1), claim(services, 1), claim(services, 1)] == [[first], [second], []]


def test_many_workers_that_look_for_what_is_due_settle_each_code_once(services: Services, clock: StandingClock) -> None:
    serials = make_due(services, clock, 12)
    counts = at_once([lambda: evaluate_due(services) for _ in range(4)])
    assert sum(counts) == len(serials)
    for serial in serials:
        assert [row.rule for row in decisions(services, serial)] == ["ORANGE-CONTACT", "ORANGE-REVERIFY"]
        assert_one_order(services, serial)
    assert [serial for task, serial in jobs(services) if task == "look-again"] == [], "nobody is to be asked about them"


def test_a_code_that_nobody_settles_in_time_is_given_out_again(services: Services, clock: StandingClock) -> None:
    [serial] = make_due(services, clock, 1)
    assert claim(services, 10) == [serial]
    clock.advance(seconds=119)
    assert claim(services, 10) == []
    clock.advance(seconds=1)
    assert claim(services, 10) == [serial]


def test_a_claim_that_is_rolled_back_is_no_claim(services: Services, clock: StandingClock) -> None:
    [serial] = make_due(services, clock, 1)
    with services.sessions() as session:
        assert ledger.lease_due(session, clock.now(), clock.now() + LEASE, 10) == [serial]
        session.rollback()
    assert claim(services, 10) == [serial]


def test_a_code_under_change_is_claimed_after_it(services: Services, clock: StandingClock) -> None:
    [serial] = make_due(services, clock, 1)
    with services.begin() as session:
        ledger.lock_code(session, serial)
        assert claim(services, 10) == [], "nobody waits for it"
    assert claim(services, 10) == [serial]
