"""Lists of officers on the command line: checked whole, recorded once, told by line, and never by number."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import Result
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from app.appeals import resolution
from app.appeals.resolution import UpholdReason
from app.audit import Actor
from app.citizens.models import Citizen
from app.cli import main
from app.codes.cache.records import make_record
from app.codes.cache.writing import CHANGED_VERSIONS
from app.codes.models import Code
from app.codes.states import State
from app.core.errors import Problem
from app.entries import bulk_import
from app.runtime import Services
from app.staff import officers as staff_officers
from app.staff import totp
from tests.support.acting import acting
from tests.support.clock import StandingClock
from tests.support.codes import assert_one_order, everything, fever, open_green_code, open_green_codes, state, tell
from tests.support.desk import SECRET, make_officer
from tests.support.disk import small_disk
from tests.support.people import Phone, id_number
from tests.support.sheets import filled_in, xlsx
from tests.support.terminal import APPROVER, RECORDER, Terminal, open_terminal
from tests.support.threads import at_once
from tests.support.waiting import PATIENCE, wait_until

Import = Callable[..., Result]
AUTHORITY, REFERENCE = "长春市疾病预防控制中心", "长疾控〔2020〕9号"
CONTACTS = {"kind": "contact", "authority": AUTHORITY, "reference": REFERENCE, "exposed_on": "2020-03-19"}


@pytest.fixture
def officers(services: Services, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A recorder and an approver, who are there already."""
    return open_terminal(services, monkeypatch, RECORDER, APPROVER)


@pytest.fixture
def import_list(officers: Terminal, tmp_path: Path) -> Import:
    """`jixiang evidence import` of a file with this content; options stand for what all lines share."""

    def run(
        content: str | bytes,
        *flags: str,
        officer: str = RECORDER,
        approver: str = APPROVER,
        env: Any = None,
        **options: str,
    ) -> Result:
        file = tmp_path / "list.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        words = ["evidence", "import", str(file)]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", value]
        return officers.run(*words, *flags, officer=officer, approver=approver, env=env or {})

    return run


def numbers(*people: int) -> str:
    return "\n".join(["document_number", *(id_number(n) for n in people)]) + "\n"


def told(outcome: Result) -> dict[str, Any]:
    assert outcome.exit_code == 0, outcome.output
    answer: dict[str, Any] = json.loads(outcome.stdout)
    return answer


def facts(services: Services) -> dict[str, Any]:
    """Every row, but for the officers, what they did to be let in, and their signatures."""
    of_officers = ("audit", "failed_logins", "officers", "signed_lists")
    return {name: rows for name, rows in everything(services).items() if name not in of_officers}


def counts(services: Services) -> dict[str, int]:
    return {name: len(rows) for name, rows in everything(services).items()}


