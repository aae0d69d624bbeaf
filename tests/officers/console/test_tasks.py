"""What waits for an officer stands on their start page and in the menu, for every role and within their district."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import update

from app.audit import CLOCK
from app.entries import workflow
from app.runtime import Services
from app.staff.context import begin_as
from app.staff.models import Officer
from app.stations.models import Inspector
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell
from tests.support.desk import Desk, make_officer
from tests.support.forms import ORDER, STATED, page_of, save
from tests.support.people import Phone, Station, id_number

Desks = Callable[..., Desk]
HERE, AWAY = "长春市", "吉林市"


@pytest.fixture
def recorder(desk: Desks) -> Desk:
    return desk("recorder", username="rec-1", district=HERE)


def tasks(one: Desk) -> dict[str, int]:
    """The tasks on the start page, by what they are; the menu has the same numbers in all."""
    page = one.get("/console/").text
    listed = re.search(r'<ul class="tasks">(.*?)</ul>', page, re.DOTALL)
    found = re.findall(r"<a[^>]*>(.*?) <span[^>]*>(\d+)</span>", listed[1]) if listed else []
    menu = re.search(r'<nav class="menu".*?</nav>', one.get("/console/account").text, re.DOTALL)
    in_menu = re.findall(r'class="count">(\d+)<', menu[0]) if menu else []
    assert sum(map(int, in_menu)) == sum(int(number) for _, number in found)
    return {words: int(number) for words, number in found}


def test_who_records_entries_begins_one_on_the_start_page(recorder: Desk, desk: Desks) -> None:
    approver = desk("approver", username="app-1", district=HERE)
    new = 'class="button" href="/console/entries/new"'
    assert [new in one.get("/console/").text for one in (recorder, approver)] == [True, False]


def test_entries_wait_for_who_may_decide_them(
    recorder: Desk, desk: Desks, console: Services, clock: StandingClock
) -> None:
    approver = desk("approver", username="app-1", district=HERE)
    away = desk("approver", "auditor", username="away-1", district=AWAY)
    auditor, both = desk("auditor", username="aud-1"), desk("recorder", "approver", username="both-1", district=HERE)
    first = page_of(save(recorder, id_number(1), **ORDER))
    save(recorder, id_number(2), kind="confirmed", urgent="yes", **STATED)
    save(recorder, "\n".join(map(id_number, range(100, 151))), **{**ORDER, "reference": "2号"})
    page_of(save(both, id_number(3), **{**ORDER, "reference": "3号"}))
    assert tasks(approver) == {"紧急生效、待审批的录入": 1, "待审批的录入": 2}
    assert tasks(both) == {"紧急生效、待审批的录入": 1, "待审批的录入": 1}, "nobody approves their own"
    assert tasks(auditor) == {"因人数预警暂停、待放行的录入": 1}
    assert tasks(away) == tasks(recorder) == {}
    approver.sign(f"{first}/reject", {"reason": "wrong-facts"})
    assert tasks(recorder) == {"近 24 小时被驳回或逾期未批的本人录入": 1}
    clock.advance(days=1)
    with begin_as(console, CLOCK) as context:
        workflow.lapse_overdue(context)
    recorder.ensure_logged_in()
    assert tasks(recorder) == {"近 24 小时被驳回或逾期未批的本人录入": 1}, "another: it has lapsed"


def test_appeals_wait_and_those_that_are_late_are_told_apart(
    desk: Desks, green_citizen: Phone, console: Services, clock: StandingClock
) -> None:
    citizen = green_citizen
    tell(console, 1, contact(clock.now()))
    assert citizen.post("/api/v1/appeals", {"text": "我没有去过。", "attachments": []}).status_code == 201
    officer = desk("appeals", username="appeals-1")
    assert tasks(officer) == {"待办的纠错申请": 1}
    clock.advance(hours=25)
    assert tasks(officer.ensure_logged_in()) == {"已逾期的纠错申请": 1}


def test_an_administrator_is_told_of_first_passwords_that_expired_unused(
    desk: Desks, station: Station, console: Services, clock: StandingClock
) -> None:
    make_officer(console, "new-1", "recorder", district=HERE)
    make_officer(console, "new-2", "recorder", district=AWAY)
    here, province = desk("administrator", username="adm-1", district=HERE), desk("administrator", username="adm-2")
    assert tasks(province) == {}
    with console.begin() as session:
        session.execute(update(Officer).where(Officer.username.like("new-%")).values(password_ends_at=clock.now()))
        session.execute(update(Inspector).values(password_ends_at=clock.now()))
    people, inspectors = "初始密码逾期未用、须重设的工作人员", "初始密码逾期未用、须重设的查验员"
    assert tasks(province) == {people: 2, inspectors: 1}
    assert tasks(here)[people] == 1
