"""Appeals at the console, as an appeals officer clicks through them; the citizens are phones, as everywhere."""

import base64
import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.appeals.models import Appeal, Attachment
from app.audit import CLOCK, Actor, AuditEvent
from app.codes import ledger
from app.codes.models import EvidenceRow
from app.core.texts import slugs, text
from app.entries.models import Case
from app.privacy import erasure
from app.runtime import Services
from app.wechat.models import WeChatUser
from app.worker.due import escalate
from tests.support.clock import StandingClock
from tests.support.desk import OWN_PAGE, Desk, text_of
from tests.support.forms import ORDER, STATED, page_of, save
from tests.support.people import Phone

Desks = Callable[..., Desk]
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
PDF = b"%PDF-1.4\n<html><script>alert(1)</script><svg onload=alert(2)>\n%%EOF"
HERE = "长春市"


@pytest.fixture
def citizen(green_citizen: Phone) -> Phone:
    return green_citizen


@pytest.fixture
def recorder(desk: Desks) -> Desk:
    return desk("recorder", username="rec-1", district=HERE)


@pytest.fixture
def approver(desk: Desks, recorder: Desk) -> Desk:
    return desk("approver", "appeals", username="app-1", district=HERE)


@pytest.fixture
def officer(desk: Desks) -> Desk:
    """Who settles appeals, and had no hand in any evidence."""
    return desk("appeals", username="hear-1", district=HERE)


@pytest.fixture
def ordered(citizen: Phone, recorder: Desk, approver: Desk) -> Phone:
    """The citizen, orange by an order of quarantine that two officers of the district have recorded."""
    approve(recorder, approver, citizen.document, **ORDER)
    assert citizen.color() == "ORANGE"
    return citizen


def approve(recorder: Desk, approver: Desk, document: str, **filled: Any) -> None:
    assert approver.sign(f"{page_of(save(recorder, document, **filled))}/approve").status_code == 303


def appeal(person: Phone, said: str = "我没有被隔离过。", *attached: bytes, page: int | None = None) -> str:
    """File an appeal; the address of its page, by its number at the console: that of the citizen is their own."""
    sent = {"text": said, "attachments": [base64.b64encode(one).decode() for one in attached]}
    answer = person.post("/api/v1/appeals", sent)
    assert answer.status_code == 201, answer.json
    return f"/console/appeals/{answer.json['id'] if page is None else page}"


def withdrawal(console: Services, kind: str = "quarantine", reason: str = "wrong-person") -> str:
    """What the form says to withdraw the one piece of evidence of a kind."""
    with console.sessions() as session:
        return f"{session.scalars(select(EvidenceRow.id).filter_by(kind=kind)).one()}:{reason}"


def answer_to(person: Phone) -> list[str]:
    told: list[str] = person.get("/api/v1/appeals").json["appeals"][0]["answer"]  # type: ignore[index]
    return told


# --- lists


def test_what_waits_is_listed_with_the_time_left_the_most_urgent_first(
    officer: Desk,
    recorder: Desk,
    approver: Desk,
    green_citizens: list[Phone],
    clock: StandingClock,
    console: Services,
) -> None:
    pages = []
    for person, later in zip(green_citizens, (0, 1, 22.5), strict=True):
        clock.advance(hours=later)
        for one in (officer, recorder, approver):
            one.ensure_logged_in()
        approve(recorder, approver, person.document, **ORDER)
        pages.append(appeal(person, page=len(pages) + 1))
    clock.advance(minutes=30)
    escalate(console)
    officer.ensure_logged_in()
    listed = officer.get("/console/appeals")
    assert re.findall(r'href="(/console/appeals/\d+)"', listed.text) == pages
    read = text_of(listed)
    for words in ("逾期，全省可办", "剩余 1 小时", "剩余 23 小时", HERE):
        assert words in read, words
    assert read.count("逾期，全省可办") == 1
    clock.advance(minutes=5)
    assert "已逾期 5 分钟" in text_of(officer.get("/console/appeals"))
    english = text_of(officer.get("/console/appeals?lang=en"))
    assert "5 min late" in english and "55 min left" in english and "23 h left" in english


