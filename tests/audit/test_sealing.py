"""Sealing: every committed event gets one place, with concurrent writers and sealers, and when one of them dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import audit
from app.audit import sealing
from app.audit.sealing import seal_all
from app.runtime import Services
from app.worker.app import make_worker_app
from tests.support.chain import OFFICER, append_events, find_discrepancies, make_chain, stored_events
from tests.support.clock import START
from tests.support.codes import write_config
from tests.support.people import Phone
from tests.support.waiting import wait_until


def places(services: Services) -> list[int | None]:
    return [entry.place for entry in stored_events(services)]


def assert_whole(services: Services, number: int) -> None:
    """Assert one chain of this length, without a gap and with right links."""
    assert places(services) == list(range(1, number + 1))
    assert find_discrepancies(services) == []


def test_an_entry_waits_for_nobody_and_has_its_place_once_it_is_sealed(services: Services) -> None:
    append_events(services, 3)
    assert places(services) == [None] * 3
    assert seal_all(services) == 3
    assert_whole(services, 3)
    assert seal_all(services) == 0


def test_a_link_can_be_made_again_from_the_entry_by_hand(services: Services) -> None:
    with services.begin() as session:
        audit.append(session, OFFICER, "tried", START, serial=3, reason="appeal", b=1, a="示例")
        audit.append(session, audit.CLOCK, "decided", START)
    seal_all(services)
    spelled = (
        '[1, 1584676800000000, "officer:7", "officer", "tried", 3, "appeal", {"a": "示例", "b": 1}]',
        '[2, 1584676800000000, "clock", "clock", "decided", null, null, {}]',
    )
    first = sha256(bytes(32) + spelled[0].encode()).digest()
    assert [entry.hash for entry in stored_events(services)] == [first, sha256(first + spelled[1].encode()).digest()]


def test_what_comes_later_goes_on_where_the_chain_ended(services: Services) -> None:
    make_chain(services, 2)
    hashes = [entry.hash for entry in stored_events(services)]
    make_chain(services, 3)
    assert [entry.hash for entry in stored_events(services)][:2] == hashes
    assert_whole(services, 5)


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
def test_batches_of_any_size_make_the_same_chain(
    services: Services, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(sealing, "BATCH", batch)
    make_chain(services, 7)
    assert_whole(services, 7)
    assert [entry.id for entry in stored_events(services)] == list(range(1, 8))


def test_an_entry_that_commits_late_comes_later_and_is_not_left_behind(services: Services) -> None:
    with services.sessions() as late:
        audit.append(late, OFFICER, "late", START)
        late.flush()
        make_chain(services, 3)
        late.commit()
    assert places(services) == [1, 2, 3, None]
    assert seal_all(services) == 1
    assert [entry.id for entry in stored_events(services)] == [2, 3, 4, 1]
    assert_whole(services, 4)


def test_an_entry_that_is_rolled_back_leaves_no_gap(services: Services) -> None:
    append_events(services)
    with services.sessions() as session:
        audit.append(session, OFFICER, "undone", START)
        session.flush()
        session.rollback()
    chain_ids_before = [entry.id for entry in stored_events(services)]
    append_events(services)
    assert seal_all(services) == 2
    assert [entry.id for entry in stored_events(services)] == [*chain_ids_before, 3]
    assert_whole(services, 2)


def test_of_two_sealers_one_works_and_the_other_leaves_it_to_it(services: Services) -> None:
    append_events(services, 3)
    with services.sessions() as session:
        session.execute(sealing._SEALER_LOCK)
        assert seal_all(services) == 0
    assert seal_all(services) == 3


def test_many_writers_and_two_sealers_at_once_make_one_chain(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BATCH", 5)

    def write(writer: int) -> None:
        for n in range(25):
            with services.sessions() as session:
                audit.append(session, OFFICER, "tried", START, serial=writer, number=n)
                session.flush()
                if n % 5 == 4:
                    session.rollback()
                else:
                    session.commit()

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, writer) for writer in range(6)]

        def seal() -> int:
            sealed = 0
            while not all(writer.done() for writer in writers):
                sealed += seal_all(services)
            return sealed

        sealers = [pool.submit(seal) for _ in range(2)]
        for writer in writers:
            writer.result(60)
        sealed = sum(sealer.result(60) for sealer in sealers)
    sealed += seal_all(services)
    assert sealed == 6 * 20
    assert_whole(services, 6 * 20)


def test_a_sealer_that_fails_in_the_middle_of_a_batch_leaves_the_chain_as_it_was(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_chain(services, 2)
    monkeypatch.setattr(sealing, "BATCH", 2)
    append_events(services, 4)
    commits = []

    def refuse(_: object) -> None:
        commits.append(1)
        if len(commits) == 2:
            raise KeyboardInterrupt

    event.listen(Session, "before_commit", refuse)
    try:
        with pytest.raises(KeyboardInterrupt):
            seal_all(services)
    finally:
        event.remove(Session, "before_commit", refuse)
    assert places(services) == [1, 2, 3, 4, None, None], "the first batch stands"
    assert seal_all(services) == 2
    assert_whole(services, 6)


# Seals, and is killed right before the commit.
CHILD = """
import os, signal
from sqlalchemy import event
from sqlalchemy.orm import Session
from app.audit.sealing import seal_all
from app.core.settings import load_settings
from app.runtime import make_services

