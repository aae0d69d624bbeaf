"""A list of people, as an operator imports it: what it does once, again, and broken off."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.audit import Actor
from app.codes.cache.records import make_record
from app.codes.cache.writing import CHANGED_VERSIONS
from app.codes.models import Code
from app.codes.states import State
from app.entries import bulk_import
from app.runtime import Services
from tests.support.clock import StandingClock
from tests.support.codes import assert_one_order, fever, open_green_code, open_green_codes, state, tell
from tests.support.lists import AUTHORITY, CONTACTS, REFERENCE, Import, counts, facts, numbers, told
from tests.support.people import Phone, id_number
from tests.support.threads import at_once
from tests.support.waiting import PATIENCE, wait_until


def test_a_list_of_contacts_turns_those_on_it_orange_and_adds_whom_nobody_knew(
    green_citizen: Phone, import_list: Import
) -> None:
    citizen = green_citizen
    content = f"document_number\n{citizen.document}\n{id_number(900)}\n"
    outcome = import_list(content, **CONTACTS)
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stderr.splitlines() == [
        "Headings in line 1: document_number → document_number",
        "A valid list of 2 lines:",
        f"  2 × Close contact: {AUTHORITY}, {REFERENCE}",
        "It would change:",
        "  Not declared → Orange: <10",
        "  Green → Orange: <10",
    ]
    assert outcome.stdout.splitlines() == [
        "2 lines about 2 people: <10 recorded, 0 known before.",
        "<10 people were not known before: no record had their documents.",
        "Not declared → Orange: <10",
        "Green → Orange: <10",
    ]
    assert citizen.color() == "ORANGE"
    reason = citizen.code()["reasons"][0]
    assert (reason["rule"], reason["authorities"]) == ("ORANGE-CONTACT", [AUTHORITY])


def test_the_whole_of_a_list_is_told_to_a_program(import_list: Import) -> None:
    assert told(import_list(numbers(901, 902), "--json", **CONTACTS)) == {
        "lines": 2,
        "people": 2,
        "new_people": "<10",
        "recorded": "<10",
        "known": 0,
        "changes": [{"from": "NOT_DECLARED", "to": "ORANGE", "codes": "<10"}],
        "dry_run": False,
    }


def test_each_line_can_have_its_own_kind_days_and_reference(import_list: Import, services: Services) -> None:
    serials = open_green_codes(services, 2)
    content = (
        "serial,kind,exposed_on,first_day,last_day,authority,reference\n"
        f"{serials[0]},contact,2020-03-19,,,{AUTHORITY},一号\n"
        f"{serials[1]},quarantine,,2020-03-20,2020-04-02,{AUTHORITY},二号\n"
        "\n"
        f'{serials[0]},contact,2020-03-18,,,"{AUTHORITY}, 示例",三号\n'
    )
    assert told(import_list(content, "--json"))["known"] == 0
    assert [state(services, serial).name for serial in serials] == ["ORANGE", "ORANGE"]


@pytest.mark.parametrize("kind", ["suspected", "confirmed", "ruled-out", "recovered"])
def test_a_diagnosis_is_no_line_of_a_list_because_its_case_would_neither_open_nor_end(
    import_list: Import, services: Services, kind: str
) -> None:
    before = facts(services)
    outcome = import_list(numbers(901), kind=kind, authority=AUTHORITY, reference=REFERENCE)
    assert outcome.exit_code == 1
    assert "line 2: kind must not be a diagnosis: each is recorded by itself" in outcome.stderr
    assert facts(services) == before


def test_several_facts_of_one_person_in_a_list_are_decided_together(import_list: Import, services: Services) -> None:
    serial = open_green_code(services)
    content = (
        "serial,kind,exposed_on,first_day,last_day\n"
        f"{serial},contact,2020-03-19,,\n{serial},quarantine,,2020-03-20,2020-04-02\n"
    )
    outcome = told(import_list(content, "--json", authority=AUTHORITY, reference=REFERENCE))
    assert (outcome["lines"], outcome["people"]) == (2, 1)
    assert outcome["changes"] == [{"from": "GREEN", "to": "ORANGE", "codes": "<10"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_is_read_as_spreadsheets_write_it(
    import_list: Import, services: Services, encoding: str, end: str
) -> None:
    serial = open_green_code(services)
    content = f"serial,authority\n{serial},{AUTHORITY}\n".replace("\n", end).encode(encoding)
    import_list(content, kind="contact", exposed_on="2020-03-19", reference=REFERENCE)
    with services.engine.connect() as connection:
        found = connection.scalar(text("select authority from evidence where kind = 'contact'"))
    assert found == AUTHORITY


def test_the_cache_has_every_code_of_a_list_at_once(import_list: Import, services: Services) -> None:
    serials = open_green_codes(services, 5)
    content = "\n".join(["serial", *map(str, serials)])
    import_list(content, **CONTACTS)
    with services.sessions() as session:
        for serial in serials:
            assert services.cache.get(serial) == make_record(session.get_one(Code, serial), services.policy.rules)


def test_the_citizens_of_a_list_hear_of_it(green_citizen: Phone, import_list: Import, work: Callable[[], None]) -> None:
    citizen = green_citizen
    citizen.subscribe()
    import_list(f"document_number\n{citizen.document}", **CONTACTS)
    work()
    assert citizen.messages()[0]["fields"][0]["value"] == "橙码"
    assert len(citizen.inbox()) == 2


def test_a_list_of_releases_ends_what_has_the_same_reference(
    green_citizens: list[Phone],
    import_list: Import,
    clock: StandingClock,
    work: Callable[[], None],
) -> None:
    citizens = green_citizens[:2]
    content = "\n".join(["document_number", *(citizen.document for citizen in citizens)])
    import_list(content, **CONTACTS)
    clock.advance(hours=1)
    for _ in range(2):
        import_list(content, kind="release", authority=AUTHORITY, reference=REFERENCE)
        work()
        assert [citizen.color() for citizen in citizens] == ["GREEN", "GREEN"]


def test_somebody_whose_data_was_erased_is_known_again_by_a_list(
    green_citizen: Phone, import_list: Import, services: Services
) -> None:
    citizen = green_citizen
    with services.engine.begin() as connection:
        connection.execute(text("update citizens set document_ciphertext = null, erased_at = now()"))
    assert told(import_list(f"document_number\n{citizen.document}", "--json", **CONTACTS))["new_people"] == 0
    with services.engine.connect() as connection:
        [(sealed, erased)] = connection.execute(text("select document_ciphertext, erased_at from citizens")).all()
    assert services.encryption.decrypt("citizens.document", sealed) == citizen.document
    assert erased is None


def test_the_same_list_a_second_time_writes_nothing_and_says_so(
    import_list: Import, services: Services, clock: StandingClock
) -> None:
    import_list(numbers(910, 911, 912), **CONTACTS)
    before = facts(services)
    clock.advance(days=1)
    outcome = told(import_list(numbers(910, 911, 912), "--json", **CONTACTS))
    assert (outcome["recorded"], outcome["known"], outcome["new_people"], outcome["changes"]) == (0, "<10", 0, [])
    assert facts(services) == before


def test_a_line_that_repeats_another_is_recorded_once(import_list: Import) -> None:
    outcome = told(import_list(numbers(913, 913, 914), "--json", **CONTACTS))
    assert (outcome["lines"], outcome["people"], outcome["recorded"], outcome["known"]) == (3, 2, "<10", "<10")


def test_a_list_that_broke_off_goes_on_where_it_was(
    import_list: Import, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_import, "BATCH_SIZE", 2)
    commits = []

    def die_in_the_third(session: Session) -> None:
        if session.info.get(CHANGED_VERSIONS) and not session.in_nested_transaction():
            commits.append(session)
        if len(commits) >= 3:
            raise KeyboardInterrupt

    people = tuple(range(920, 927))
    event.listen(Session, "before_commit", die_in_the_third)
    try:
        assert import_list(numbers(*people), **CONTACTS).exit_code != 0
    finally:
        event.remove(Session, "before_commit", die_in_the_third)
    assert counts(services)["evidence"] == 4, "whole pieces, and no half one"
    outcome = told(import_list(numbers(*people), "--json", **CONTACTS))
    assert (outcome["recorded"], outcome["known"], outcome["new_people"]) == ("<10", "<10", "<10")
    assert {name: counts(services)[name] for name in ("citizens", "codes", "evidence", "decisions")} == dict.fromkeys(
        ("citizens", "codes", "evidence", "decisions"), 7
    )


def test_two_imports_of_one_list_at_once_record_each_fact_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_import, "BATCH_SIZE", 7)
    people = [*range(930, 960)]

    def run(order: list[int]) -> bulk_import.ImportProgress:
        lines = bulk_import.read_list(services, numbers(*order).encode(), CONTACTS).lines
        *_, tally = bulk_import.import_lines(services, lines, actor=Actor("officer", "7"))
        return tally

    one, other = at_once([lambda: run(people), lambda: run(people[::-1])])
    assert one.recorded + other.recorded == len(people)
    assert one.new_people + other.new_people == len(people)
    assert counts(services)["citizens"] == len(people)
    assert counts(services)["codes"] == len(people), "and none is left without a person"


@pytest.mark.slow
def test_a_long_list_goes_in_several_processes_and_does_the_same(
    import_list: Import, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    greens = open_green_codes(services, 5)
    content = "\n".join(["serial", *map(str, greens)])
    short = told(import_list(content, "--dry-run", "--json", **CONTACTS))
    with monkeypatch.context() as several:
        several.setattr(bulk_import, "PARALLEL_THRESHOLD", 1)
        several.setattr(bulk_import, "BATCH_SIZE", 2)
        assert told(import_list(content, "--dry-run", "--json", **CONTACTS)) == short
        assert {state(services, serial).name for serial in greens} == {"GREEN"}
        outcome = told(import_list(content, "--json", **CONTACTS))
    assert (outcome["lines"], outcome["recorded"], outcome["known"]) == (5, "<10", 0)
    assert {state(services, serial).name for serial in greens} == {"ORANGE"}
    assert {services.cache.get(serial).state for serial in greens} == {State.ORANGE}
    again = told(import_list(content, "--json", **CONTACTS))
    assert (again["recorded"], again["known"]) == (0, "<10")


@pytest.mark.slow
def test_an_import_one_of_whose_processes_is_ended_says_so_and_goes_on_when_it_is_called_again(
    import_list: Import, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    greens = open_green_codes(services, 3)
    content = "\n".join(["serial", *map(str, greens)])
    monkeypatch.setattr(bulk_import, "PARALLEL_THRESHOLD", 1)
    monkeypatch.setattr(bulk_import, "BATCH_SIZE", 1)
    with services.engine.connect() as busy:
        busy.execute(text("select from codes where serial = :serial for update"), {"serial": greens[-1]})
        with ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(import_list, content, **CONTACTS)
            _end_processes_of_ours(services)
            busy.rollback()
            told_so = outcome.result(PATIENCE)
    assert told_so.exit_code == 1
    assert "A process of the import was killed." in told_so.stderr
    assert told(import_list(content, "--json", **CONTACTS))["lines"] == 3
    assert {state(services, serial).name for serial in greens} == {"ORANGE"}


def _end_processes_of_ours(services: Services) -> None:
    """End what runs the import, once one of them waits for the lock."""
    waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        wait_until(lambda: connection.scalar(text(waits)), "nobody waits for the lock")
    for server in psutil.Process().children():
        if "forkserver" in " ".join(server.cmdline()):
            for one in server.children():
                one.kill()


@pytest.mark.slow
def test_a_list_goes_in_while_single_facts_come_in_for_the_same_people(
    import_list: Import, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_import, "BATCH_SIZE", 6)
    serials = open_green_codes(services, 24)
    content = "\n".join(["serial", *map(str, reversed(serials))])
    with ThreadPoolExecutor(3) as pool:
        singles = [
            pool.submit(tell, services, serial, fever(services.clock.now())) for serial in serials for _ in range(3)
        ]
        assert import_list(content, **CONTACTS).exit_code == 0
        for single in singles:
            single.result(PATIENCE)
    for serial in serials:
        assert state(services, serial).name == "ORANGE"
        assert_one_order(services, serial)


def test_a_dry_run_tells_what_would_change_and_writes_nothing(import_list: Import, services: Services) -> None:
    serial = open_green_code(services)
    before, cached = facts(services), services.cache.get(serial)
    outcome = import_list(f"serial\n{serial}\n", "--dry-run", **CONTACTS)
    assert outcome.stdout.splitlines()[1:] == ["Green → Orange: <10", "This was a dry run: nothing was written."]
    new = told(import_list(numbers(*range(950, 970)), "--dry-run", "--json", **CONTACTS))
    assert (new["new_people"], new["dry_run"]) == (20, True)
    assert facts(services) == before
    assert services.cache.get(serial) == cached
