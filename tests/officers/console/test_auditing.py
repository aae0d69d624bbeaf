"""The auditors' pages: what needs them is seen at once, what was done is found, and each access is itself recorded."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

import app
from app import audit
from app.audit import Actor, AuditEvent, monitoring
from app.audit.monitoring import ROWS_VERIFIED
from app.audit.sealing import seal_all
from app.citizens.document_checks.checks import STOPPED
from app.codes import ledger
from app.codes.row_digests import monitoring as row_monitoring
from app.core.texts import LANGUAGES, slugs
from app.core.texts import text as words
from app.entries import workflow
from app.entries.content import CASE_ENDED
from app.entries.models import Case, Entry
from app.entries.transitions import TRANSITIONS
from app.follow_ups.transitions import FollowUpAct
from app.review.audit_search import AUDIT_ALIASES
from app.runtime import Services
from app.staff import officers
from app.staff.context import actor_of, begin_as
from app.staff.sessions import LOGIN_FAILED, LOGIN_STOPPED
from app.staff.stopped_logins import INSPECTOR_STOPPED
from tests.support.clock import StandingClock
from tests.support.codes import open_green_code
from tests.support.desk import Desk, make_officer, text_of
from tests.support.forms import ORDER, STATED, page_of, save
from tests.support.people import Phone, Station, as_pasted, id_number

Desks = Callable[..., Desk]
AUDIT, ENTRIES, CHAIN = "/console/audit", "/console/audit/events", "/console/audit/chain"
BADGE = '<span class="count">'
URGENT = {"kind": "confirmed", "urgent": "yes", **STATED}


@pytest.fixture
def auditor(desk: Desks) -> Desk:
    return desk("auditor", username="aud-1")


@pytest.fixture
def recorder(desk: Desks) -> Desk:
    return desk("recorder", username="rec-1", district="长春市")


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


def section(page: str, id_: str) -> str:
    """The section under one heading of a page."""
    found = re.search(rf'<section[^>]*aria-labelledby="{id_}".*?</section>', page, re.DOTALL)
    assert found, id_
    return found[0]


def enter(services: Services, number: int, action: str = "tried", actor: str = "7", serial: int | None = None) -> None:
    with services.begin() as session:
        for _ in range(number):
            audit.append(session, Actor("officer", actor), action, services.clock.now(), serial=serial)


# --- what needs an auditor


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


def sign(services: Services, one: int, other: int, lines: int = 1200, people: int = 1100) -> None:
    with services.begin() as session:
        who, now = Actor("officer", f"{one}+{other}"), services.clock.now()
        audit.append(session, who, "officer-list-signed", now, lines=lines, people=people)
        for action in ("evidence-recorded", "decided"):
            audit.append(session, who, action, now, serial=None)


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


# --- the entries


def ids(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"<tr>\s*<td[^>]*>(\d+)</td><td[^>]*><time>", page)]


def test_entries_come_newest_first_a_page_at_a_time_and_each_once(auditor: Desk, console: Services) -> None:
    enter(console, 120)
    with console.sessions() as session:
        every = list(session.scalars(select(AuditEvent.id).order_by(AuditEvent.id.desc())))
    seen, address = [], ENTRIES
    while address:
        page = auditor.get(address).text
        seen.append(ids(page))
        more = re.search(rf'href="({ENTRIES}\?before=\d+)"', page)
        address = more[1] if more else ""
    assert [len(some) for some in seen[:2]] == [50, 50]
    assert [one for some in seen for one in some] == every


def test_events_are_filtered_by_officer_action_and_day(
    auditor: Desk, recorder: Desk, citizen: Phone, clock: StandingClock, console: Services
) -> None:
    save(recorder, citizen.document, **ORDER)
    clock.advance_to("2020-03-21 00:00")
    enter(console, 1, "decided")
    clock.advance_to("2020-03-22 00:00")
    auditor.ensure_logged_in()

    def acts(query: str) -> list[str]:
        found = section(auditor.get(f"{ENTRIES}?{query}").text, "found")
        return re.findall(r"</td>\s*<td[^>]*>([^<]+)</td>\s*<td[^>]*>[\d—]+</td>", found)

    assert acts("officer=rec-1") == ["录入", "登录"]
    assert acts("officer=Rec-1&act=entry-recorded") == ["录入"]
    assert acts("act=officer-logged-in") == ["登录"] * 3
    assert acts("act=officer-logged-in&day=2020-03-20") == ["登录"] * 2
    assert acts("day=2020-03-21") == ["判定"]
    assert acts("act=decided&day=2020-03-21") == ["判定"]
    assert acts("day=2020-03-22") == ["登录"]
    assert acts("day=2020-03-19") == acts("day=2020-03-23") == []
    assert acts("day=0001-01-01") == acts("day=9999-12-31") == acts("day=0001-01-02") == acts("day=9999-12-30") == []


def test_what_two_have_signed_for_is_found_by_each_of_them_and_by_their_district(
    auditor: Desk, desk: Desks, console: Services
) -> None:
    ones = [
        make_officer(console, name, "recorder", district=where).id
        for name, where in (("rec-2", "长春市"), ("app-2", "长春市"), ("rec-3", "吉林市"), ("rec-4", None))
    ]
    sign(console, ones[0], ones[1])
    sign(console, ones[2], ones[3])
    near, away = (desk("auditor", username=f"aud-{n}", district=where) for n, where in ((8, "长春市"), (9, "吉林市")))
    for who in ("rec-2", "app-2"):
        for one, sees in ((auditor, True), (near, True), (away, False)):
            for act in ("", "&act=officer-list-signed", "&act=evidence-recorded", "&act=decided"):
                shown = one.get(f"{ENTRIES}?officer={who}{act}").text
                assert ("rec-2 + app-2" in shown) is sees, (who, one.username, act)
                assert "rec-3" not in shown
    assert "rec-2 + app-2" in near.get(ENTRIES).text and "rec-3" not in near.get(ENTRIES).text
    assert "rec-3 + rec-4" in away.get(ENTRIES).text and "rec-2" not in away.get(ENTRIES).text


def test_a_day_is_found_among_many(auditor: Desk, clock: StandingClock, console: Services) -> None:
    for _ in range(20):
        enter(console, 3)
        clock.advance(hours=11)
    auditor.ensure_logged_in()
    shown = ids(auditor.get(f"{ENTRIES}?day=2020-03-25").text)
    with console.sessions() as session:
        rows = session.execute(select(AuditEvent.id, AuditEvent.at).order_by(AuditEvent.id.desc())).all()
    beijing = timedelta(hours=8)
    assert shown == [row.id for row in rows if str((row.at + beijing).date()) == "2020-03-25"] != []


def test_entries_that_were_written_around_midnight_out_of_order_stand_in_their_own_days(
    auditor: Desk, clock: StandingClock, console: Services
) -> None:
    midnight = clock.now() + timedelta(hours=12)
    moments = [midnight - timedelta(hours=3)] * 9
    moments += [midnight + timedelta(minutes=away) for _ in range(9) for away in (20, -20)]  # a long transaction
    moments += [midnight + timedelta(hours=3)] * 9
    with console.begin() as session:
        for moment in moments:
            audit.append(session, Actor("clock"), "decided", moment)
            session.flush()
    clock.advance(days=1)
    auditor.ensure_logged_in()
    for day, number in (("2020-03-20", 18), ("2020-03-21", 18)):
        assert len(ids(auditor.get(f"{ENTRIES}?act=decided&day={day}").text)) == number


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("officer=nobody-1", 404, "没有这位工作人员"),
        ("officer=%00", 422, "不正确"),
        ("act=nonsense", 422, "不在可选范围内"),
        ("day=tomorrow", 422, "日期应为"),
        ("before=x", 422, "类型不正确"),
        ("before=" + "9" * 30, 422, "类型不正确"),
    ],
)
def test_what_is_asked_wrongly_is_told(auditor: Desk, query: str, status: int, told: str) -> None:
    answer = auditor.get(f"{ENTRIES}?{query}")
    assert (answer.status_code, told in text_of(answer)) == (status, True), text_of(answer)


def test_entries_of_everybody_are_in_words_in_both_languages(
    auditor: Desk, recorder: Desk, citizen: Phone, station: Station, console: Services
) -> None:
    save(recorder, citizen.document, **URGENT)
    with console.begin() as session:
        audit.append(session, Actor("officer", "示例录入者"), "no-longer-written", console.clock.now(), reason="old")
    zh, en = (text_of(auditor.get(f"{ENTRIES}?lang={language}")) for language in LANGUAGES)
    for word in ("录入员", "居民", "运维人员", "注册账号", "判定", "登记依据", "示例录入者 工作人员 no-longer-written"):
        assert word in zh, word
    for word in ("Recorder", "Citizen", "Operator", "Registered", "Decided", "Evidence recorded"):
        assert word in en, word


@pytest.mark.parametrize(("action", "older"), AUDIT_ALIASES.items())
def test_an_event_from_before_an_action_was_renamed_is_found_and_shown_as_one_of_now(
    auditor: Desk, console: Services, action: str, older: str
) -> None:
    with console.begin() as session:
        detail = {"proposal": 7, "people": 51, "alarm": "of-one-proposal"}
        audit.append(session, Actor("officer", "99"), older, console.clock.now(), **detail)
        audit.append(session, Actor("officer", "99"), action, console.clock.now(), entry=8)
    for act in (action, older):
        found = section(auditor.get(f"{ENTRIES}?act={act}").text, "found")
        assert found.count(f">{words('acts', action, 'zh')}</td>") >= 2
        assert words("alarms", "of-one-entry", "zh") in found
        for entry in (7, 8):
            assert f'href="/console/entries/{entry}"' in found


def test_failed_log_ins_from_before_the_action_was_renamed_count_too(
    recorder: Desk, auditor: Desk, console: Services
) -> None:
    with console.sessions() as session:
        actor = actor_of(officers.find_by_username(session, "rec-1"))
    for action, number in (("officer-refused", 3), ("officer-login-failed", 2)):
        assert "rec-1" not in section(auditor.get(AUDIT).text, "log-ins")
        with console.begin() as session:
            for _ in range(number):
                audit.append(session, actor, action, console.clock.now())
    assert "rec-1" in section(auditor.get(AUDIT).text, "log-ins")


def named_acts() -> Iterator[str]:
    """Every action that the code gives to the audit in so many words, by itself or by the name of what was done."""
    places = {
        "append": {2: ""},
        "append_many": {2: ""},
        "append_audit": {0: ""},  # of an OfficerContext
        "record_act": {0: ""},  # of a Clerk
        "appeals/viewing.py:append_audit": {1: "appeal-"},
        "cli/wechat/captures.py:_audit": {2: ""},
    }
    for path in Path(app.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            module = path.relative_to(Path(app.__file__).parent)
            known = places.get(name, {}) | places.get(f"{module}:{name}", {})
            for place, prefix in known.items():
                for argument in ast.walk(node.args[place]) if len(node.args) > place else ():
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value:
                        yield prefix + argument.value


def test_every_reason_for_an_access_has_its_words() -> None:
    assert set(slugs("access-reasons")) == set(audit.AccessReason)


def test_every_action_that_the_code_audits_has_its_words_and_none_is_left_over() -> None:
    entered = set(named_acts()) - {"entry-", "appeal-", "follow-up-"}
    entered |= {f"follow-up-{act}" for act in FollowUpAct}
    assert {"appeal-read", "appeal-filed", "officer-added", "capture-shown", "decided"} <= entered
    entered |= {"entry-recorded"} | {f"entry-{row.audit}" for row in TRANSITIONS.values()}
    ends = {"appeal-upheld", "appeal-mended"}  # the states in which appeals end
    entered.add("generation-began")  # by the database itself, see migration 0015
    entered |= {
        CASE_ENDED,
        STOPPED,
        LOGIN_FAILED,
        LOGIN_STOPPED,
        INSPECTOR_STOPPED,
        ROWS_VERIFIED,
        "login-failed",
        "inspector-login-failed",
        "registration-mismatched",
    }  # by name; log-ins and registrations are summed, see app/audit/failed_logins.py
    assert entered | ends == set(slugs("acts"))


# --- one person


def look(desk: Desk, number: str, reason: str = "oversight", kind: str = "id-card", **more: str) -> TestResponse:
    return desk.send("/console/audit/person", {"document_type": kind, "number": number, "reason": reason, **more})


def reads(console: Services) -> list[tuple[str, str | None, int | None, str | None, object]]:
    with console.sessions() as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.action.in_(["record-read", "record-sought"])).order_by(AuditEvent.id)
        )
        return [(row.action, row.role, row.serial, row.reason, row.detail.get("what")) for row in rows]


def test_the_events_about_a_person_are_shown_and_the_access_is_one_of_them(
    auditor: Desk, citizen: Phone, console: Services
) -> None:
    answer = look(auditor, as_pasted(citizen.document))
    found = section(answer.text, "found")
    for word in ("吉祥码编号 1 的记录", "注册账号", "查阅个人记录", "监督检查", "aud-1"):
        assert word in found, word
    assert citizen.document not in answer.text
    assert reads(console) == [("record-read", "auditor", 1, "oversight", "access")]
    seen = citizen.get("/api/v1/record/access").json["entries"][0]  # type: ignore[index]
    assert (seen["what"]["action"], seen["who"]["role"]) == ("record-read", "auditor")


def test_without_a_search_events_name_nobody_and_say_no_color(
    auditor: Desk, citizen: Phone, phone: Callable[..., Phone]
) -> None:
    phone("示例乙").become_green()
    for path in (ENTRIES, f"{ENTRIES}?act=decided", f"{ENTRIES}?act=evidence-recorded"):
        found = section(auditor.get(path).text, "found")
        about = re.findall(r'<td data-label="涉及人员">(.*?)</td>', found)
        assert set(about) - {"—"} == {"人员 1", "人员 2"}, path
        assert "GREEN" not in found and not re.search("[0-9a-f]{8}-", found), path
    assert "GREEN" in section(look(auditor, citizen.document).text, "found")


def test_a_person_is_found_by_the_serial_of_an_entry_too(auditor: Desk, citizen: Phone, console: Services) -> None:
    assert "注册账号" in look(auditor, "1", kind="serial").text
    assert [read[:3] for read in reads(console)] == [("record-read", "auditor", 1)]
    for number in ("one", "-1", "9" * 19, "１"):
        assert look(auditor, number, kind="serial").status_code == 422
    assert look(auditor, "999", kind="serial").status_code == 404


def test_a_question_about_nobody_is_entered_and_a_wrong_one_is_told_without_the_number(
    auditor: Desk, citizen: Phone, console: Services
) -> None:
    nobody = look(auditor, id_number(999))
    assert (nobody.status_code, "没有这个吉祥码" in text_of(nobody)) == (404, True)
    assert reads(console) == [("record-sought", "auditor", None, "oversight", "access")]
    for number, kind, reason in (
        ("220000200001010000", "id-card", "oversight"),
        (citizen.document, "id-card", "curiosity"),
        (id_number(999), "id-card", "curiosity"),
        (citizen.document, "library-card", "oversight"),
    ):
        answer = look(auditor, number, reason, kind)
        assert (answer.status_code, number in answer.text) == (422, False)
    assert len(reads(console)) == 1


def test_each_page_about_a_person_is_an_access(auditor: Desk, citizen: Phone, console: Services) -> None:
    enter(console, 60, serial=1)
    first = look(auditor, citizen.document, "appeal").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', first[first.rindex("<form") :]))
    assert (hidden["document_type"], hidden["number"], hidden["reason"]) == ("serial", "1", "appeal")
    second = auditor.send("/console/audit/person", {name: hidden[name] for name in hidden if name != "form"}).text
    assert len(ids(first)) == 50
    assert ids(second)[0] < ids(first)[-1]
    assert [read[3] for read in reads(console)] == ["appeal", "appeal"]


def test_an_auditor_of_a_district_sees_of_a_person_what_its_officers_did(
    recorder: Desk, desk: Desks, citizen: Phone
) -> None:
    save(recorder, citizen.document, **URGENT)
    near, away = (desk("auditor", username=f"aud-{n}", district=where) for n, where in ((8, "长春市"), (9, "吉林市")))
    assert "登记依据" in section(look(near, citizen.document).text, "found")
    seen = section(look(away, citizen.document).text, "found")
    assert "登记依据" not in seen and "注册账号" not in seen and "查阅个人记录" in seen


# --- the chain


def test_the_chain_is_told_with_what_waits_its_heads_and_how_to_check_it(
    auditor: Desk, console: Services, clock: StandingClock
) -> None:
    enter(console, 3)
    sealed = seal_all(console)
    enter(console, 2)
    clock.advance(minutes=3)
    page = text_of(auditor.get(CHAIN))
    assert f"已封存记录 {sealed}" in page and "等待封存 2" in page and "已等待 3 分钟" in page
    assert "尚未核验" in page and "jixiang audit verify" in page and "还没有签名的链尾" in page
    clock.advance(days=1)
    seal_all(console)
    made = monitoring.verify_next(console)
    page = text_of(auditor.ensure_logged_in().get(CHAIN))
    with console.sessions() as session:
        kid, hash_ = session.execute(text("select kid, encode(hash, 'hex') from audit_checkpoints")).one()
    assert f"2020-03-20 {made.last} {hash_} {kid} 有效" in page
    assert "全部相符" in page and "已到链尾" in page
    entered = section(auditor.get(f"{ENTRIES}?act=chain-verified").text, "found")
    assert f"first 1 · last {made.last} · number 0" in entered


def test_a_chain_that_does_not_fit_is_red_on_the_first_page_of_auditors(
    auditor: Desk, recorder: Desk, console: Services
) -> None:
    enter(console, 3)
    seal_all(console)
    with console.engine.begin() as connection:  # as the owner of the table can
        connection.execute(text("alter table audit disable trigger user"))
        connection.execute(text("update audit set reason = 'outbreak' where place = 2"))
        connection.execute(text("alter table audit enable trigger user"))
    assert "核验不符" not in text_of(auditor.get("/console/"))
    assert monitoring.verify_next(console).number == 1
    for page in ("/console/", AUDIT, CHAIN):
        shown = auditor.get(page).text
        assert re.search(r'class="problem"[^>]*>(<a[^>]*>)?审计链核验不符', shown), page
    wrong = section(auditor.get(CHAIN).text, "wrong")
    assert "记录被改动" in wrong and ">2<" in wrong
    assert "核验不符" not in text_of(recorder.get("/console/"))


def test_a_code_that_somebody_changed_is_red_on_the_first_page_of_auditors(
    auditor: Desk, recorder: Desk, console: Services
) -> None:
    serial = open_green_code(console)
    assert row_monitoring.verify_next(console).number == 0
    page = text_of(auditor.get(CHAIN))
    assert "吉祥码编号 1 起，直至最后一个" in page and "已到链尾" not in page
    assert "未覆盖（没有行摘要） 0" in page
    with console.engine.begin() as connection:
        connection.execute(text("update codes set confirmed_at = opened_at where serial = :serial"), {"serial": serial})
    assert row_monitoring.verify_next(console).number == 1
    for page in ("/console/", AUDIT, CHAIN):
        assert "依据、判定或吉祥码与审计记录不符" in text_of(auditor.get(page)), page
    assert f"数据被改动 codes {serial}" in text_of(auditor.get(CHAIN))
    assert "与审计记录不符" not in text_of(recorder.get("/console/"))


def test_a_head_of_a_foreign_key_is_told(auditor: Desk, console: Services, clock: StandingClock) -> None:
    with console.begin() as session:
        session.execute(
            text("insert into audit_checkpoints values (:day, 1, :hash, 'foreign', :hash, :signature)"),
            {"day": clock.now().date(), "hash": bytes(32), "signature": bytes(64)},
        )
    assert "签名密钥不是本系统的" in text_of(auditor.get(CHAIN))
    assert monitoring.verify_next(console).found[0]["kind"] == "unknown-key"
