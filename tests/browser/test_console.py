"""The officers' console in a real browser: log-in, sessions, script in names, keyboard, axe, both languages."""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import product

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import func, select

from app import create_app
from app.audit import monitoring
from app.audit.sealing import seal_all
from app.citizens.documents import DocumentType
from app.citizens.lookup import Document
from app.codes import ledger
from app.codes.models import Code
from app.core.passwords import hash_password
from app.entries import workflow
from app.entries.content import EntryKind, NewEntry, People
from app.runtime import Services
from app.staff import officers
from app.staff.context import OPERATOR, begin_as, begin_officer
from app.staff.officers import NewOfficer
from app.web.server.load_shedding import ConcurrencyLimiter, Priority
from devstack.officers import SECRET, make_demo_officers
from devstack.people import PASSWORD
from tests.browser import chromium
from tests.browser.axe import faults_of, sideways
from tests.officers.invented import make_figures
from tests.support.clock import StandingClock
from tests.support.codes import contact, tell
from tests.support.examples import FULL
from tests.support.people import Phone, id_number
from tests.support.rsgi import end, put_before
from tests.support.venues import apply

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
ADMINISTRATOR = "demo-administrator"
FIGURES = ("figures", *(f"figures/{name}" for name in ("colors", "decisions", "checks", "notices", "appeals")))


def both_languages_on(*widths: int) -> list[tuple[str, int]]:
    """Each language and each width; in a full run each language on each width."""
    return [*product(("zh", "en"), widths)] if FULL else [*zip(("zh", "en"), widths, strict=True)]


@pytest.fixture
def console(services: Services, clock: StandingClock) -> Services:
    """A system with the officers of the demo, whose authenticators go by the clock of the test."""
    made = replace(services, real_clock=clock)
    make_demo_officers(made)
    return made


@pytest.fixture
def address(console: Services, serve: Callable[[Flask], str]) -> str:
    """Of the console."""
    return serve(create_app(console)) + "/console"


@pytest.fixture
def desk(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Makes officers at their desks, at the log-in; at the end nothing was blocked, broken or popped up."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def make(width: int = 1280, height: int = 800) -> Page:
        context = chromium.unused(browser, width, height)
        contexts.append(context)
        page = context.new_page()
        page.on("dialog", lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if _tells_a_fault(line.text) else None)
        page.goto(f"{address}/login")
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


def _tells_a_fault(line: str) -> bool:
    return "Content Security Policy" in line or "Refused to" in line or "Content-Security-Policy" in line


def log_in(page: Page, clock: StandingClock, username: str = ADMINISTRATOR, password: str = PASSWORD) -> Page:
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(password)
    page.get_by_label("动态验证码").fill(pyotp.TOTP(SECRET).at(clock.now()))
    page.get_by_role("button", name="登录").click()
    return page


def test_an_officer_logs_in_with_a_code_and_out_again(
    desk: Callable[..., Page], clock: StandingClock, address: str
) -> None:
    page = log_in(desk(), clock, "demo-recorder")
    expect(page).to_have_url(f"{address}/")
    expect(page.get_by_text("您好，示例录入员")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["首页", "录入与审批", "病例", "跟进任务", "涉疫场所公告", "数据", "我的账号"]
    )
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("status")).to_have_text("您已退出。")
    page.go_back()
    page.reload()
    expect(page).to_have_url(re.compile("/login"))


def test_what_was_wrong_is_not_told(desk: Callable[..., Page], clock: StandingClock) -> None:
    page = log_in(desk(), clock, password="wrong")
    expect(page.get_by_role("alert")).to_contain_text("用户名、密码或验证码不正确；验证码只能使用一次")
    expect(page.get_by_role("alert")).to_contain_text("请系统管理员重置")
    expect(page.get_by_label("密码")).to_have_value("")