def test_long_lists_come_in_pages_and_resolved_appeals_stay_for_days(
    officer: Desk, ordered: Phone, console: Services, clock: StandingClock
) -> None:
    page = appeal(ordered)
    with console.begin() as session:
        first = session.scalars(select(Appeal)).one()
        copy = {column.name: getattr(first, column.name) for column in Appeal.__table__.columns if column.name != "id"}
        for minute in range(52):
            settled = {
                "state": "upheld",
                "outcome": "period-runs",
                "resolved_at": clock.now() - timedelta(minutes=minute),
            }
            session.add(Appeal(**{**copy, **settled}))
    assert re.findall(r'href="(/console/appeals/\d+)"', officer.get("/console/appeals").text) == [page]
    listed = [officer.get(f"/console/appeals/resolved{query}").text for query in ("", "?page=2", "?page=3", "?page=-1")]
    numbers = [re.findall(r'href="/console/appeals/(\d+)"', one) for one in listed]
    assert [len(one) for one in numbers] == [50, 2, 0, 50]
    assert numbers[0] + numbers[1] == [str(n) for n in range(2, 54)], "the newest first, each once"
    assert "page=2" in listed[0] and "page=1" in listed[1] and "page=3" not in listed[1]
    assert officer.get("/console/appeals/resolved?page=99999999999999999999").status_code == 200
    clock.advance(days=7)
    officer.ensure_logged_in()
    assert "暂无纠错申请" in text_of(officer.get("/console/appeals/resolved"))


# --- one appeal


def test_the_record_is_told_in_words_and_nothing_else_is(
    officer: Desk, recorder: Desk, approver: Desk, green_citizens: list[Phone], console: Services, clock: StandingClock
) -> None:
    infected, person, _ = green_citizens
    approve(recorder, approver, infected.document, kind="confirmed", **STATED)
    with console.sessions() as session:
        number = session.scalars(select(Case.number)).one()
    met = {"kind": "contact", "exposed_on": "2020-03-19", "place": "示例商场", "case": number, **STATED}
    approve(recorder, approver, person.document, **met)
    page = appeal(person, "我没有去过示例商场。")
    clock.advance(minutes=1)
    approve(
        recorder,
        approver,
        person.document,
        **ORDER,
    )
    read = text_of(officer.get(page))
    for words in (
        "剩余 23 小时", "我没有去过示例商场。", "橙码", "确诊或疑似病例密接者", "2020-03-19", "示例商场", number,
        STATED["authority"], STATED["reference"], "此后的判定", "此后新增的依据", "示例酒店", "2020-03-20 – 2020-04-03",
        "到期 2020-04-02 24:00",
    ):  # fmt: skip
        assert words in read, words
    assert person.name not in read and person.document not in read and person.document[-4:] not in read
    english = text_of(officer.get(f"{page}?lang=en"))
    for words in (
        "23 h left", "Close contact", "Symptoms declared None", "Days of quarantine 2020-03-20 – 2020-04-03",
        "Authority The citizen's own declaration", "Authority National government service platform",
    ):  # fmt: skip
        assert words in english, words
    assert "declaration 2020-03" not in read and "本人申报" not in english, "what has no document has no reference"


def test_what_a_citizen_writes_is_shown_as_text(officer: Desk, ordered: Phone) -> None:
    page = officer.get(appeal(ordered, SCRIPT)).text
    assert "<script" not in page and "<img" not in page
    assert SCRIPT in html.unescape(page)


