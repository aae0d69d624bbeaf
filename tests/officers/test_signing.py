"""Signing at the command line: who approves an entry or signs a list sees the doubtful lines first, and was seen."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import select

from app.audit import AuditEvent
from app.codes import ledger
from app.codes.models import Code
from app.core.errors import Problem
from app.entries import command_line
from app.runtime import Services
from app.staff import officers as staff_officers
from tests.support.clock import StandingClock
from tests.support.codes import open_green_code, open_green_codes
from tests.support.desk import Desk, make_officer
from tests.support.forms import ORDER, page_of, save
from tests.support.people import Phone, id_number, id_number_of_birth
from tests.support.terminal import APPROVER, RECORDER, Terminal, open_terminal

AUTHORITY, REFERENCE = "示例疾控中心", "示例〔2020〕9号"
DAYS = {"first_day": "2020-03-20", "last_day": "2020-04-03"}
CONTACTS = {"kind": "contact", "authority": AUTHORITY, "reference": REFERENCE}


@pytest.fixture
def terminal(services: Services, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return open_terminal(services, monkeypatch, RECORDER, APPROVER)


@pytest.fixture
def sign(terminal: Terminal, tmp_path: Path) -> Callable[..., Result]:
    """`jixiang evidence import` of these lines, each a person and a day."""

    def run(lines: list[str], *flags: str, approver: str = APPROVER, **options: Any) -> Result:
        file = tmp_path / "list.csv"
        file.write_text("\n".join([options.pop("columns", "serial,exposed_on"), *lines]), encoding="utf-8")
        words = [
            word for name, value in {**CONTACTS, **options}.items() for word in (f"--{name.replace('_', '-')}", value)
        ]
        return terminal.run("evidence", "import", str(file), *words, *flags, approver=approver)

    return run


def looks(services: Services) -> list[tuple[str, int | None, str | None]]:
    """Who accessed whose record, and why."""
    with services.sessions() as session:
        rows = session.scalars(select(AuditEvent).filter_by(action="record-read").order_by(AuditEvent.id))
        return [(row.actor, row.serial, row.reason) for row in rows]


def test_who_signs_a_list_sees_first_the_lines_without_effect_and_the_implausible_ones(
    sign: Callable[..., Result], services: Services
) -> None:
    people = open_green_codes(services, 30)
    sign([f"{people[0]},2020-03-19"])
    lines = [f"{people[0]},2020-03-18", *(f"{one},2020-03-19" for one in people[1:29]), f"{people[29]},2020-02-01"]
    signed = sign(lines)
    assert signed.exit_code == 0, signed.output
    assert signed.stderr.splitlines()[1:] == [
        "Check these lines first:",
        "  line 2: Does not change the color",
        "  line 31: Does not change the color; It was over before it was recorded, and changes nothing; "
        "The last contact was more than 14 days ago; The day of contact is more than 7 days from that of the others",
        "A valid list of 30 lines:",
        f"  30 × Close contact: {AUTHORITY}, {REFERENCE}",
        "It would change:",
        "  Green → Orange: ≥21",
    ]


def test_documents_say_who_is_a_child_or_not_born_and_no_number_is_printed(sign: Callable[..., Result]) -> None:
    numbers = [id_number(700), id_number_of_birth("20150101"), id_number_of_birth("20200320")]
    signed = sign([f"{number},2020-03-19" for number in numbers], columns="document_number,exposed_on")
    assert signed.exit_code == 0, signed.output
    assert signed.stderr.splitlines()[1:4] == [
        "Check these lines first:",
        "  line 3: Younger than 14 years",
        "  line 4: Born after that day",
    ]
    assert not [number for number in numbers if number in signed.output]


def test_the_signature_is_an_access_of_both_officers_to_everybody_known(
    sign: Callable[..., Result], services: Services
) -> None:
    people = sorted(open_green_codes(services, 12))
    assert sign([f"{one},2020-03-19" for one in people]).exit_code == 0
    assert looks(services) == [
        *(("officer:1", one, "case-review") for one in people),
        *(("officer:2", one, "signing") for one in people),
    ]


def test_in_chinese_too(sign: Callable[..., Result], services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    signed = sign([f"{open_green_code(services)},2020-02-01"])
    assert signed.stderr.splitlines()[:3] == [
        "表头在第 1 行：serial → 吉祥码编号, exposed_on → 最后接触日期",
        "请先核对以下各行：",
        "  第 2 行：不变色; 录入时已过期，不引起变化; 最后接触已超过 14 天",
    ]
    assert not re.search("[a-z]{4}", re.sub("contact|serial|exposed_on", "", signed.stderr))


def test_who_approves_at_the_terminal_sees_people_whole_and_is_seen(
    green_citizen: Phone, terminal: Terminal, services: Services
) -> None:
    citizen = green_citizen
    terminal.record(citizen.document, "quarantine", first_day="2020-03-20", last_day="2020-06-02")
    approved = terminal.approve(1)
    assert approved.exit_code == 0, approved.output
    shown = approved.stderr.splitlines()
    assert shown[:3] == [
        "Entry 1",
        "  The quarantine lasts more than 30 days",
        "  A day of the quarantine is more than 60 days away",
    ]
    assert shown[-1] == f"    {citizen.document}  示例甲  Green → Orange"
    with services.sessions() as session:
        serial = session.scalars(select(Code.serial)).one()
    assert looks(services) == [("officer:1", serial, "case-review"), ("officer:2", serial, "signing")]


def test_at_the_terminal_nobody_signs_what_they_were_not_shown(
    phone: Callable[..., Phone], terminal: Terminal, sign: Callable[..., Result], services: Services
) -> None:
    terminal.record(phone("示例甲").become_green().document, "quarantine", **DAYS)
    with services.sessions() as session:
        officer = staff_officers.find_by_username(session, APPROVER)
    with pytest.raises(Problem) as refused:
        command_line.approve(services, officer, 1)
    assert refused.value.slug == "view-first"
    assert terminal.approve(1).exit_code == 0
    assert sign([f"{open_green_code(services)},2020-03-19"]).exit_code == 0
    with services.sessions() as session:
        rows = session.execute(select(AuditEvent.actor, AuditEvent.action, AuditEvent.reason).order_by(AuditEvent.id))
        events = [tuple(row) for row in rows]
    theirs = f"officer:{officer.id}"
    assert events.index((theirs, "entry-viewed", None)) < events.index((theirs, "entry-approved", None))
    lists = [action for actor, action, reason in events if reason == "signing" or action == "officer-list-signed"]
    assert lists[-2:] == ["record-read", "officer-list-signed"]


def test_an_approval_that_an_alarm_refuses_is_in_the_audit(
    desk: Callable[..., Desk], console: Services, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorders = [desk("recorder", username=f"rec-{n}") for n in (1, 2, 3)]
    approver = desk("approver", username="app-1")
    for recorder, place, people in ((recorders[0], "甲地", range(50)), (recorders[1], "乙地", range(50, 60))):
        entry = page_of(save(recorder, "\n".join(map(id_number, people)), **{**ORDER, "place": place}))
        assert approver.sign(f"{entry}/approve").status_code == 303
    urgent = page_of(save(recorders[2], id_number(60), **{**ORDER, "place": "丙地"}, urgent="yes"))
    assert approver.sign(f"{urgent}/approve").status_code == 409
    id_, terminal = int(urgent.rpartition("/")[2]), open_terminal(console, monkeypatch)
    assert terminal.approve(id_).exit_code == 1
    with console.sessions() as session:
        officer = staff_officers.find_by_username(session, "app-1")
        found = session.scalars(select(AuditEvent).filter_by(action="entry-approval-refused")).all()
        told = [(event.actor, event.role, event.detail) for event in found]
    assert told == [(f"officer:{officer.id}", "approver", {"entry": id_, "people": 1})] * 2


@pytest.mark.slow
def test_a_long_list_is_one_statement_for_thousands_of_looks(sign: Callable[..., Result], services: Services) -> None:
    with services.begin() as session:
        known = ledger.create_codes(session, 3000, services.clock.now())
    assert sign([f"{one},2020-03-19" for one in known], "--dry-run", approver="").exit_code == 0
    assert len(looks(services)) == 3000


def test_an_approver_of_another_district_signs_nothing_and_sees_nothing(
    green_citizen: Phone, terminal: Terminal, services: Services
) -> None:
    citizen = green_citizen
    make_officer(services, "here-1", "recorder", district="长春市")
    make_officer(services, "else-1", "approver", district="吉林市")
    words = ("--kind", "suspected", "--authority", AUTHORITY, "--reference", REFERENCE)
    recorded = terminal.run("evidence", "record", "--document-number", citizen.document, *words, officer="here-1")
    assert recorded.exit_code == 0, recorded.output
    refused = terminal.approve(1, officer="else-1")
    assert refused.exit_code == 1 and citizen.document not in refused.output
    assert [reason for _, _, reason in looks(services)] == ["case-review"]