event.listen(Session, "before_commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
seal_all(make_services(load_settings()))
"""


@pytest.mark.slow
def test_a_sealer_that_is_killed_holds_up_nobody(services: Services, tmp_path: Path) -> None:
    append_events(services, 3)
    file = write_config(services.settings, tmp_path / "config.toml")
    killed = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=Path(__file__).parents[2],
        env={"JIXIANG_CONFIG": str(file), "PATH": os.environ["PATH"]},
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert places(services) == [None] * 3
    # PostgreSQL may notice a moment later that the process is gone, and until then its lock is held
    wait_until(lambda: seal_all(services) == 3)
    assert_whole(services, 3)


def test_the_worker_seals_by_the_clock(services: Services) -> None:
    append_events(services, 3)
    worker = make_worker_app(services)
    worker.periodic_defaults = {"max_delay": 0}  # not what this machine's clock has just struck
    with worker.open():
        worker.tasks["seal-audit"].defer(timestamp=0)
        worker.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)
    assert_whole(services, 3)


def test_a_person_who_is_forgotten_does_not_break_the_chain(
    services: Services, phone: Callable[..., Phone], clock: object
) -> None:
    from app.privacy.erasure import erase
    from app.wechat.models import WeChatUser

    phone().become_green()
    number = seal_all(services)
    with services.begin() as session:
        erase(session, session.get_one(WeChatUser, 1), actor=audit.Actor("citizen"), now=services.clock.now())
    number += seal_all(services)
    assert_whole(services, number)


# --- what the database refuses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set place = 9 where place = 2",
        "update audit set hash = sha256('x') where place = 2",
        "update audit set place = null, hash = null",
        "update audit set place = 4, hash = sha256('x'), action = 'nothing' where place is null",
        "update audit set place = 4, hash = sha256('x'), reason = 'appeal' where place is null",
        "update audit set role = 'citizen' where place is null",
        "delete from audit where place is null",
        "truncate audit",
        "truncate audit_checkpoints",
    ],
)
def test_a_mistake_of_ours_changes_removes_or_unseals_no_entry(services: Services, statement: str) -> None:
    make_chain(services, 3)
    append_events(services)
    with pytest.raises(DBAPIError, match="append only"), services.engine.begin() as connection:
        connection.execute(text(statement))
    assert places(services) == [1, 2, 3, None]
    assert find_discrepancies(services) == []


@pytest.mark.parametrize("half", ["place = 4", "hash = sha256('x')"])
def test_an_entry_is_never_sealed_by_half(services: Services, half: str) -> None:
    append_events(services)
    with pytest.raises(DBAPIError), services.engine.begin() as connection:
        connection.execute(text(f"update audit set {half}"))


def test_two_entries_never_have_one_place(services: Services) -> None:
    make_chain(services, 1)
    append_events(services)
    with pytest.raises(DBAPIError, match="ix_audit_place"), services.engine.begin() as connection:
        connection.execute(text("update audit set place = 1, hash = sha256('x') where place is null"))