def test_each_access_is_in_the_audit_and_the_citizen_reads_it(officer: Desk, ordered: Phone, console: Services) -> None:
    page = appeal(ordered, "我没有被隔离过。", PDF)
    officer.get(page)
    officer.get("/console/appeals/attachments/1")
    with console.sessions() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action.like("appeal-%")).order_by(AuditEvent.id))
        assert [(row.action, row.role) for row in rows] == [
            ("appeal-filed", "citizen"), ("appeal-read", "appeals"), ("appeal-attachment-read", "appeals"),
        ]  # fmt: skip
    looks = ordered.get("/api/v1/record/access").json["entries"][:2]  # type: ignore[index]
    assert [(one["who"]["words"], one["what"]["words"]) for one in looks] == [
        ("工作人员（受理纠错）", "查阅您纠错申请的附件"),
        ("工作人员（受理纠错）", "查阅您的纠错申请及所涉依据"),
    ]


def test_an_appeal_whose_citizen_is_gone_has_neither_words_nor_answers(
    officer: Desk, ordered: Phone, console: Services
) -> None:
    page = appeal(ordered, "我没有被隔离过。", PDF)
    with console.begin() as session:
        user = session.scalars(select(WeChatUser).where(WeChatUser.serial.is_not(None))).one()
        erasure.erase(session, user, actor=Actor("citizen", str(user.serial)), now=console.clock.now())
    shown = officer.get(page)
    assert "账号已注销" in text_of(shown) and "陈述和附件已按期删除" in text_of(shown)
    assert (
        "我没有被隔离过" not in shown.text and "/attachments/" not in shown.text and 'name="reason"' not in shown.text
    )
    assert officer.get("/console/appeals/attachments/1").status_code == 404
    for listed in ("/console/appeals", "/console/appeals/resolved"):
        assert page not in officer.get(listed).text


# --- attachments


