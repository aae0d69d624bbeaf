"""The Zhengzhou case: 1,317 people, a false reason, and every way to turn them orange or red with too few officers."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

import pytest
from click.testing import Result
from prometheus_client import REGISTRY
from sqlalchemy import func, select

from app.codes.models import EvidenceRow
from app.core.texts import text as words
from app.entries.alarms.thresholds import thresholds_at
from app.entries.content import RejectionReason
from app.entries.models import Entry, SignedList
from app.runtime import Services
from app.staff import officers as staff_officers
from tests.support.clock import StandingClock
from tests.support.desk import Desk, make_officer, text_of
from tests.support.office import AUTHORITY, Office
from tests.support.people import id_number
from tests.support.terminal import APPROVER, RECORDER, Terminal, open_terminal

DEPOSITORS = 1317
AUDIT = "/console/audit"
SPELLINGS = (
    "示例银行",
    "示例銀行",
    "示 例 银 行",
    "（示例）银行",
    "示例银行。",
    "「示例」银行",
    "示例·银行",
    "示例银行！",
)
LIST = {"kind": "quarantine", "authority": AUTHORITY, "reference": "示例银行储户", "first_day": "2020-03-20",
        "last_day": "2020-04-03"}  # fmt: skip


@pytest.fixture
def office(services: Services) -> Office:
    return Office(services)


@pytest.fixture
def auditor(desk: Callable[..., Desk]) -> Desk:
    return desk("auditor", username="aud-1")


@pytest.fixture
def terminal(services: Services, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = open_terminal(services, monkeypatch)
    for name in (RECORDER, APPROVER):
        terminal.code_of(name)
    return terminal


def in_parts(people: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    yield from (people[start : start + size] for start in range(0, len(people), size))


def held(auditor: Desk) -> int:
    """How many entries the auditor is told of on the first page."""
    auditor.ensure_logged_in()
    with auditor.services.sessions() as session:
        number = session.scalars(select(func.count()).where(Entry.state == "held")).one()
    shown = text_of(auditor.get("/console/"))
    assert not number or f"有 {number} 条录入因人数异常被暂停" in shown
    return number


def test_one_officer_and_one_entry(office: Office, auditor: Desk) -> None:
    mass = office.propose("recorder", "quarantine", office.strangers(DEPOSITORS), place="示例银行", urgent=True)
    assert (office.state(mass), office.count_restricted(), held(auditor)) == ("held", 0, 1)
    assert f'href="/console/entries/{mass}"' in auditor.get(AUDIT).text
    assert office.refuse("auditor", mass, RejectionReason.NOT_HEALTH) == "rejected"


@pytest.mark.slow
def test_ten_officers_and_urgent_lists_of_nine_each_of_a_place_of_its_own(
    office: Office, auditor: Desk, clock: StandingClock
) -> None:
    recorders = cycle([office.hire(f"recorder {n}", "recorder", district="长春市") for n in range(10)])
    for turn, part in enumerate(in_parts(office.strangers(DEPOSITORS), 9)):
        names = {"place": f"示例地点{turn}", "authority": f"示例机构{turn}"}
        office.propose(next(recorders), "quarantine", part, urgent=True, **names)
        clock.advance(seconds=50)
    assert 0 < office.count_restricted() <= thresholds_at(clock.now()).of_one_district_unapproved
    assert held(auditor) >= 140
    assert words("alarms", "of-one-district-unapproved", "zh") in auditor.get(AUDIT).text
    clock.advance(hours=22)
    while office.lapse():
        pass
    assert office.count_restricted() == 0


def test_one_officer_who_withdraws_each_urgent_entry_and_records_the_next(
    office: Office, auditor: Desk, clock: StandingClock
) -> None:
    turned = 0
    for part in in_parts(office.strangers(60), 5):
        entry = office.propose("recorder", "quarantine", part, urgent=True)
        turned += office.count_restricted()
        office.refuse("recorder", entry)
        clock.advance(minutes=30)
    assert turned == thresholds_at(clock.now()).of_one_officer_unapproved


def test_officers_of_all_districts_together(office: Office, auditor: Desk, clock: StandingClock) -> None:
    for n in range(15):
        name = office.hire(f"recorder {n}", "recorder", district=f"示例{n}区")
        office.propose(name, "quarantine", office.strangers(9), urgent=True)
    assert office.count_restricted() == 99 <= thresholds_at(clock.now()).of_the_province_unapproved
    assert words("alarms", "of-the-province-unapproved", "zh") in auditor.get(AUDIT).text
    assert held(auditor) == 4


@pytest.mark.slow
def test_ten_officers_and_lists_of_nine_whose_place_is_spelled_in_turns(office: Office, auditor: Desk) -> None:
    recorders = cycle([office.hire(f"recorder {n}", "recorder", district="长春市") for n in range(10)])
    entries = [
        office.propose(next(recorders), "quarantine", part, place=spelling)
        for part, spelling in zip(in_parts(office.strangers(DEPOSITORS), 9), cycle(SPELLINGS), strict=False)
    ]
    waiting = [entry for entry in entries if office.state(entry) == "waiting"]
    assert len(waiting) * 9 == 45 <= thresholds_at(office.services.clock.now()).of_one_place_in_a_day
    for entry in waiting:
        office.approve("approver", entry)
    assert office.count_restricted() <= 45
    assert held(auditor) >= len(entries) - len(waiting)


def test_one_officer_at_the_command_line(terminal: Terminal, auditor: Desk, office: Office) -> None:
    stated = {"first_day": LIST["first_day"], "last_day": LIST["last_day"]}
    for n in range(13):
        outcome = terminal.record(id_number(n), "quarantine", "--urgent", **stated)
        assert ("is held for an auditor" in outcome.output) is (n >= 10), outcome.output
    assert (office.count_restricted(), held(auditor)) == (10, 3)


# --- lists that are signed -----------------------------------------------------------------------------------------


@pytest.fixture
def sign(terminal: Terminal, tmp_path: Path) -> Callable[..., Result]:
    def run(people: Sequence[int], officer: str = RECORDER, approver: str = APPROVER, auditor: str = "") -> Result:
        file = tmp_path / "list.csv"
        file.write_text("\n".join(["serial", *map(str, people)]))
        options = [word for name, value in LIST.items() for word in (f"--{name.replace('_', '-')}", value)]
        return terminal.run(
            "evidence", "import", str(file), *options, officer=officer, approver=approver, auditor=auditor
        )

    return run


@pytest.mark.slow
def test_a_list_that_two_officers_sign(
    sign: Callable[..., Result], office: Office, auditor: Desk, services: Services
) -> None:
    people = office.strangers(DEPOSITORS)
    refused = sign(people)
    assert (refused.exit_code, words("problems", "list-needs-auditor", "en") in refused.stderr) == (1, True)
    with services.sessions() as session:
        assert session.scalars(select(func.count()).select_from(EvidenceRow)).one() == 0
        assert session.scalars(select(func.count()).select_from(SignedList)).one() == 0
    page = text_of(auditor.get(AUDIT))
    assert "名单须审计员签署，未导入" in page and "1,317" in page
    assert sign(people, auditor="aud-1").exit_code == 0
    assert office.count_restricted() == DEPOSITORS, "three persons, one of them an auditor"
    assert f"{RECORDER} + {APPROVER} + aud-1" in text_of(auditor.get(AUDIT))
    assert sign(office.strangers(9)).exit_code == 0, "what an auditor has signed does not count"


@pytest.mark.slow
def test_lists_of_nine_are_added_up_by_recorder_by_approver_and_by_district(
    sign: Callable[..., Result], terminal: Terminal, office: Office, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    for name, roles, district in (
        ("rec-2", "recorder", None),
        ("app-2", "approver", None),
        ("rec-3", "recorder", "吉林市"),
    ):
        desk(roles, username=name, district=district)
    for part in in_parts(office.strangers(45), 9):
        assert sign(part).exit_code == 0
    more = office.strangers(9)
    for recorder, approver in ((RECORDER, "app-2"), ("rec-2", APPROVER), ("rec-2", "app-2"), ("rec-3", APPROVER)):
        assert sign(more, recorder, approver).exit_code == 1, (recorder, approver)
    assert office.count_restricted() == 45
    assert sign(more, "rec-3", "app-2").exit_code == 0, "neither signer nor district is the same"
    clock.advance(hours=24)
    assert sign(office.strangers(9)).exit_code == 0


def test_a_list_counts_whose_quarantine_begins_tomorrow_and_not_what_is_on_record(
    sign: Callable[..., Result], office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = office.strangers(30)
    assert [sign(people).exit_code for _ in range(3)] == [0, 0, 0], "it is the same list"
    monkeypatch.setitem(LIST, "first_day", "2020-03-21")
    assert sign(office.strangers(30)).exit_code == 1
    assert office.count_restricted() == 30


@pytest.mark.parametrize(
    ("auditor", "roles", "district", "slug"),
    [
        ("third-1", ["approver"], None, "not-your-role"),
        ("third-1", ["auditor"], "吉林市", "other-district"),
        (APPROVER, ["approver", "auditor"], None, "two-persons"),
    ],
)
def test_the_third_signature_is_an_auditor_s_of_the_district_and_not_one_of_the_two(
    sign: Callable[..., Result], office: Office, terminal: Terminal, auditor: str, roles: list[str],
    district: str | None, slug: str,
) -> None:  # fmt: skip
    if auditor != APPROVER:
        make_officer(office.services, auditor, *roles, district=district)
    with office.services.begin() as session:
        for name in (RECORDER, APPROVER):
            staff_officers.find_by_username(session, name).district = "长春市"
        staff_officers.find_by_username(session, auditor).roles = roles
    outcome = sign(office.strangers(51), auditor=auditor)
    assert (outcome.exit_code, words("problems", slug, "en") in outcome.stderr) == (1, True), outcome.stderr
    assert office.count_restricted() == 0


# --- what lowers a risk ----------------------------------------------------------------------------------------------


def test_many_releases_by_one_officer_are_shown_and_not_held(
    office: Office, auditor: Desk, clock: StandingClock
) -> None:
    people = office.strangers(61)
    mass = office.propose("recorder", "quarantine", people)
    office.release("auditor", mass)
    office.approve("approver", mass)
    clock.advance(hours=2)
    alarm = "lowered-by-one-officer"
    before = counted(alarm)
    few = office.propose("recorder", "release", people[:60])
    assert "近 7 日大量解除" in text_of(auditor.ensure_logged_in().get(AUDIT))
    assert f'href="/console/entries/{few}"' not in auditor.get(AUDIT).text
    more = office.propose("recorder", "release", people[60:])
    assert (office.state(few), office.state(more)) == ("applied", "applied")
    assert f'href="/console/entries/{more}"' in auditor.get(AUDIT).text
    events = text_of(auditor.get(f"{AUDIT}/events?act=entry-recorded"))
    assert words("alarms", alarm, "zh") in events
    assert counted(alarm) == before + 1


def counted(alarm: str) -> float:
    return REGISTRY.get_sample_value("jixiang_entry_alarms_total", {"alarm": alarm}) or 0
