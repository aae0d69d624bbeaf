"""What was done is found by officer, act and day, in words."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import app
from app import audit
from app.audit import Actor, AuditEvent
from app.audit.monitoring import ROWS_VERIFIED
from app.citizens.document_checks.checks import STOPPED
from app.core.texts import LANGUAGES, slugs
from app.core.texts import text as words
from app.entries.content import CASE_ENDED
from app.entries.transitions import TRANSITIONS
from app.follow_ups.transitions import FollowUpAct
from app.review.audit_search import AUDIT_ALIASES
from app.runtime import Services
from app.staff import officers
from app.staff.context import actor_of
from app.staff.sessions import LOGIN_FAILED, LOGIN_STOPPED
from app.staff.stopped_logins import INSPECTOR_STOPPED
from tests.support.auditing import AUDIT, ENTRIES, URGENT, Desks, enter, ids, section, sign
from tests.support.clock import StandingClock
from tests.support.desk import Desk, make_officer, text_of
from tests.support.forms import ORDER, save
from tests.support.people import Phone, Station


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
        "ending/deciding.py:_append": {2: ""},
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