@pytest.mark.parametrize(
    "content", [PDF, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<script>x</script>"]
)
def test_an_attachment_is_saved_and_never_drawn_whatever_is_in_it(
    officer: Desk, ordered: Phone, console: Services, content: bytes
) -> None:
    page = appeal(ordered, "我没有被隔离过。", PDF)
    with console.begin() as session:  # as if something had got through
        sealed = console.encryption.encrypt_bytes("attachments.content", content)
        session.execute(update(Attachment).values(content_ciphertext=sealed))
    assert "/console/appeals/attachments/1" in officer.get(page).text
    answer = officer.get("/console/appeals/attachments/1")
    assert (answer.status_code, answer.data) == (200, content)
    assert answer.headers["Content-Disposition"] == "attachment; filename=attachment-1.pdf"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not {"ETag", "Last-Modified"} & set(answer.headers.keys())


# --- upholding


def test_an_appeal_is_upheld_with_grounds_that_the_citizen_reads(officer: Desk, ordered: Phone) -> None:
    page = appeal(ordered)
    shown = text_of(officer.get(page))
    for grounds in slugs("appeal-outcomes")[:4]:
        assert text("appeal-outcomes", grounds, "zh") in shown
    answer = officer.sign(f"{page}/uphold", {"reason": "period-runs"})
    assert answer.location == f"{page}?done=appeal-upheld"
    assert ordered.color() == "ORANGE"
    read = text_of(officer.get(page))
    assert len(answer_to(ordered)) == 3
    for sentence in answer_to(ordered):
        assert sentence in read
    assert "<form" not in officer.get(page).text.split('id="content"')[1]
    assert page in officer.get("/console/appeals/resolved").text and page not in officer.get("/console/appeals").text


@pytest.mark.parametrize("act", ["uphold", "overturn"])
def test_nobody_answers_an_appeal_that_they_have_not_opened(
    officer: Desk, ordered: Phone, console: Services, act: str
) -> None:
    page, corrected = appeal(ordered), {"withdraw": [withdrawal(console)], "previewed": "GREEN"}
    answer = officer.send(f"{page}/{act}", {"reason": "period-runs"} if act == "uphold" else corrected)
    assert (answer.status_code, "请先打开此件" in text_of(answer)) == (409, True)
    assert (ordered.color(), answer_to(ordered)) == ("ORANGE", [])


@pytest.mark.parametrize("filled", [{}, {"reason": "because"}, {"reason": "evidence-withdrawn"}, {"color": "GREEN"}])
def test_other_reasons_than_the_offered_ones_are_refused(officer: Desk, ordered: Phone, filled: dict[str, str]) -> None:
    page = appeal(ordered)
    answer = officer.sign(f"{page}/uphold", filled)
    assert answer.status_code == 422
    assert 'name="reason"' in answer.text and answer_to(ordered) == []


# --- mending


def test_a_decision_is_overturned_after_a_preview_of_the_color(
    officer: Desk, ordered: Phone, console: Services
) -> None:
    page = appeal(ordered)
    filled = {"withdraw": ["", withdrawal(console)], "entry": ""}
    look = officer.sign(f"{page}/overturn", filled)
    assert look.status_code == 200
    assert "当前颜色 橙码 更正后 绿码 数据核验通过" in text_of(look)
    assert ordered.color() == "ORANGE" and answer_to(ordered) == []
    looked = re.search(r'name="previewed" value="(\w+)"', look.text)
    assert looked and looked[1] == "GREEN"
    answer = officer.sign(f"{page}/overturn", {**filled, "previewed": looked[1]})
    assert answer.location == f"{page}?done=appeal-overturned"
    assert ordered.color() == "GREEN"
    read = text_of(officer.get(answer.location))
    for sentence in answer_to(ordered):
        assert sentence in read
    assert "人员有误" in read, "the evidence stands there as withdrawn, in the words of officers"


def test_what_would_be_is_what_is_also_where_other_evidence_holds_the_color(
    officer: Desk, recorder: Desk, approver: Desk, ordered: Phone, console: Services
) -> None:
    first = withdrawal(console)
    approve(recorder, approver, ordered.document, **{**ORDER, "reference": "示例隔离令二"})
    page = appeal(ordered)
    look = officer.sign(f"{page}/overturn", {"withdraw": [first]})
    assert "颜色不变" in text_of(look) and "更正后 橙码" in text_of(look)
    officer.sign(f"{page}/overturn", {"withdraw": [first], "previewed": "ORANGE"})
    assert ordered.color() == "ORANGE" and len(answer_to(ordered)) == 3


def test_withdrawing_a_diagnosis_warns_about_its_case_and_the_color_is_as_previewed(
    officer: Desk, recorder: Desk, approver: Desk, citizen: Phone, console: Services
) -> None:
    approve(recorder, approver, citizen.document, kind="suspected", **STATED)
    page = appeal(citizen)
    assert "疑似病例" in text_of(officer.get(page))
    fall = {"withdraw": [withdrawal(console, "diagnosis")]}
    look = officer.sign(f"{page}/overturn", fall)
    assert "病例随之结束：其密接（含待审批的）0 人" in text_of(look) and "当前颜色 红码 更正后 绿码" in text_of(look)
    assert officer.sign(f"{page}/overturn", {**fall, "previewed": "GREEN"}).status_code == 303
    assert citizen.color() == "GREEN"
    with console.sessions() as session:
        assert session.scalars(select(Case.ended_at)).one() is not None


def test_what_others_withdrew_meanwhile_is_shown_and_overturns_alone(
    officer: Desk, ordered: Phone, console: Services
) -> None:
    page, fall = appeal(ordered), withdrawal(console)
    with console.begin() as session:
        reasons = {fall.partition(":")[0]: "entered-in-error"}
        serial = session.scalars(select(Appeal.serial)).one()
        ledger.withdraw_some(ledger.ChangeContext(session, console.policy, CLOCK, console.clock.now()), serial, reasons)
    assert "撤销：录入有误" in text_of(officer.get(page))
    late = officer.sign(f"{page}/overturn", {"withdraw": [fall], "previewed": "GREEN"})
    assert (late.status_code, text("problems", "evidence-not-found", "zh") in text_of(late)) == (404, True)
    assert officer.sign(f"{page}/overturn", {"withdraw": [""], "previewed": "GREEN"}).status_code == 303
    assert "录入有误" in answer_to(ordered)[1]


def test_another_outcome_than_the_previewed_one_is_previewed_again(
    officer: Desk, recorder: Desk, approver: Desk, ordered: Phone, console: Services
) -> None:
    page, fall = appeal(ordered), [withdrawal(console)]
    approve(recorder, approver, ordered.document, **{**ORDER, "reference": "示例隔离令二"})
    again = officer.sign(f"{page}/overturn", {"withdraw": fall, "previewed": "GREEN"})
    assert again.status_code == 200 and "情况有变" in text_of(again)
    assert ordered.color() == "ORANGE" and answer_to(ordered) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filled", "mistake"),
    [
        ({}, "required"),
        ({"withdraw": [""]}, "required"),
        ({"withdraw": ["GREEN"]}, "not-a-choice"),
        ({"withdraw": ["no id at all:wrong-person"]}, "not-a-choice"),
        ({"withdraw": [""], "entry": "99999999999999999999"}, "no-such-entry"),
        ({"withdraw": [""], "entry": "²"}, "no-such-entry"),
        ({"withdraw": [""], "entry": "1"}, "no-such-entry"),
        ({"withdraw": [""], "color": "GREEN"}, "unknown"),
    ],
)
def test_a_form_that_corrects_nothing_comes_back_and_changes_nothing(
    officer: Desk, ordered: Phone, filled: dict[str, Any], mistake: str
) -> None:
    page = appeal(ordered)
    answer = officer.sign(f"{page}/overturn", {**filled, "previewed": "ORANGE"})
    assert answer.status_code == 422
    assert text("fields", mistake, "zh") in text_of(answer)
    assert 'name="withdraw"' in answer.text
    assert ordered.color() == "ORANGE" and answer_to(ordered) == []