# --- what a list does ---------------------------------------------------------------------------------------------


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
        f"  2 × contact: {AUTHORITY}, {REFERENCE}",
        "It would change:",
        "  NOT_DECLARED → ORANGE: <10",
        "  GREEN → ORANGE: <10",
    ]
    assert outcome.stdout.splitlines() == [
        "2 lines about 2 people: <10 recorded, 0 known before.",
        "<10 people were not known before: no record had their documents.",
        "NOT_DECLARED → ORANGE: <10",
        "GREEN → ORANGE: <10",
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


# --- again, broken off, at once -----------------------------------------------------------------------------------


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


# --- trying -------------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_would_change_and_writes_nothing(import_list: Import, services: Services) -> None:
    serial = open_green_code(services)
    before, cached = facts(services), services.cache.get(serial)
    outcome = import_list(f"serial\n{serial}\n", "--dry-run", **CONTACTS)
    assert outcome.stdout.splitlines()[1:] == ["GREEN → ORANGE: <10", "This was a dry run: nothing was written."]
    new = told(import_list(numbers(*range(950, 970)), "--dry-run", "--json", **CONTACTS))
    assert (new["new_people"], new["dry_run"]) == (20, True)
    assert facts(services) == before
    assert services.cache.get(serial) == cached


# --- mistakes -----------------------------------------------------------------------------------------------------

GOOD = id_number(970)
BAD = GOOD[:-1] + "?"
# what is wrong with a list or its lines; of what holds for any entry (test_evidence.py) a day in the future
MISTAKES: dict[str, tuple[str | bytes, dict[str, str], str]] = {
    "a wrong number": (f"document_number\n{GOOD}\n{BAD}\n", {}, "line 3: document_number "),
    "a number of another kind": (
        f"document_type,document_number\npassport,{GOOD}\n",
        {},
        "line 2: document_number must be 5 to 15",
    ),
    "an unknown document": (f"document_type,document_number\ncard,{GOOD}\n", {}, "line 2: document_type is not one of"),
    "an unknown kind": (f"document_number,kind\n{GOOD},flu\n", {"kind": ""}, "line 2: kind is not one of the choices"),
    "a day that is none": (
        f"document_number,exposed_on\n{GOOD},2020-02-30\n",
        {"exposed_on": ""},
        "line 2: exposed_on must be a date such as",
    ),
    "an order until 2062": (
        f"document_number,first_day,last_day\n{GOOD},2020-03-19,2062-04-02\n",
        {"kind": "quarantine", "exposed_on": ""},
        "line 2: last_day makes the order too long; check the year",
    ),
    "a contact of a year ago": (
        f"document_number,exposed_on\n{GOOD},2019-03-19\n",
        {"exposed_on": ""},
        "line 2: exposed_on is too long ago; check the year",
    ),
    "a day in the future": (
        f"document_number,exposed_on\n{GOOD},2020-03-21\n",
        {"exposed_on": ""},
        "line 2: exposed_on must not be in the future",
    ),
    "a serial that is none": ("serial\n-1\n", {}, "line 2: serial is invalid"),
    "a serial beyond all": ("serial\n99999999999999999999\n", {}, "line 2: serial is invalid"),
    "a serial of nobody": ("serial\n999999\n", {}, "line 2: serial is not the number of any code"),
    "nothing to release": (
        f"document_number\n{GOOD}\n",
        {"kind": "release", "exposed_on": ""},
        "line 2: reference names no contact",
    ),
    "too many cells": (f"document_number\n{GOOD},1\n", {}, "line 2: has more cells than columns"),
    "no headings and a name first": (f"示例甲,{GOOD}\n", {}, "line 1: document_number or serial must be a heading"),
    "a column twice": (
        f"document_number,document_number\n{GOOD},{GOOD}\n",
        {},
        "line 1: document_number is given twice",
    ),
    "a column that is an option too": (f"document_number,kind\n{GOOD},contact\n", {}, "line 1: kind is given twice"),
    "no column of people": ("reference\n1\n", {"reference": ""}, "line 1: document_number or serial must be a heading"),
    "both columns of people": (f"serial,document_number\n1,{GOOD}\n", {}, "line 1: document_number or serial"),
    "no kind at all": (f"document_number\n{GOOD}\n", {"kind": ""}, "line 1: kind is required"),
    "an open quotation": (f'document_number\n"{GOOD}\n', {}, "is not CSV"),
    "nothing": ("", {}, "line 1: The list has no line"),
    "no line": ("document_number\n\n", {}, "line 1: The list has no line"),
    "no text": (b"\xff\xfe\x00\xd8", {}, "line 1: The file is no .xlsx workbook, and no text"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff", {}, "line 1: "),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_by_its_line_and_nothing_is_written(
    import_list: Import, services: Services, what: str
) -> None:
    content, changes, line = MISTAKES[what]
    before = facts(services)
    options = {name: value for name, value in {**CONTACTS, **changes}.items() if value}
    outcome = import_list(content, **options)
    assert outcome.exit_code == 1
    assert line in outcome.stderr
    assert "; nothing was written" in outcome.stderr
    assert "Traceback" not in outcome.output
    assert GOOD not in outcome.output
    assert BAD not in outcome.output
    assert "示例甲" not in outcome.output
    assert facts(services) == before


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (
            "en_US.UTF-8",
            [
                "Error: The list has 79 errors; nothing was written.",
                "  40 lines: exposed_on must be a date such as 2020-03-15 (lines 2-41)",
                "  39 lines: document_number must be the 18 characters of a resident identity card (lines 2-20, 22-41)",
            ],
        ),
        (
            "zh_CN.UTF-8",
            [
                "错误：名单有 79 处错误，没有写入任何数据。",
                "  40 行：最后接触日期 日期应为 年-月-日，例如 2020-03-15（第 2-41 行）",
                "  39 行：证件号码 居民身份证号码应为 18 位（第 2-20, 22-41 行）",
            ],
        ),
    ],
)
def test_all_mistakes_are_told_at_once_each_with_its_lines(import_list: Import, locale: str, told: list[str]) -> None:
    people = ["1"] * 19 + [GOOD] + ["1"] * 20
    content = "\n".join(["document_number,exposed_on", *(f"{person},x" for person in people)])
    options = {name: value for name, value in CONTACTS.items() if name != "exposed_on"}
    assert import_list(content, env={"LC_ALL": locale}, **options).stderr.splitlines() == told