def test_who_was_away_logs_in_again(desk: Callable[..., Page], clock: StandingClock) -> None:
    page = log_in(desk(), clock)
    expect(page.get_by_role("heading", level=1)).to_have_text("首页")
    clock.advance(minutes=15)
    page.get_by_role("link", name="我的账号").click()
    expect(page.get_by_role("status")).to_have_text("登录已结束，请重新登录。")
    log_in(page, clock)
    expect(page.get_by_role("heading", level=1)).to_have_text("首页")


def test_a_session_is_ended_from_another_desk(desk: Callable[..., Page], clock: StandingClock) -> None:
    here = log_in(desk(), clock)
    clock.advance(minutes=2)
    elsewhere = log_in(desk(), clock)
    expect(elsewhere.get_by_text("您还有其他登录未结束")).to_be_visible()
    elsewhere.get_by_role("link", name="我的账号").click()
    elsewhere.get_by_role("row").last.get_by_role("button").click()
    expect(elsewhere.get_by_role("status")).to_have_text("该登录已结束。")
    here.get_by_role("link", name="我的账号").click()
    expect(here).to_have_url(re.compile("/login"))


def test_an_administrator_adds_an_officer_who_logs_in_with_what_is_shown(
    desk: Callable[..., Page], clock: StandingClock
) -> None:
    page = log_in(desk(), clock)
    page.get_by_role("link", name="工作人员").click()
    page.get_by_role("link", name="添加工作人员").click()
    page.get_by_label("用户名").fill("new-officer")
    page.get_by_label("姓名").fill("示例新人")
    page.get_by_label("纠错受理员").check()
    page.get_by_label("辖区").select_option("延边朝鲜族自治州")
    page.get_by_role("button", name="添加").click()
    (secret,) = page.locator("code").all_text_contents()
    expect(page.get_by_role("img")).to_be_visible()
    assert page.get_by_role("img").evaluate("picture => picture.naturalWidth") > 0
    colleague = log_in(desk(), clock, "demo-administrator-2")
    colleague.get_by_role("navigation").get_by_role("link", name="工作人员").click()
    colleague.get_by_role("link", name="示例新人").click()
    colleague.get_by_role("button", name="设置密码").click()
    password = colleague.locator("code").text_content() or ""
    other = desk()
    other.get_by_label("用户名").fill("new-officer")
    other.get_by_label("密码").fill(password)
    other.get_by_label("动态验证码").fill(pyotp.TOTP(secret).at(clock.now()))
    other.get_by_role("button", name="登录").click()
    for name, words in {"current": password, "password": "another-Word-2020", "again": "another-Word-2020"}.items():
        other.locator(f"#{name}").fill(words)
    other.locator("form.panel button").click()
    expect(other.get_by_role("status")).to_be_visible()
    other.get_by_role("link", name="首页").click()
    expect(other.get_by_text("延边朝鲜族自治州")).to_be_visible()