def test_a_reason_that_is_none_withdraws_nothing(officer: Desk, ordered: Phone, console: Services) -> None:
    page = appeal(ordered)
    answer = officer.sign(
        f"{page}/overturn", {"withdraw": [withdrawal(console, reason="because")], "previewed": "GREEN"}
    )
    assert answer.status_code == 422 and ordered.color() == "ORANGE"


def test_what_is_missing_is_recorded_at_the_entries_and_then_chosen(
    desk: Desks, officer: Desk, ordered: Phone, console: Services, clock: StandingClock
) -> None:
    page = appeal(ordered)
    assert "/console/entries/new" not in officer.get(page).text, "who does not record has no link there"
    both = desk("recorder", "appeals", username="both-1", district=HERE)
    link = re.search(r'href="(/console/entries/new\?[^"]+)"', both.get(page).text)
    assert link
    form = both.get(link[1].replace("&amp;", "&"))
    assert 'name="kind" value="release"' in form.text
    for known in STATED.values():
        assert f'value="{known}"' in form.text
    assert ordered.document not in form.text
    clock.advance(minutes=1)
    entry = page_of(save(both, ordered.document, kind="release", **STATED)).rpartition("/")[2]
    assert f'<option value="{entry}">' in officer.get(page).text
    look = officer.sign(f"{page}/overturn", {"withdraw": [""], "entry": entry})
    looked = re.search(r'name="previewed" value="(\w+)"', look.text)
    assert looked and ordered.color() == looked[1]
    assert (
        officer.sign(f"{page}/overturn", {"withdraw": [""], "entry": entry, "previewed": looked[1]}).status_code == 303
    )
    assert "新依据：解除" in " ".join(answer_to(ordered))