def test_a_workbook_is_imported_and_what_was_read_of_it_is_printed(import_list: Import) -> None:
    rows = [
        ("示例街道名单",),
        ("姓名", "证件号码", "隔离开始日期", "隔离截止日期"),
        ("示例甲", GOOD, date(2020, 3, 19), "2020年4月2日"),
        ("示例乙", "229999198501017000", 43909, "2020/4/2"),
        ("合计：2人",),
    ]
    options = {"kind": "quarantine", "authority": AUTHORITY, "reference": REFERENCE}
    tried = import_list(xlsx(rows), "--dry-run", approver="", **options)
    assert tried.stderr.splitlines() == [
        "Headings in line 2: 证件号码 → document_number, 隔离开始日期 → first_day, 隔离截止日期 → last_day",
        "Columns that are not used: A 姓名",
        "Left out: line 1, 5",
        "Check these lines first:",
        "  line 4: The number ends in 000: a spreadsheet may have changed it; compare it with the document",
    ]
    signed = import_list(xlsx(rows), **options)
    assert signed.exit_code == 0 and tried.stderr.splitlines()[4] in signed.stderr
    assert "2 lines about 2 people: <10 recorded" in signed.stdout


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv", "list.xls"])
def test_a_template_is_written_and_imported(officers: Terminal, import_list: Import, tmp_path: Path, name: str) -> None:
    made = officers.invoke(main, ["evidence", "template", str(tmp_path / name)])
    if name.endswith(".xls"):
        assert (made.exit_code, made.stderr) == (1, "Error: list.xls must end in .xlsx or .csv.\n")
        return
    assert made.exit_code == 0, made.output
    content, line = (tmp_path / name).read_bytes(), (GOOD, "", "contact", "2020-03-19", "", "", AUTHORITY, REFERENCE)
    filled = filled_in(content, [line]) if name.endswith("xlsx") else content + ",".join(line).encode()
    assert told(import_list(filled, "--json"))["known"] == 0


def test_a_template_that_does_not_fit_on_the_disk_leaves_nothing(officers: Terminal) -> None:
    with small_disk(64) as disk:
        file = disk.path / "list.csv"
        file.write_text("an older one")
        disk.fill()
        made = officers.invoke(main, ["evidence", "template", str(file)])
        assert (made.exit_code, made.stderr) == (
            1,
            f"Error: {file} cannot be written (No space left on device); name another file.\n",
        )
        assert sorted(one.name for one in disk.path.iterdir()) == ["filler", "list.csv"]
        assert file.read_text() == "an older one"


# --- who signs


def test_a_list_is_recorded_when_two_officers_sign_it_and_audit_and_evidence_name_both(
    import_list: Import, services: Services
) -> None:
    assert import_list(numbers(972, 973), **CONTACTS).exit_code == 0
    with services.engine.connect() as connection:
        entries = connection.execute(text("select actor, action, serial, detail::text from audit order by id")).all()
        recorded = connection.scalars(text("select distinct recorded_by from evidence")).all()
    deeds = [(row.actor, row.action) for row in entries if row.action != "officer-added"]
    assert deeds == [
        ("officer:1", "officer-identified"),
        ("officer:1", "officer-list-brought"),
        ("officer:2", "officer-identified"),
        ("officer:1+2", "officer-list-signed"),
        *[("officer:1+2", "evidence-recorded")] * 2,
        *[("officer:1+2", "decided")] * 2,
    ]
    assert recorded == ["officer:1+2"]
    assert len({row.serial for row in entries if row.serial}) == 2
    assert id_number(972) not in str(entries)
    assert id_number(972) not in str(everything(services)), "sealed wherever it stands"


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ({"approver": ""}, "Give --approver"),
        ({"approver": "both-1", "officer": "both-1"}, "another person has to"),
        (
            {"officer": "Both-1", "approver": "both-1", "env": {"JIXIANG_APPROVER_CODE": "later"}},
            "another person has to",
        ),
        ({"officer": APPROVER, "approver": "both-1"}, "Your role does not allow this"),
        ({"approver": "rec-2"}, "Your role does not allow this"),
        ({"officer": "here-1", "approver": "else-1"}, "does not work for the recorder's district"),
        ({"env": {"JIXIANG_APPROVER_CODE": "000000"}}, "User name, password or code is wrong"),
        ({"env": {"JIXIANG_OFFICER_PASSWORD": "wrong"}}, "User name, password or code is wrong"),
    ],
)
def test_nothing_is_written_unless_a_recorder_and_an_approver_sign(
    import_list: Import, services: Services, who: dict[str, Any], told: str
) -> None:
    make_officer(services, "both-1", "recorder", "approver")
    make_officer(services, "rec-2", "recorder")
    make_officer(services, "here-1", "recorder", district="长春市")
    make_officer(services, "else-1", "approver", district="吉林市")
    before = facts(services)
    if "later" in who.get("env", {}).values():
        later = totp.code_at(SECRET, services.clock.now() + timedelta(seconds=30))
        who = {**who, "env": {"JIXIANG_APPROVER_CODE": later}}
    outcome = import_list(numbers(971), **CONTACTS, **who)
    assert outcome.exit_code in (1, 2)
    assert told in outcome.stderr
    assert facts(services) == before


