"""The console's pages over HTTP: log-in, forms and what protects them, headers, refusals as pages, both languages."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import create_app
from app.audit import AuditEvent
from app.core.texts import slugs
from app.rules import RECIPIENTS
from app.runtime import Services
from app.staff import totp
from app.staff.models import Officer, OfficerSession, Role
from app.web import limits
from app.worker import due
from devstack import officers as demo
from tests.support.clock import StandingClock
from tests.support.desk import OWN_PAGE, Desk, make_officer, text_of
from tests.support.people import PASSWORD

TEMPLATES = "app/console/templates"
SCRIPT = "<script>alert(1)</script>"
# sections of words named by slugs
COMPOSED = (
    "venue-kinds",
    "weekdays",
    "menu", "roles", "done", "tasks", "kinds", "kind-hints",
    "documents", "entry-states", "figure-names", "figure-hints", "check-actions",
    "deliveries", "appeal-times", "lanes", "parts", "chain-faults", "findings", "actors", "acts",
    "appeal-states", "attachment-kinds", "symptoms", "time-left", "columns", "access-reasons", "hold-reasons",
    "follow-up-states", "follow-up-acts", "follow-up-hints", "device-kinds",
    "exposure-reasons", "exposure-states",
)  # fmt: skip


@pytest.fixture
def limited(console: Services) -> Callable[..., Desk]:
    """A desk at a console with small limits."""

    def sit(address: str = "10.0.0.1", username: str = "officer-1", **small: str) -> Desk:
        settings = console.settings
        settings = settings.model_copy(update={"limits": settings.limits.model_copy(update=small)})
        limits.limiter._storage_dead = False
        return Desk(create_app(replace(console, settings=settings)), console, username, address)

    return sit


def in_environment(console: Services, environment: str) -> Flask:
    return create_app(replace(console, settings=console.settings.model_copy(update={"environment": environment})))


# --- logging in and out


def test_an_officer_logs_in_and_out(desk: Callable[..., Desk]) -> None:
    me = desk("recorder", "auditor", district="长春市")
    read = text_of(me.get("/console/"))
    for word in ("示例officer-1", "录入员", "审计员", "长春市", "本次登录"):
        assert word in read
    answer = me.send("/console/logout")
    assert answer.location == "/console/login?done=logged-out"
    assert not me.is_in()


def test_each_demo_officer_logs_in(console: Services, console_app: Flask) -> None:
    demo.make_demo_officers(console)
    code = totp.code_at(demo.SECRET, console.real_clock.now())
    for username, (name, _, district) in demo.OFFICERS.items():
        one = Desk(console_app, console, username)
        assert one.log_in(demo.PASSWORD, code).location == "/console/"
        read = text_of(one.get("/console/"))
        assert f"您好，{name}" in read and (district or "全省") in read


def test_wrong_log_ins_are_told_alike(console: Services, console_app: Flask) -> None:
    make_officer(console, "officer-1")
    me, nobody = Desk(console_app, console), Desk(console_app, console, "nobody-1")
    wrong = [me.log_in(password="wrong"), me.log_in(code="000000"), nobody.log_in(), nobody.log_in(password="wrong")]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.text.replace("nobody-1", "officer-1") for answer in wrong}) == 1
    assert all("Set-Cookie" not in answer.headers for answer in wrong)
    assert PASSWORD not in wrong[0].text


def test_each_log_in_has_a_new_token_and_ends_the_one_before(desk: Callable[..., Desk], clock: StandingClock) -> None:
    me = desk("recorder")
    first = me.client.get_cookie("officer")
    clock.advance(seconds=60)
    assert me.log_in().status_code == 303
    second = me.client.get_cookie("officer")
    assert first and second and first.value != second.value
    me.client.set_cookie("officer", first.value)
    assert not me.is_in()


def test_the_cookie_is_out_of_reach(console: Services) -> None:
    make_officer(console, "officer-1")
    cookie = Desk(in_environment(console, "production"), console).log_in().headers["Set-Cookie"]
    assert re.fullmatch(r"__Host-officer=[\w-]{43}; Secure; HttpOnly; Path=/; SameSite=Strict", cookie)


def test_who_was_idle_is_brought_to_the_log_in_and_told_why(desk: Callable[..., Desk], clock: StandingClock) -> None:
    me = desk("recorder")
    clock.advance(minutes=15)
    answer = me.get("/console/account")
    assert answer.location == "/console/login?done=session-ended"
    assert "登录已结束" in text_of(me.get(answer.location))


def test_log_ins_that_a_limit_stops_are_summed_in_the_audit(
    console: Services, limited: Callable[..., Desk], clock: StandingClock
) -> None:
    officer = make_officer(console, "officer-1", "recorder")
    small = {"login_per_account": "20 per hour", "login_per_account_global": "50 per hour", "login": "100 per hour"}

    def stopped() -> list[tuple[str, int]]:
        due.sum_failed_logins(console)
        with console.sessions() as session:
            rows = session.scalars(select(AuditEvent).filter_by(action="officer-login-stopped").order_by(AuditEvent.id))
            return [(row.actor, row.detail["number"]) for row in rows]

    desk, stranger = limited(**small), limited(username="nobody-1", **small)
    for one, actor in ((desk, f"officer:{officer.id}"), (stranger, "officer")):
        before = stopped()
        assert [one.log_in("wrong").status_code for _ in range(10)] == [401] * 6 + [429] * 4
        assert stopped() == [*before, (actor, 4)]
    assert desk.log_in("wrong").status_code == 429
    assert len(stopped()) == 2, "one event in the beginning, one for the rest when the hour is over"
    clock.advance(hours=1)
    assert stopped()[2:] == [(f"officer:{officer.id}", 1)]


def test_guessing_is_bounded_by_account_and_by_address(console: Services, limited: Callable[..., Desk]) -> None:
    make_officer(console, "officer-1")
    small = {"login_per_account": "20 per hour", "login_per_account_global": "50 per hour", "login": "8 per hour"}
    one = limited(**small)
    assert [one.log_in(code="000000").status_code for _ in range(6)] == [401] * 6
    slowed = one.log_in()
    assert (slowed.status_code, slowed.headers["Retry-After"]) == (429, "1")
    assert "可在 1 分钟后再试" in text_of(slowed)
    assert limited("10.0.0.3", **small).log_in().status_code == 429, "the account, wherever from"
    assert [limited("10.0.0.1", f"nobody-{n}", **small).log_in().status_code for n in range(3)] == [401, 401, 429]


@pytest.mark.slow
def test_guessing_elsewhere_does_not_delay_an_officer_at_their_browser(
    console: Services, limited: Callable[..., Desk], clock: StandingClock
) -> None:
    for name in ("officer-1", "officer-2"):
        make_officer(console, name)
    small = {"login_per_account": "20 per hour", "login_per_account_global": "50 per hour"}
    mine, theirs = limited(**small), limited(username="officer-2", **small)
    assert [one.log_in().status_code for one in (mine, theirs)] == [303, 303]
    cookie = mine.client.get_cookie("known-device", path="/console/login")
    assert cookie and cookie.http_only and cookie.same_site == "Strict"
    for n in range(6):
        assert limited(f"10.0.1.{n}", **small).log_in(code="000000").status_code == 401
    clock.advance(milliseconds=500)
    theirs.username = "officer-1"
    assert theirs.log_in(code="000000").status_code == 429, "another officer's browser is a stranger's"
    assert mine.log_in(code="000000").status_code == 401
    clock.advance(seconds=30)
    for n in range(6):
        limited(f"10.0.2.{n}", **small).log_in(code="000000")
    assert mine.log_in().status_code == 303


# --- one's account


def test_an_officer_ends_a_session_elsewhere(
    console: Services, console_app: Flask, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    me = desk("recorder")
    clock.advance(seconds=60)
    elsewhere = Desk(console_app, console).ensure_logged_in()
    with console.sessions() as session:
        here, there = session.scalars(select(OfficerSession.id).order_by(OfficerSession.id)).all()
    assert me.send(f"/console/account/sessions/{there}/end").location == "/console/account?done=session-ended-there"
    assert (me.is_in(), elsewhere.is_in()) == (True, False)
    assert me.send(f"/console/account/sessions/{here}/end").location == "/console/login?done=logged-out"
    assert not me.is_in()


def test_a_password_is_changed_by_who_knows_it(desk: Callable[..., Desk], clock: StandingClock) -> None:
    me, new = desk("recorder"), "another-Word-2020"
    for filled, status, told in (
        ({"current": "wrong", "password": new, "again": new}, 401, "当前密码不正确"),
        ({"current": PASSWORD, "password": new, "again": new + "x"}, 422, "两次输入的密码不一致"),
        ({"current": PASSWORD, "password": "short", "again": "short"}, 422, "密码至少 12 位"),
        ({"current": PASSWORD, "password": new}, 422, "请填写此项"),
        ({"current": PASSWORD, "password": new, "again": new, "more": "x"}, 422, "没有这个字段"),
        ({"current": PASSWORD, "password": new + "\0", "again": new + "\0"}, 422, "不正确"),
    ):
        answer = me.send("/console/account/password", filled)
        assert (answer.status_code, told in text_of(answer)) == (status, True), (filled, text_of(answer))
        assert new not in answer.text
    filled = {"current": PASSWORD, "password": new, "again": new}
    assert me.send("/console/account/password", filled).location == "/console/account?done=password-changed"
    clock.advance(seconds=60)
    assert me.log_in().status_code == 401
    assert me.log_in(password=new).status_code == 303


def test_who_finds_an_open_console_does_not_guess_the_password_for_long(
    console: Services, limited: Callable[..., Desk]
) -> None:
    make_officer(console, "officer-1")
    me = limited(login_per_account="3 per hour").ensure_logged_in()
    filled = {"current": "wrong", "password": "another-Word-2020", "again": "another-Word-2020"}
    assert [me.send("/console/account/password", filled).status_code for _ in range(4)] == [401, 401, 401, 429]


# --- administration


def test_every_role_has_its_words() -> None:
    assert set(slugs("roles")) == set(Role)


def test_one_administrator_adds_an_officer_another_sets_the_password_and_then_they_log_in(
    console: Services, console_app: Flask, desk: Callable[..., Desk]
) -> None:
    admin, colleague = desk("administrator"), desk("administrator", username="admin-2")
    filled = {"username": "new-1", "name": "示例新", "roles": ["recorder", "auditor"], "district": "吉林市"}
    answer = admin.send("/console/officers/new", filled)
    assert (answer.status_code, "密码由另一位管理员" in text_of(answer)) == (200, True)
    (secret,) = re.findall(r"<code>([^<]+)</code>", answer.text)
    assert "data:image/svg+xml;base64," in answer.text
    page = f"/console/officers/{_id_of(console, 'new-1')}"
    assert "待他人设置密码" in text_of(colleague.get("/console/officers"))
    assert "请确认确有此人" in text_of(colleague.get(page))
    refused = admin.send(f"{page}/reset-password")
    assert (refused.status_code, "不能由同一人设置" in text_of(refused)) == (403, True)
    (password,) = re.findall(r"<code>([^<]+)</code>", colleague.send(f"{page}/reset-password").text)
    from app.staff import totp

    newcomer = Desk(console_app, console, "new-1")
    assert newcomer.log_in(password=password, code=totp.code_at(secret, console.clock.now())).status_code == 303
    assert newcomer.get("/console/").location == "/console/account/password", "an administrator knows it too"
    own = {"current": password, "password": "another-Word-2020", "again": "another-Word-2020"}
    token = re.search(r'name="form" value="([^"]+)"', newcomer.get("/console/account/password").text)
    assert token and newcomer.send("/console/account/password", own, token=token[1]).status_code == 303
    assert "吉林市" in text_of(newcomer.get("/console/"))
    again = admin.send("/console/officers/new", filled)
    assert (again.status_code, "该用户名已被使用" in text_of(again)) == (409, True)
    assert secret not in admin.get(page).text


def test_what_an_administrator_does_holds_at_once(
    console: Services, console_app: Flask, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    admin, one = desk("administrator"), desk("recorder", username="officer-2")
    page = f"/console/officers/{_id_of(console, 'officer-2')}"
    answer = admin.send(page, {"roles": ["auditor"], "district": "长春市"})
    assert answer.location == f"{page}?done=assignment-changed"
    assert "审计员" in text_of(one.ensure_logged_in().get("/console/"))
    assert admin.send(page, {"roles": ["root"], "district": ""}).status_code == 422
    assert admin.send(page, {"district": ""}).status_code == 422
    assert admin.send(f"{page}/end-sessions").location == f"{page}?done=sessions-ended"
    assert not one.is_in()
    assert admin.send(f"{page}/reset-totp").status_code == 200
    clock.advance(seconds=60)
    assert one.log_in().status_code == 401, "the old secret"
    assert admin.send(f"{page}/disable").location == f"{page}?done=disabled"
    assert "已停用" in text_of(admin.get("/console/officers"))


def test_who_forgot_the_password_gets_one_from_an_administrator_and_chooses_their_own(
    console: Services, desk: Callable[..., Desk], clock: StandingClock
) -> None:
    admin, one = desk("administrator"), desk("recorder", username="officer-2")
    page, new = f"/console/officers/{_id_of(console, 'officer-2')}", "another-Word-2020"
    answer = admin.send(f"{page}/reset-password")
    (given,) = re.findall(r"<code>([^<]+)</code>", answer.text)
    assert ("只显示这一次" in text_of(answer), "data:image" in answer.text) == (True, False)
    assert given not in admin.get(page).text
    assert not one.is_in()
    clock.advance(seconds=60)
    assert one.log_in().status_code == 401
    assert one.log_in(password=given).status_code == 303
    asked = one.get(one.get("/console/").location)
    assert "您的密码由管理员设置" in text_of(asked)
    assert "<nav" not in asked.text
    token = re.findall(r'name="form" value="([^"]+)"', asked.text)[-1]
    same = {"current": given, "password": given, "again": given}
    refused = one.send("/console/account/password", same, token=token)
    assert (refused.status_code, "不能与当前密码相同" in text_of(refused)) == (422, True)
    changed = one.send("/console/account/password", {**same, "password": new, "again": new}, token=token)
    assert changed.location == "/console/account?done=password-changed"
    assert one.is_in()
    clock.advance(seconds=60)
    assert [one.log_in(password=word).status_code for word in (given, new)] == [401, 303]


def test_two_buttons_and_one_administrator_do_not_take_an_account_over(
    console: Services, desk: Callable[..., Desk]
) -> None:
    admin = desk("administrator")
    desk("approver", username="officer-2")
    page = f"/console/officers/{_id_of(console, 'officer-2')}"
    assert admin.send(f"{page}/reset-totp").status_code == 200
    refused = admin.send(f"{page}/reset-password")
    assert (refused.status_code, "请由其他管理员设置" in text_of(refused)) == (403, True)
    assert "<code>" not in refused.text
    assert desk("administrator", username="admin-2").send(f"{page}/reset-password").status_code == 200


def test_an_administrator_has_no_other_role(console: Services, desk: Callable[..., Desk]) -> None:
    admin = desk("administrator")
    desk("approver", username="officer-2")
    both = {"roles": ["administrator", "approver"], "district": ""}
    added = admin.send("/console/officers/new", {**both, "username": "new-1", "name": "示例新"})
    changed = admin.send(f"/console/officers/{_id_of(console, 'officer-2')}", both)
    for answer in (added, changed):
        assert (answer.status_code, "系统管理员不能兼任其他角色" in text_of(answer)) == (422, True)


def test_nobody_administers_their_own_account_by_hand(console: Services, desk: Callable[..., Desk]) -> None:
    admin = desk("administrator")
    page = f"/console/officers/{_id_of(console, 'officer-1')}"
    for act in ("", "/disable", "/end-sessions", "/reset-totp", "/reset-password"):
        answer = admin.send(page + act, {"roles": ["administrator", "auditor"], "district": ""})
        assert (answer.status_code, "不能管理自己的账号" in text_of(answer)) == (403, True)
    assert admin.is_in()


def test_names_are_shown_as_text(console: Services, desk: Callable[..., Desk]) -> None:
    admin = desk("administrator")
    filled = {"username": "script-1", "name": SCRIPT, "roles": ["recorder"], "district": ""}
    assert admin.send("/console/officers/new", filled).status_code == 200
    paths = ("/console/officers", f"/console/officers/{_id_of(console, 'script-1')}")
    for path in (*paths, f"/console/?done={SCRIPT}&lang={SCRIPT}", f"/console/{SCRIPT}"):
        assert "<script" not in admin.get(path).text
    wrong = admin.send("/console/officers/new", {**filled, "username": SCRIPT, "district": SCRIPT})
    assert (wrong.status_code, "<script" in wrong.text) == (422, False)
    assert "<script" not in admin.log_in(username=SCRIPT).text


def _id_of(console: Services, username: str) -> int:
    with console.sessions() as session:
        return session.scalars(select(Officer.id).filter_by(username=username)).one()


# --- what protects forms and pages


def test_a_form_counts_from_our_own_page_in_its_own_session(
    console: Services, console_app: Flask, desk: Callable[..., Desk]
) -> None:
    me, other = desk("recorder"), desk("recorder", username="officer-2")
    right = me.form_token()
    assert right and right != other.form_token()
    same, cross = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}
    for token, headers in (
        ("", same),
        ("x" * 43, same),
        (other.form_token(), same),
        ("令牌", same),
        (right, cross),
        (right, {"Sec-Fetch-Site": "same-site"}),
        (right, {"Sec-Fetch-Site": "none"}),
        (right, {**cross, "Origin": "http://localhost"}),
        (right, {"Origin": "http://elsewhere.example"}),
        (right, {"Origin": "null"}),
        (right, {}),
    ):
        answer = me.send("/console/logout", token=token, headers=headers)
        assert (answer.status_code, "此表单已失效" in text_of(answer)) == (403, True), (token, headers)
    assert me.is_in()
    assert me.send("/console/logout", token=right, headers={"Origin": "http://localhost"}).status_code == 303


def test_nobody_is_logged_in_by_another_site(console: Services, console_app: Flask) -> None:
    make_officer(console, "officer-1")
    me = Desk(console_app, console)
    filled = {"username": "officer-1", "password": PASSWORD, "code": me.code()}
    assert me.send("/console/login", filled, token="", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert me.send("/console/login", filled, token="", headers=OWN_PAGE).status_code == 303


def test_every_answer_has_the_headers(console: Services, desk: Callable[..., Desk]) -> None:
    me = desk("administrator")
    for path in ("/console", "/console/", "/console/login", "/console/officers", "/console/nothing", "/console/logout"):
        headers = me.get(path).headers
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ), path
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
    local = in_environment(console, "local").test_client().get("/console/login")
    assert "Strict-Transport-Security" not in local.headers


def test_no_page_has_a_script_or_a_style_of_its_own(desk: Callable[..., Desk]) -> None:
    me = desk("administrator")
    for path in ("/console/", "/console/login", "/console/account", "/console/officers", "/console/officers/new"):
        page = me.get(path).text
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|https?://", page), path


@pytest.mark.parametrize("language", ["zh", "en"])
def test_refusals_are_pages_in_the_officers_language(
    language: str, console: Services, desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = desk("recorder")
    me.client.set_cookie("console-language", language, path="/console")

    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError(PASSWORD)

    def read(answer: Any) -> str:
        assert answer.mimetype == "text/html"
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
        return text_of(answer)

    words = {"zh": ("无权", "太大", "不支持"), "en": ("may not", "too large", "not")}[language]
    forbidden = me.get("/console/officers")
    assert (forbidden.status_code, words[0] in read(forbidden)) == (403, True)
    assert (me.get("/console/nothing").status_code, bool(read(me.get("/console/nothing")))) == (404, True)
    assert me.get("/console/logout").status_code == 405
    large = me.send("/console/account/password", {"current": "x" * 20_000})
    assert (large.status_code, bool(read(large))) == (413, True)
    monkeypatch.setattr("app.staff.sessions.list_active", breaks)
    broken = me.get("/console/account")
    assert (broken.status_code, PASSWORD in read(broken)) == (500, False)


def test_english_is_chosen_on_a_page_and_kept(desk: Callable[..., Desk]) -> None:
    me = desk("recorder")
    assert "My account" in text_of(me.get("/console/?lang=en"))
    assert "My account" in text_of(me.get("/console/"))
    assert "我的账号" in text_of(me.get("/console/?lang=zh"))
    assert "我的账号" in text_of(me.get("/console/?lang=xx"))


def test_every_sentence_of_the_pages_is_there_and_none_is_left_over() -> None:
    from pathlib import Path

    named: set[str] = set()
    code = ""
    quoted: set[str] = set()  # also the headings that a page gives to a macro
    for file in Path("app/console").rglob("*.html"):
        quoted |= set(re.findall(r'"([\w-]+\.[\w.-]*\w)"', file.read_text(encoding="utf-8")))
        for asked in re.findall(r"\bt\(([^()]*)\)", file.read_text(encoding="utf-8")):  # one, or one of several
            named |= set(re.findall(r"""['"]([\w-]+\.[\w.-]*\w)['"]""", asked))
    for source in Path("app/console").rglob("*.py"):
        code += source.read_text(encoding="utf-8")
    import tomllib

    sections = tomllib.loads(Path("app/console/texts.toml").read_text(encoding="utf-8"))
    there = {f"{section}.{slug}" for section in sections for slug in slugs(section)}
    composed = {place for place in there if place.split(".")[0] in COMPOSED}
    composed |= {f"entry.{act}" for act in ("reject", "withdraw")}
    composed |= {f"entries.of-{state}" for state in ("waiting", "urgent", "held")}
    composed |= {f"corrections.{slug}" for slug in ("waiting", "proposed", "of-another", "other-birthday")}
    composed |= {f"follow-ups.receiver-{recipient}" for recipient in RECIPIENTS}
    composed |= {f"audit.{when}" for when in ("recorded", "lapses", "lapsed")}
    composed |= {f"officer.{slug}" for act in ("end", "password", "reset", "disable") for slug in (act,)}
    composed |= {
        f"officer.{slug}"
        for act, title in (
            ("end", "sessions"),
            ("password", "password-title"),
            ("totp", "totp"),
            ("disable", "disable-title"),
        )
        for slug in (title, f"{act}-hint")
    }
    composed |= {f"{section}.{slug}" for section, slug in re.findall(r'\btext\("([\w-]+)", "([\w-]+)"', code)}
    composed.add("refusal.busy-hint")  # of the page that is drawn without a template
    shared = tomllib.loads(Path("app/core/texts.toml").read_text(encoding="utf-8"))["announced"]  # with citizens
    assert named - {f"announced.{slug}" for slug in shared} <= there
    assert there - named - quoted - composed == set()
    told = {slug for slug in slugs("done") if not slug.startswith("entry-")}  # the entry's state names those
    assert {f'"{slug}"' in code for slug in told} == {True}


def test_the_colors_are_those_of_the_mini_program() -> None:
    from pathlib import Path

    def tokens(file: str) -> dict[str, str]:
        found = re.findall(r"(--[\w-]+): (#\w+);", Path(file).read_text(encoding="utf-8"))
        return dict(reversed(found))  # the first of each: those of high contrast come after

    ours, theirs = tokens("app/console/static/console.css"), tokens("miniprogram_stub/app.wxss")
    assert ours
    assert {name: theirs.get(name) for name in ours} == ours