def test_an_entry_is_not_begun_from_an_appeal_that_one_may_not_see(
    desk: Desks, recorder: Desk, ordered: Phone, console: Services
) -> None:
    appeal(ordered)
    away = desk("recorder", "appeals", username="away-1", district="吉林市")
    evidence = withdrawal(console).partition(":")[0]
    path = f"/console/entries/new?appeal=1&evidence={evidence}"
    assert (away.get(path).status_code, recorder.get(path).status_code) == (404, 403)


# --- refusals


def test_who_recorded_the_evidence_is_told_so_and_cannot_resolve(
    approver: Desk, ordered: Phone, console: Services
) -> None:
    page = appeal(ordered)
    told = text("problems", "own-record", "zh")
    shown = approver.get(page)
    assert told in text_of(shown) and 'name="reason"' not in shown.text
    for act, filled in (
        ("uphold", {"reason": "period-runs"}),
        ("overturn", {"withdraw": [withdrawal(console)], "previewed": "GREEN"}),
    ):
        answer = approver.send(f"{page}/{act}", filled)
        assert (answer.status_code, told in text_of(answer)) == (403, True)
    assert ordered.color() == "ORANGE" and answer_to(ordered) == []


def test_another_district_finds_no_such_appeal_until_it_is_late(
    desk: Desks, ordered: Phone, console: Services, clock: StandingClock
) -> None:
    page = appeal(ordered, "我没有被隔离过。", PDF)
    away = desk("appeals", username="away-1", district="吉林市")
    paths = (page, "/console/appeals/attachments/1", "/console/appeals/999999", f"/console/appeals/{10**30}")
    assert [away.get(path).status_code for path in paths] == [404] * 4
    assert [
        away.sign(f"{page}/uphold", {"reason": "period-runs"}).status_code,
        away.sign(f"{page}/overturn", {"withdraw": [withdrawal(console)], "previewed": "GREEN"}).status_code,
    ] == [404, 404]
    assert page not in away.get("/console/appeals").text
    clock.advance(hours=24)
    escalate(console)
    away.ensure_logged_in()
    assert page in away.get("/console/appeals").text
    assert away.sign(f"{page}/uphold", {"reason": "period-runs"}).status_code == 303
    assert page in away.get("/console/appeals/resolved").text


def test_a_second_click_and_a_second_officer_see_the_answer_that_was_given(
    desk: Desks, officer: Desk, ordered: Phone, console: Services
) -> None:
    page = appeal(ordered)
    officer.sign(f"{page}/uphold", {"reason": "period-runs"})
    colleague = desk("appeals", username="hear-2", district=HERE)
    overturn = {"withdraw": [withdrawal(console)], "previewed": "GREEN"}
    for desk_, act, filled in ((officer, "uphold", {"reason": "period-runs"}), (colleague, "overturn", overturn)):
        answer = desk_.send(f"{page}/{act}", filled)
        assert answer.status_code == 409
        assert text("problems", "appeal-resolved", "zh") in text_of(answer)
        assert answer_to(ordered)[0] in text_of(answer)
    assert ordered.color() == "ORANGE"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, OWN_PAGE])
def test_a_form_of_somebody_else_resolves_nothing(
    officer: Desk, ordered: Phone, console: Services, headers: dict[str, str]
) -> None:
    page = appeal(ordered)
    token = officer.form_token() if headers != OWN_PAGE else "x" * 43
    for act, filled in (
        ("uphold", {"reason": "period-runs"}),
        ("overturn", {"withdraw": [withdrawal(console)], "previewed": "GREEN"}),
    ):
        assert officer.send(f"{page}/{act}", filled, token=token, headers=headers).status_code == 403
    assert ordered.color() == "ORANGE" and answer_to(ordered) == []


def test_no_other_role_sees_the_menu_or_the_pages(desk: Desks, ordered: Phone) -> None:
    page = appeal(ordered)
    for username, roles in (("other-1", ("recorder", "approver", "auditor")), ("admin-1", ("administrator",))):
        other = desk(*roles, username=username)
        assert "/console/appeals" not in other.get("/console/").text
        for path in ("/console/appeals", "/console/appeals/resolved", page, "/console/appeals/attachments/1"):
            assert other.get(path).status_code == 403
    assert "/console/appeals" in desk("appeals", username="hear-9").get("/console/").text