def test_a_dry_run_needs_no_second_officer_and_still_a_first(import_list: Import, services: Services) -> None:
    assert import_list(numbers(974), "--dry-run", approver="", **CONTACTS).exit_code == 0
    wrong = {"JIXIANG_OFFICER_CODE": "000000"}
    assert import_list(numbers(974), "--dry-run", approver="", env=wrong, **CONTACTS).exit_code == 1


def looks(services: Services) -> list[tuple[str, int | None, str | None, object]]:
    """What officers did with lists and looked at, but for who they are."""
    with services.engine.connect() as connection:
        rows = connection.execute(text("select action, serial, reason, detail from audit order by id")).all()
    shown = ("officer-list-brought", "record-read")
    return [(row.action, row.serial, row.reason, row.detail.get("lines")) for row in rows if row.action in shown]


def test_a_dry_run_is_an_access_to_everybody_known_however_many_they_are(
    green_citizen: Phone, import_list: Import, services: Services
) -> None:
    citizen = green_citizen
    with services.sessions() as session:
        serial = session.scalars(select(Citizen.serial)).one()
    unknown = "".join(f"{id_number(n)}\n" for n in range(950, 1000))
    padded = f"document_number\n{citizen.document}\n{unknown}"
    outcome = told(import_list(padded, "--dry-run", "--json", approver="", **CONTACTS))
    look = ("record-read", serial, "case-review", None)
    assert looks(services) == [("officer-list-brought", None, None, 51), look], "those nobody knows hide nobody"
    assert [(one["from"], one["codes"]) for one in outcome["changes"]] == [("NOT_DECLARED", "≥42"), ("GREEN", "<10")]
    assert (outcome["new_people"], outcome["recorded"], outcome["known"]) == ("≥42", 51, 0)
    known = sorted([serial, *open_green_codes(services, 30)])
    many = "serial\n" + "".join(f"{one}\n" for one in known)
    assert import_list(many, "--dry-run", approver="", **CONTACTS).exit_code == 0
    theirs = [("record-read", one, "case-review", None) for one in known]
    assert looks(services)[2:] == [("officer-list-brought", None, None, 31), *theirs]


def test_a_list_that_is_refused_for_what_is_known_of_its_people_is_an_access_to_them(
    import_list: Import, services: Services
) -> None:
    serial = open_green_code(services)
    release = {"kind": "release", "authority": CONTACTS["authority"], "reference": CONTACTS["reference"]}
    assert import_list(f"serial\n{serial}\n", "--dry-run", approver="", **release).exit_code == 1
    assert looks(services) == [("officer-list-brought", None, None, 1), ("record-read", serial, "case-review", None)]
    several = sorted({serial, *open_green_codes(services, 9)})
    lines = "serial\n" + "".join(f"{one}\n" for one in several)
    assert import_list(lines, "--dry-run", approver="", **release).exit_code == 1
    many = [("record-read", one, "case-review", None) for one in several]
    assert looks(services)[2:] == [("officer-list-brought", None, None, 10), *many]


@pytest.mark.parametrize("who", [RECORDER, APPROVER])
def test_who_signed_a_list_does_not_resolve_an_appeal_about_it(
    green_citizen: Phone, import_list: Import, services: Services, who: str
) -> None:
    citizen = green_citizen
    import_list(f"document_number\n{citizen.document}\n", **CONTACTS)
    assert citizen.color() == "ORANGE"
    assert citizen.post("/api/v1/appeals", {"text": "我没有去过"}).status_code == 201
    with services.begin() as session:
        officer = staff_officers.find_by_username(session, who)
        officer.roles = [*officer.roles, "appeals"]
    with services.sessions() as session:
        officer = staff_officers.find_by_username(session, who)
        with pytest.raises(Problem, match="own-record"):
            resolution.uphold(acting(services, session, officer), 1, UpholdReason.DOCUMENT_CONFIRMS)
        officer = make_officer(services, "third-1", "appeals")
        assert (
            resolution.uphold(acting(services, session, officer), 1, UpholdReason.DOCUMENT_CONFIRMS).state == "upheld"
        )
