"""What needs an auditor is seen at once, by those whose district it is."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app import audit
from app.codes import ledger
from app.core.texts import text as words
from app.entries import workflow
from app.entries.models import Case, Entry
from app.runtime import Services
from app.staff import officers
from app.staff.context import actor_of, begin_as
from tests.support.auditing import AUDIT, BADGE, CHAIN, ENTRIES, URGENT, Desks, enter, look, section, sign
from tests.support.clock import StandingClock
from tests.support.desk import Desk, make_officer, text_of
from tests.support.forms import ORDER, page_of, save
from tests.support.people import Phone, id_number


def test_the_zhengzhou_case_is_shown_to_an_auditor_at_once_and_is_in_the_audit(
    recorder: Desk, auditor: Desk, citizen: Phone, console: Services
) -> None:
    assert BADGE not in auditor.get("/console/").text
    others = [number for number in map(id_number, range(100, 539)) if number != citizen.document]
    people = [citizen.document, *others[:438]]
    third = "\n".join(people)
    entries = [
        page_of(save(recorder, third, **{**ORDER, "place": "示例银行", "reference": f"{n}号"})) for n in range(3)
    ]
    first = text_of(auditor.get("/console/"))
    assert "有 3 条录入因人数异常被暂停，涉及 1317 人" in first
    assert f"{BADGE}3</span>" in auditor.get("/console/account").text, "on every page"
    held = section(auditor.get(AUDIT).text, "held")
    assert all(f'href="{entry}"' in held for entry in entries)
    for word in ("rec-1", "长春市", "439", "示例疾控中心", words("alarms", "of-one-entry", "zh")):
        assert word in held
    assert citizen.color() == "GREEN"
    attempts = section(auditor.get(f"{ENTRIES}?act=entry-recorded").text, "found")
    assert attempts.count(words("alarms", "of-one-entry", "zh")) == attempts.count("439 人") == 3
    assert all(f'href="{entry}"' in attempts for entry in entries)
    with console.sessions() as session:
        assert set(session.scalars(select(Entry.state))) == {"held"}
    person = look(auditor, citizen.document).text
    assert f"{BADGE}3</span>" in person, "also on the answer to a form"
    assert citizen.document not in auditor.get(AUDIT).text + auditor.get(ENTRIES).text + person
    assert section(auditor.get(f"{ENTRIES}?act=entry-recorded&lang=en").text, "found").count("people: 439") == 3


def test_only_auditors_have_the_count_and_the_pages(recorder: Desk) -> None:
    save(recorder, "\n".join(map(id_number, range(51))), **ORDER)
    first = recorder.get("/console/").text
    assert BADGE not in first and AUDIT not in first
    for page in (AUDIT, ENTRIES, CHAIN):
        assert recorder.get(page).status_code == 403


def test_the_page_reloads_itself_until_it_is_told_not_to(auditor: Desk) -> None:
    again = "/console/audit?again=yes"
    assert auditor.get(AUDIT).headers["Refresh"] == f"30; url={again}"
    assert auditor.get(again).headers["Refresh"] == f"30; url={again}"
    assert "停止刷新" in text_of(auditor.get(AUDIT))
    still = auditor.get(f"{AUDIT}?still=yes")
    assert "Refresh" not in still.headers and "恢复自动刷新" in text_of(still)
    for page in (ENTRIES, CHAIN, "/console/"):
        assert "Refresh" not in auditor.get(page).headers, "nothing is lost that somebody types"


def test_the_page_comes_again_after_a_moment_without_a_database(auditor: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("select", {}, Exception())

    monkeypatch.setattr("app.review.oversight.load_summary", away)
    answer = auditor.get(AUDIT)
    assert (answer.status_code, answer.headers["Refresh"]) == (503, "30; url=/console/audit?again=yes")


@pytest.mark.slow
def test_a_console_left_alone_logs_out_though_its_page_reloads(auditor: Desk, clock: StandingClock) -> None:
    for _ in range(29):
        clock.advance(seconds=30)
        assert auditor.get(f"{AUDIT}?again=yes").status_code == 200
    clock.advance(seconds=30)
    assert auditor.get(f"{AUDIT}?again=yes").location == "/console/login?done=session-ended"


def test_a_click_keeps_the_session(auditor: Desk, clock: StandingClock) -> None:
    clock.advance(minutes=14)
    auditor.get(AUDIT)
    clock.advance(minutes=14)
    assert auditor.get(f"{AUDIT}?again=yes").status_code == 200


def test_an_urgent_entry_is_seen_with_its_end_and_then_as_lapsed(
    recorder: Desk, auditor: Desk, citizen: Phone, clock: StandingClock, console: Services
) -> None:
    entry = page_of(save(recorder, citizen.document, **URGENT))
    urgent = section(auditor.get(AUDIT).text, "urgent")
    assert f'href="{entry}"' in urgent and "2020-03-21 12:00" in urgent
    clock.advance(hours=25)
    with begin_as(console, audit.CLOCK) as context:
        assert workflow.lapse_overdue(context) == 1
    page = auditor.ensure_logged_in().get(AUDIT).text
    assert entry not in section(page, "urgent")
    fallen = section(page, "lapsed")
    assert f'href="{entry}"' in fallen and "2020-03-21 13:00" in fallen
    clock.advance(days=7)
    assert entry not in section(auditor.ensure_logged_in().get(AUDIT).text, "lapsed")


def test_who_is_rejected_repeatedly_is_seen(recorder: Desk, auditor: Desk, desk: Desks, clock: StandingClock) -> None:
    approver = desk("approver", username="app-1", district="长春市")
    for n in range(3):
        assert "rec-1" not in section(auditor.get(AUDIT).text, "rejected"), n
        entry = page_of(save(recorder, id_number(n), **{**ORDER, "reference": f"{n}号"}))
        assert approver.sign(f"{entry}/reject", {"reason": "no-document"}).status_code == 303
    refused = section(auditor.get(AUDIT).text, "rejected")
    assert f'href="{ENTRIES}?officer=rec-1"' in refused and ">3<" in refused
    clock.advance(days=7)
    assert "rec-1" not in section(auditor.ensure_logged_in().get(AUDIT).text, "rejected")


def test_a_recorder_is_not_blamed_for_contacts_that_end_with_their_case(
    recorder: Desk, auditor: Desk, desk: Desks, clock: StandingClock, console: Services
) -> None:
    approver = desk("approver", username="app-1", district="长春市")
    stated = {"authority": "示例疾控中心", "reference": "示例病例"}
    assert approver.sign(f"{page_of(save(recorder, id_number(9), kind='confirmed', **stated))}/approve").location
    with console.sessions() as session:
        number = session.scalars(select(Case.number)).one()
    met = {**stated, "kind": "contact", "exposed_on": "2020-03-19", "place": "示例商场", "case": number}
    entries = [page_of(save(recorder, id_number(n), **met)) for n in range(3)]
    clock.advance(minutes=1)
    page_of(save(recorder, id_number(9), kind="ruled-out", **stated))
    assert all("已驳回" in text_of(recorder.get(entry)) for entry in entries)
    assert "rec-1" not in section(auditor.get(AUDIT).text, "rejected")


def test_wrong_log_ins_are_seen_by_account_for_a_day(
    recorder: Desk, auditor: Desk, clock: StandingClock, console: Services
) -> None:
    enter(console, 4, "officer-login-failed", actor="")
    for n in range(5):
        assert "rec-1" not in section(auditor.get(AUDIT).text, "log-ins"), n
        recorder.log_in(password="wrong")
    assert "rec-1" in section(auditor.get(AUDIT).text, "log-ins")
    assert "不存在的用户名" not in auditor.get(AUDIT).text
    enter(console, 1, "officer-login-failed", actor="")
    assert "不存在的用户名" in section(auditor.get(AUDIT).text, "log-ins")
    clock.advance(days=1)
    assert "rec-1" not in section(auditor.ensure_logged_in().get(AUDIT).text, "log-ins")


def test_many_held_entries_of_one_recorder_hide_nobody_elses(
    recorder: Desk, auditor: Desk, desk: Desks, console: Services
) -> None:
    other = desk("recorder", username="rec-2", district="长春市")
    numbers = "\n".join(map(id_number, range(100, 151)))
    for turn, by in enumerate([other, *[recorder] * 7]):
        save(by, numbers, **{**ORDER, "reference": f"{turn}号"})
    page = auditor.get(AUDIT).text
    held = section(page, "held")
    assert (held.count("rec-1"), held.count("rec-2")) == (5, 1)
    assert "rec-1 有 7 条录入被暂停，涉及 357 人" in text_of(auditor.get(AUDIT)) and "rec-2 有" not in page


def test_who_looks_at_very_many_people_in_an_hour_is_seen(
    recorder: Desk, auditor: Desk, console: Services, clock: StandingClock
) -> None:
    with console.begin() as session:
        serials = ledger.create_codes(session, 101, clock.now())
        actor = actor_of(officers.find_by_username(session, "rec-1"))

        def look_at(some: list[int], reason: audit.AccessReason) -> None:
            audit.record_accesses(session, actor, "recorder", some, reason, audit.RecordPart.STATE, clock.now())

        for _ in range(2):
            look_at(serials[:100], audit.AccessReason.CASE_REVIEW)
        look_at(serials, audit.AccessReason.SIGNING)
    assert "rec-1" not in section(auditor.get(AUDIT).text, "accesses"), "each once, and not what an approver has to see"
    with console.begin() as session:
        look_at(serials[100:], audit.AccessReason.CASE_REVIEW)
    assert ">101<" in section(auditor.get(AUDIT).text, "accesses")


def test_an_auditor_of_a_district_sees_its_entries_and_officers(
    recorder: Desk, auditor: Desk, desk: Desks, citizen: Phone, console: Services
) -> None:
    near = desk("auditor", username="near-1", district="长春市")
    away = desk("auditor", username="away-1", district="吉林市")
    held = page_of(save(recorder, "\n".join(map(id_number, range(51))), **ORDER))
    urgent = page_of(save(recorder, citizen.document, **URGENT))
    for _ in range(5):
        recorder.log_in(password="wrong")
    enter(console, 5, "officer-login-failed", actor="")
    for one, sees in ((auditor, True), (near, True), (away, False)):
        page = one.get(AUDIT).text
        assert (f'href="{held}"' in page, f'href="{urgent}"' in page) == (sees, sees), one.username
        assert ("rec-1" in section(page, "log-ins")) is sees
        assert ("不存在的用户名" in page) is (one is auditor)
        assert (f"{BADGE}1</span>" in page) is sees
        assert ("rec-1" in one.get(ENTRIES).text) is sees
        assert one.get(f"{ENTRIES}?officer=rec-1").status_code == (200 if sees else 404)
    assert "注册账号" in section(auditor.get(ENTRIES).text, "found")
    assert "注册账号" not in section(near.get(ENTRIES).text, "found"), "no officer did that"


def test_a_list_that_two_sign_for_is_before_auditors_for_a_week_with_both_names(
    auditor: Desk, desk: Desks, console: Services, clock: StandingClock
) -> None:
    assert "暂无" in section(auditor.get(AUDIT).text, "lists")
    ids_ = [
        make_officer(console, name, role, district="长春市").id
        for name, role in (("rec-5", "recorder"), ("app-5", "approver"))
    ]
    sign(console, ids_[0], ids_[1])
    near, away = (desk("auditor", username=f"aud-{n}", district=where) for n, where in ((8, "长春市"), (9, "吉林市")))
    for one, sees in ((auditor, True), (near, True), (away, False)):
        lists = section(one.get(AUDIT).text, "lists")
        assert all((word in lists) is sees for word in (">rec-5</a> + <a", ">app-5</a>", "1,200", "1,100")), (
            one.username
        )
    clock.advance(days=7)
    assert "rec-5" not in section(auditor.ensure_logged_in().get(AUDIT).text, "lists")