def test_the_menu_of_every_page_counts_the_appeals_that_the_officer_may_look_at(desk: Desks, ordered: Phone) -> None:
    here, away, both = (
        desk(*roles, username=username, district=district)
        for username, roles, district in (
            ("here-1", ["appeals"], HERE),
            ("away-1", ["appeals"], "吉林市"),
            ("both-1", ["appeals", "auditor"], HERE),
        )
    )
    badge = '<span class="count">1</span>'
    assert badge not in here.get("/console/account").text
    appeal(ordered)
    for one, sees in ((here, True), (away, False), (both, True)):
        assert (badge in one.get("/console/account").text) is sees, one.username
    assert badge not in desk("recorder", username="rec-9", district=HERE).get("/console/account").text


# --- two persons: what answers an appeal is by another officer too


def overturn_with(desk: Desk, page: str, entry: str) -> int:
    """Overturn an appeal with an entry; the status of the answer."""
    filled = {"withdraw": [""], "entry": entry}
    look = desk.sign(f"{page}/overturn", filled)
    looked = re.search(r'name="previewed" value="(\w+)"', look.text)
    return desk.sign(f"{page}/overturn", {**filled, "previewed": looked[1]}).status_code if looked else look.status_code


def test_who_recorded_a_release_does_not_overturn_the_decision_with_it(
    desk: Desks, officer: Desk, ordered: Phone, clock: StandingClock
) -> None:
    page = appeal(ordered)
    both = desk("recorder", "appeals", username="both-1", district=HERE)
    clock.advance(minutes=1)
    entry = page_of(save(both, ordered.document, kind="release", **STATED)).rpartition("/")[2]
    assert overturn_with(both, page, entry) == 403
    assert both.sign(f"{page}/uphold", {"reason": "period-runs"}).status_code == 403
    assert text("problems", "own-record", "zh") in text_of(both.get(page))
    assert answer_to(ordered) == []
    assert overturn_with(officer, page, entry) == 303


def test_who_ruled_out_the_case_does_not_overturn_what_ended_with_it(
    desk: Desks, officer: Desk, recorder: Desk, approver: Desk, green_citizens: list[Phone], console: Services,
    clock: StandingClock,
) -> None:  # fmt: skip
    """One officer rules out at once, and the contacts of the case are withdrawn: that is no second person either."""
    infected, person, _ = green_citizens
    approve(recorder, approver, infected.document, kind="confirmed", **STATED)
    with console.sessions() as session:
        number = session.scalars(select(Case.number)).one()
    met = {"kind": "contact", "exposed_on": "2020-03-19", "place": "示例商场", "case": number, **STATED}
    approve(recorder, approver, person.document, **met)
    page = appeal(person)
    both = desk("recorder", "appeals", username="both-1", district=HERE)
    clock.advance(minutes=1)
    save(both, infected.document, kind="ruled-out", **STATED)
    assert person.color() == "GREEN"
    assert overturn_with(both, page, "") == 403
    assert overturn_with(officer, page, "") == 303


def test_who_approved_the_right_order_does_not_withdraw_the_wrong_one_for_it(
    desk: Desks, officer: Desk, recorder: Desk, ordered: Phone, clock: StandingClock, console: Services
) -> None:
    page, filled = appeal(ordered), {"withdraw": [withdrawal(console)], "entry": ""}
    both = desk("approver", "appeals", username="both-1", district=HERE)
    clock.advance(minutes=1)
    approve(recorder, both, ordered.document, **{**ORDER, "reference": "示例隔离令二"})
    assert both.sign(f"{page}/overturn", filled).status_code == 403
    assert officer.sign(f"{page}/overturn", filled).status_code == 200, "the preview"