def test_who_forgot_the_password_comes_in_with_another_and_chooses_their_own(
    desk: Callable[..., Page], clock: StandingClock, address: str
) -> None:
    page = log_in(desk(), clock)
    page.get_by_role("link", name="工作人员").click()
    page.get_by_role("link", name="示例审计员").click()
    page.get_by_role("button", name="设置密码").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("一次性密码")
    given = page.locator("code").text_content() or ""
    other = log_in(desk(390), clock, "demo-auditor", given)
    expect(other).to_have_url(f"{address}/account/password")
    expect(other.get_by_text("您的密码由管理员设置")).to_be_visible()
    assert faults_of(other) == []
    assert sideways(other) == []
    other.goto(f"{address}/entries")
    expect(other).to_have_url(f"{address}/account/password")
    for label, word in (("当前密码", given), ("新密码", "another-Word-2020"), ("再次输入新密码", "another-Word-2020")):
        other.get_by_label(label, exact=True).fill(word)
    other.get_by_role("button", name="更改密码").click()
    expect(other.get_by_role("status")).to_have_text("密码已更改；您的其他登录已全部结束。")
    other.get_by_role("link", name="录入与审批").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("录入与审批")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_for_crowds_reads_well(
    width: int, console: Services, serve: Callable[[Flask], str], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(console)
    server = put_before(app, console)
    address, page = serve(app), chromium.unused(browser, width, 800).new_page()
    page.goto(f"{address}/console/login")

    async def refuse_the_rest(limiter: ConcurrencyLimiter, priority: Priority) -> bool:
        return priority is not Priority.REST

    monkeypatch.setattr(ConcurrencyLimiter, "enter", refuse_the_rest)
    answer = page.reload()
    assert answer is not None and answer.status == 503
    expect(page.get_by_role("heading", level=1)).to_contain_text("现在访问的人太多")
    expect(page.get_by_role("heading", level=2)).to_contain_text("Too many people")
    assert faults_of(page) == []
    assert sideways(page) == []
    page.context.close()
    end(server)


def test_a_name_with_script_in_it_is_text(desk: Callable[..., Page], clock: StandingClock, console: Services) -> None:
    with begin_as(console, OPERATOR) as context:
        new = NewOfficer("script-1", SCRIPT, ["administrator"], None, secret=SECRET)
        officer, _ = officers.add_officer(context, new)
        officer.password_hash = hash_password(PASSWORD)  # another person has set one, and they have changed it
        officer.must_change_password, officer.password_ends_at = False, None
    page = log_in(desk(), clock, "script-1")
    expect(page.get_by_text(f"您好，{SCRIPT}")).to_be_visible()
    page.get_by_role("link", name="工作人员").click()
    page.get_by_role("link", name=SCRIPT).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SCRIPT)
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="添加工作人员").click()
    page.get_by_label("用户名").fill(f'"><{SCRIPT}')
    page.get_by_label("姓名").fill(f'" onfocus=alert(3) autofocus {SCRIPT}')
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_label("用户名")).to_have_value(f'"><{SCRIPT}')
    page.goto(page.url.replace("/officers/new", f"/{SCRIPT}?done={SCRIPT}&lang={SCRIPT}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("无法完成")


def test_a_name_in_one_long_word_fits_a_phone_wherever_it_is(
    desk: Callable[..., Page], clock: StandingClock, green_citizens: list[Phone]
) -> None:
    for citizen in green_citizens[:2]:
        assert apply(citizen, name="W" * 40).status_code == 201
    page = log_in(desk(width=320), clock)
    page.goto(f"{page.url.partition('/console')[0]}/console/venues/applications/1")
    expect(page.get_by_text("另有同名或同一信用代码的申请")).to_be_visible()
    assert not sideways(page)


def test_the_keyboard_does_it_all(desk: Callable[..., Page], clock: StandingClock) -> None:
    page = desk()
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    press("Enter")
    for word in (ADMINISTRATOR, PASSWORD, pyotp.TOTP(SECRET).at(clock.now())):
        press("Tab")
        page.keyboard.type(word)
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("首页")
    for name in ("工作人员", "示例录入员"):
        _tab_to(page, name)
        with page.expect_navigation():
            press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("示例录入员")
    _tab_to(page, "审批员")
    press("Space")
    _tab_to(page, "保存")
    with page.expect_navigation():
        press("Enter")
    expect(page.get_by_role("status")).to_have_text("角色和辖区已更改，本人须重新登录。")
    _tab_to(page, "停用账号")
    press("Enter")
    expect(page.get_by_role("status")).to_have_text("账号已停用，其登录已全部结束。")


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus, and see that it shows."""
    for _ in range(40):
        page.keyboard.press("Tab")
        named, shows = page.evaluate("""() => {
            const one = document.activeElement;
            return [one.labels?.length ? one.labels[0].innerText : one.innerText,
                getComputedStyle(one).outlineStyle !== 'none'];
        }""")
        if (named or "").strip() == name:
            assert shows, name
            return
    raise AssertionError(f"{name} is out of reach")


@pytest.mark.parametrize(("language", "width"), both_languages_on(1280, 375))
def test_no_page_has_a_serious_fault_or_is_too_wide(
    language: str, width: int, desk: Callable[..., Page], clock: StandingClock, address: str, console: Services
) -> None:
    page = desk(width)
    seen = []

    def look() -> None:
        assert faults_of(page) == [], page.url
        assert sideways(page) == [], page.url
        name = page.locator(".head .name").bounding_box()
        assert name and name["y"] + page.evaluate("scrollY") >= 8, "no word touches the edge of a phone"
        seen.append(page.get_by_role("heading", level=1).text_content())

    def send_wrongly(**filled: str) -> None:
        for name, value in filled.items():
            page.locator(f"#{name}").fill(value)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        look()

    page.goto(f"{address}/login?lang={language}")
    look()
    send_wrongly(username="x", password="x", code="x")
    page.goto(f"{address}/login?lang=zh")
    log_in(page, clock)
    expect(page.get_by_role("heading", level=1)).to_have_text("首页")
    paths = ("account", "account/password", "officers", "inspectors", "officers/1", "officers/new")
    make_figures(console)
    for path in (f"?lang={language}", *FIGURES, *paths):
        page.goto(f"{address}/{path}")
        for table in page.locator("summary").all():
            table.click()
        look()
    send_wrongly(username="x", name="x")
    page.goto(f"{address}/officers/1")
    with page.expect_navigation():
        page.locator("section[aria-labelledby=password] button").click()
    look()
    page.goto(f"{address}/nothing")
    look()
    assert len(set(seen)) == 10 + len(FIGURES), seen
    assert bool(re.search("[一-鿿]", " ".join(map(str, seen)).replace("示例录入员", ""))) is (language == "zh"), seen


def test_charts_are_drawn_and_fit_a_phone(
    desk: Callable[..., Page], clock: StandingClock, address: str, console: Services
) -> None:
    make_figures(console)
    page = log_in(desk(390, 844), clock)
    page.get_by_role("link", name="数据").click()
    for path in FIGURES:
        page.goto(f"{address}/{path}")
        assert sideways(page) == [], path
        drawn = page.locator("figure img").evaluate_all("all => all.map(one => one.naturalWidth)")
        assert all(drawn) and bool(drawn) is (path != "figures"), path
    with page.expect_download() as file:
        page.get_by_role("link", name="下载 CSV").click()
    assert file.value.suggested_filename == "jixiang-appeals.csv"


@pytest.mark.parametrize(("language", "width"), both_languages_on(1280, 375))
def test_the_auditors_pages_have_no_serious_fault_and_are_not_too_wide(
    language: str, width: int, desk: Callable[..., Page], clock: StandingClock, address: str, console: Services
) -> None:
    numbers = "\n".join(id_number(n) for n in range(51))
    recorder = log_in(desk(), clock, "demo-recorder")
    recorder.goto(f"{address}/entries/new?kind=quarantine")
    stated = {"numbers": numbers, "authority": SCRIPT, "reference": "长" * 80, "place": "示例银行"}
    for name, words in {**stated, "first_day": "2020-03-20", "last_day": "2020-04-03"}.items():
        recorder.locator(f"[name={name}]").fill(words)
    recorder.get_by_role("button", name="下一步：核对").click()
    recorder.get_by_role("button", name="保存").click()
    expect(recorder.get_by_role("alert")).to_contain_text("一次录入的人数过多")
    seal_all(console)
    clock.advance(days=1)
    seal_all(console)
    monitoring.verify_next(console)
    page = log_in(desk(width), clock, "demo-auditor")
    seen = []

    def look() -> None:
        assert faults_of(page) == [], page.url
        assert sideways(page) == [], page.url
        name = page.locator(".head .name").bounding_box()
        assert name and name["y"] + page.evaluate("scrollY") >= 8, "no word touches the edge of a phone"
        seen.append(page.get_by_role("heading", level=1).text_content())

    page.goto(f"{address}/?lang={language}")
    expect(page.locator(".menu .count")).to_have_text("1")
    look()
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.locator("section[aria-labelledby=held]").get_by_text(SCRIPT)).to_be_visible()
    look()
    for way in (1, 2):
        page.locator(".ways a").nth(way).click()
        look()
    page.locator(".ways a").nth(1).click()
    page.locator("#document_type").select_option("serial")
    with console.sessions() as session:
        page.locator("#number").fill(str(session.scalar(select(func.min(Code.serial)))))
    with page.expect_navigation():
        page.locator("form[method=post] .button.second").last.click()
    expect(page.locator("section[aria-labelledby=found] tbody tr").first).to_be_visible()
    look()
    assert len(set(seen)) == 4, seen


@pytest.mark.parametrize(("language", "width"), both_languages_on(1280, 375))
def test_an_entry_is_made_field_by_field_on_pages_that_fit_and_waits_on_the_approvers_start_page(
    language: str, width: int, desk: Callable[..., Page], clock: StandingClock, address: str
) -> None:
    page = log_in(desk(width), clock, "demo-recorder")
    expect(page.get_by_role("heading", level=1)).to_have_text("首页")

    def look(one: Page = page) -> None:
        assert faults_of(one) == [], one.url
        assert sideways(one) == [], one.url

    page.goto(f"{address}/entries/new?lang={language}")
    look()
    for kind in EntryKind:
        page.goto(f"{address}/entries/new")
        page.locator(f"a[href$='kind={kind}']").click()
        look()
    page.goto(f"{address}/entries/new?kind=quarantine")
    assert page.locator("#case, #exposed_on").count() == 0
    filled = {"numbers": id_number(1), "place": "示例酒店" * 20, "authority": "示例疾控中心", "reference": "长" * 80}
    for name, value in {**filled, "first_day": "2020-03-20", "last_day": "2020-03-01"}.items():
        page.locator(f"#{name}").fill(value)
    page.locator("form.panel button").click()
    expect(page.locator("#last_day-mistake")).to_be_visible()
    look()
    page.locator("#last_day").fill("2020-04-03")
    for _ in ("preview", "save"):
        page.locator("form.panel button").click()
        look()
    expect(page.get_by_role("status")).to_be_visible()
    page.goto(f"{address}/entries")
    look()
    other = log_in(desk(width), clock, "demo-approver")
    expect(other.locator(".menu .count")).to_have_text("1")
    other.goto(f"{address}/?lang={language}")
    look(other)
    other.locator(".tasks a").click()
    expect(other.locator("section[aria-labelledby=waiting] tbody tr")).to_have_count(1)
    look(other)


def test_what_was_typed_is_there_again_after_the_session_ended(
    desk: Callable[..., Page], clock: StandingClock, address: str
) -> None:
    page = log_in(desk(), clock, "demo-recorder")
    page.get_by_role("link", name="录入与审批").click()
    page.get_by_role("link", name="新增录入").click()
    page.get_by_role("link", name="解除隔离").click()
    page.locator("#numbers").fill(id_number(1))
    page.locator("#authority").fill("示例疾控中心")
    page.locator("#reference").fill("示例〔2020〕1号")
    clock.advance(minutes=15)
    page.get_by_role("button", name="下一步：核对").click()
    expect(page.get_by_role("status")).to_contain_text("您填写的内容已加密保留")
    assert id_number(1) not in page.content()
    log_in(page, clock, "demo-recorder")
    expect(page.get_by_role("status")).to_contain_text("已恢复登录结束前填写的内容")
    expect(page.locator("#numbers")).to_have_value(id_number(1))
    expect(page.locator("#reference")).to_have_value("示例〔2020〕1号")
    assert id_number(1) not in page.url
    page.reload()
    expect(page.locator("#numbers")).to_have_count(0)


@pytest.mark.parametrize(("language", "width"), both_languages_on(1280, 375))
def test_an_appeal_is_read_and_answered_on_pages_without_a_serious_fault(
    language: str,
    width: int,
    desk: Callable[..., Page],
    clock: StandingClock,
    address: str,
    console: Services,
    client: FlaskClient,
    wechat_url: str,
) -> None:
    person = Phone(client, wechat_url, "示例甲").become_green()
    tell(console, 1, contact(clock.now()))
    pdf = base64.b64encode(b"%PDF-1.4\n%%EOF").decode()
    person.post("/api/v1/appeals", {"text": f"{SCRIPT}\n{'长' * 90}{'x' * 90}", "attachments": [pdf]})
    page = log_in(desk(width), clock, "demo-appeals")
    seen = []

    def look() -> None:
        assert faults_of(page) == [], page.url
        assert sideways(page) == [], page.url
        name = page.locator(".head .name").bounding_box()
        assert name and name["y"] + page.evaluate("scrollY") >= 8, "no word touches the edge of a phone"
        seen.append(page.get_by_role("heading", level=1).text_content())

    def send(form: str) -> None:
        with page.expect_navigation():
            page.locator(f"form[action$='/{form}'] button").click()
        look()

    page.goto(f"{address}/appeals?lang={language}")
    look()
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_text(SCRIPT)).to_be_visible()
    look()
    with page.expect_download() as download:
        page.locator("a[href*=attachments]").click()
    assert download.value.suggested_filename == "attachment-1.pdf"
    send("overturn")
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("select[name=withdraw]").first.select_option(index=1)  # of the rule that makes the color
    send("overturn")
    expect(page.locator("dd .color.green")).to_be_visible()
    send("overturn")
    expect(page.locator("blockquote p")).to_have_count(3)
    page.goto(f"{address}/appeals/resolved")
    look()
    assert len(set(seen)) == 4, seen


def test_an_attempt_appears_on_an_auditors_page_that_nobody_touches(
    desk: Callable[..., Page], clock: StandingClock, address: str, console: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.audit.oversight.RELOAD_SECONDS", 1)
    page = log_in(desk(), clock, "demo-auditor")
    page.get_by_role("link", name="审计").click()
    held = page.locator("section[aria-labelledby=held]")
    expect(held).to_contain_text("暂无")
    with console.begin() as session:
        recorder = officers.find_by_username(session, "demo-recorder")
        people: People = dict.fromkeys(ledger.create_codes(session, 51, clock.now()))
    with begin_officer(console, recorder) as context:
        new_entry = NewEntry(
            kind=EntryKind.QUARANTINE, authority="示例疾控", reference="1号", place="示例银行", people=people,
            first_day=date(2020, 3, 20), last_day=date(2020, 4, 3),
        )  # fmt: skip
        workflow.save(context, new_entry)
    expect(held).to_contain_text("一次录入的人数过多")
    page.get_by_role("link", name="停止刷新").click()
    expect(page.get_by_role("link", name="恢复自动刷新")).to_be_visible()


@pytest.fixture
def case(console: Services, clock: StandingClock) -> str:
    """The number of a case of which the recorder of the demo brings contacts."""
    with console.begin() as session:
        recorder, approver = (officers.find_by_username(session, name) for name in ("demo-recorder", "demo-approver"))
        serial = ledger.create_code(session, clock.now()).serial
    new_entry = NewEntry(
        kind=EntryKind.CONFIRMED, authority="示例疾控中心", reference="示例〔2020〕1号", people={serial: None}
    )
    with begin_officer(console, recorder) as context:
        id_ = workflow.save(context, new_entry).id
    with begin_officer(console, approver) as context:
        workflow.approve(context, id_)
    return f"示例〔2020〕1号-{id_}"


@pytest.mark.parametrize(("language", "width"), both_languages_on(1280, 375))
def test_a_list_of_contacts_is_brought_mended_looked_at_and_saved(
    language: str, width: int, desk: Callable[..., Page], clock: StandingClock, address: str, case: str
) -> None:
    page = log_in(desk(width), clock, "demo-recorder")
    expect(page.get_by_role("heading", level=1)).to_have_text("首页")

    def look() -> None:
        assert faults_of(page) == [], page.url
        assert sideways(page) == [], page.url
        name = page.locator(".head .name").bounding_box()
        assert name and name["y"] + page.evaluate("scrollY") >= 8, "no word touches the edge of a phone"

    def send() -> None:
        with page.expect_navigation():
            page.locator("form.panel button").click()
        look()

    page.goto(f"{address}/cases?lang={language}")
    look()
    page.get_by_role("row", name=case).get_by_role("link").click()
    look()
    filled = {
        "exposed_on": "2020-03-19",
        "place": "示例商场",
        "authority": "示例疾控中心",
        "reference": "示例〔2020〕2号",
    }
    for name, value in filled.items():
        page.locator(f"#{name}").fill(value)
    page.locator("#numbers").fill(f"{id_number(1)}\n{id_number(2)[:-1]}")
    send()
    expect(page.get_by_role("listitem")).to_have_text([re.compile("2")])
    content = f"证件号码\n{id_number(1)}\n{id_number(2)}".encode("gb18030")
    page.locator("#file").set_input_files({"name": "名单.csv", "mimeType": "text/csv", "buffer": content})
    send()
    expect(page.get_by_role("listitem")).to_have_text([re.compile("<10")])
    expect(page.locator("tbody tr")).to_have_count(2)
    send()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(2)


@pytest.mark.parametrize(("language", "width"), both_languages_on(1280, 375))
def test_who_signs_reads_whole_lines_that_fit_a_phone(
    language: str,
    width: int,
    desk: Callable[..., Page],
    clock: StandingClock,
    address: str,
    console: Services,
    client: FlaskClient,
    wechat_url: str,
    case: str,
) -> None:
    known = Phone(client, wechat_url, "示例甲").become_green()
    people: dict[int | Document, date | None] = {
        (DocumentType.ID_CARD, number): date(2020, 3, day)
        for number, day in ((known.document, 18), (id_number(801), 19), (id_number(802), 1), (id_number(803), 19))
    }
    with console.sessions() as session:
        recorder = officers.find_by_username(session, "demo-recorder")
    with begin_officer(console, recorder) as context:
        new_entry = NewEntry(
            kind=EntryKind.CONTACT, authority="示例疾控中心", reference="示例〔2020〕2号", place="示例商场", case=case,
            exposed_on=date(2020, 3, 19), people=people, lines={one: line for line, one in enumerate(people, 2)},
        )  # fmt: skip
        id_ = workflow.save(context, new_entry).id
    page = log_in(desk(width), clock, "demo-approver")
    expect(page.get_by_role("heading", level=1)).to_have_text("首页")
    page.goto(f"{address}/entries/{id_}?lang={language}")
    assert faults_of(page) == []
    assert sideways(page) == []
    rows = page.locator(".folds tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.last).to_contain_text(known.document)
    expect(rows.last).to_contain_text("示例甲")
    for cell in page.locator(".folds .number").all():
        box = cell.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width


def test_english_is_one_click_away_and_stays(desk: Callable[..., Page], clock: StandingClock) -> None:
    page = desk()
    page.get_by_role("link", name="English").click()
    page.get_by_label("User name").fill("demo-auditor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("One-time code").fill(pyotp.TOTP(SECRET).at(clock.now()))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Welcome, 示例审计员")).to_be_visible()
    expect(page.get_by_text("Auditor", exact=True)).to_be_visible()
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_text("您好，示例审计员")).to_be_visible()
