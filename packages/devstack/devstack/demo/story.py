"""The story, chapter by chapter: what is done, and what must come of it."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from app.core.clock import BEIJING
from devstack.demo.actors import PASSWORD, Citizen, Station, World
from devstack.demo.chapters.after_red import follow_up
from devstack.demo.chapters.devices import pass_machines
from devstack.demo.data_story import own_data
from devstack.demo.document_story import check_documents
from devstack.demo.family_story import live_as_a_family
from devstack.demo.message_story import follow_official_account, get_text_messages
from devstack.demo.paper_story import carry_paper
from devstack.demo.places.venue_story import run_a_venue
from devstack.demo.places.visit_story import scan_a_venue
from devstack.demo.places.window_story import serve
from devstack.demo.transcript import NotTrue, expect


def log_in(world: World) -> None:
    citizen = Citizen(world, "示例甲")
    world.citizens["a"] = citizen
    step = world.transcript.step
    with step("wx.login 换取会话，尚无账号 · a wx.login code becomes a session, without an account"):
        code = citizen.wx_login()
        answer = citizen.call("POST", "/api/v1/wechat/login", {"code": code})
        expect((answer.status_code, answer.json()["account"]), (200, None), "the answer")
        citizen.session = answer.json()["session"]
    with step("同一登录凭证不可再用 · the same code does not work twice"):
        expect(
            _slug(citizen.call("POST", "/api/v1/wechat/login", {"code": code})), "wechat-code-refused", "the problem"
        )
    with step("实名注册，返回内容已脱敏 · register with name, document and phone; the answer is masked"):
        answer = citizen.register()
        expect(answer.status_code, 201, "the status")
        if citizen.document in answer.text or "示例甲" in answer.text:
            raise NotTrue("name and number should be masked in the answer")
    with step("退出登录，旧会话作废 · log out; the old session is worth nothing"):
        expect(citizen.call("POST", "/api/v1/accounts/logout").status_code, 204, "the status")
        expect(_slug(citizen.call("GET", "/api/v1/code")), "session-expired", "the problem")
    with step("用户名密码登录 · log in with user name and password"):
        citizen.session = ""
        body = {"username": citizen.username, "password": PASSWORD}
        answer = citizen.call("POST", "/api/v1/accounts/login", body)
        expect(answer.status_code, 200, "the status")
    with step("再次微信登录，按 openid 认出 · a second WeChat log-in is recognised by its openid"):
        answer = citizen.log_in_with_wechat()
        expect(answer.json()["account"]["username"], citizen.username, "the account")


def open_menu(world: World) -> None:
    citizen = world.citizens["a"]
    with world.transcript.step("首页有栏目「人人有码、码上行动」 · the home page has the column"):
        columns = citizen.call("GET", "/api/v1/home").json()["columns"]
        column = next((column for column in columns if column["title"] == "人人有码、码上行动"), None)
        if column is None:
            raise NotTrue("the column 人人有码、码上行动 should be on the home page")
        entries = {entry["title"]: entry["call"] for entry in column["entries"]}
        world.transcript.note(" · ".join(entries))
    with world.transcript.step("点「查看吉祥码」：尚未申报 · tap 查看吉祥码: not declared yet"):
        expect(_slug(citizen.call("GET", entries["查看吉祥码"])), "not-declared", "the problem")


def declare(world: World) -> None:
    citizen, step = world.citizens["a"], world.transcript.step
    with step("国家平台不可用时申报：未核验 · declare while the national platform is down: unverified"):
        world.platform("PUT", "/sandbox/switch", {"on": False})
        try:
            answer = citizen.declare()
            expect((answer.status_code, answer.json()["state"]), (202, "UNVERIFIED"), "the answer")
            expect(citizen.code()["state"], "UNVERIFIED", "the code")
        finally:
            world.platform("PUT", "/sandbox/switch", {"on": True})
    with step("平台恢复，居民无需操作即转绿 · the platform is back: green without the citizen doing anything"):
        world.wait_until("GREEN", lambda: citizen.state() == "GREEN")
        _reasons(world, citizen, "GREEN", "GREEN-VERIFIED")


def show_code(world: World) -> None:
    import zxingcpp
    from PIL import Image

    citizen, step = world.citizens["a"], world.transcript.step
    keys = world.call("GET", "/.well-known/jixiang-keys").json()
    with step("吉祥码为 PNG，独立解码器读回令牌 · the code as PNG; an independent decoder reads the token"):
        picture = Image.open(io.BytesIO(citizen.call("GET", "/api/v1/code.png").content))
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
        expect(len(found), 1, "the number of codes in the picture")
        token = found[0].text
        world.transcript.note(f"{token[:24]}…  {len(token)} characters")
    with step("令牌可用公布的公钥离线验证 · the token verifies offline with the published keys"):
        from app.codes.tokens import verify

        expect(verify(token, keys, world.now(), timedelta(seconds=10)).state.name, "GREEN", "the color in the token")
    with step("也有 SVG，带颜色边框、文字与图标 · and as SVG, with colored frame, word and icon"):
        answer = citizen.call("GET", "/api/v1/code.svg")
        expect("<svg" in answer.text and "绿码" in answer.text, True, "a titled SVG")


_TEMPERATURES = ((37.5, "YELLOW", "黄码"), (36.6, "GREEN", "绿码"), (37.3, "YELLOW", "黄码"), (37.2, "GREEN", "绿码"))


def measure(world: World) -> None:
    citizen, step = world.citizens["a"], world.transcript.step
    station = world.station = Station(world)
    with step("居民订阅变码提醒 · the citizen subscribes to notices of change"):
        citizen.subscribe(4)
    with step("查验员登录并扫码：通行 · an inspector logs in and scans: pass"):
        station.log_in()
        expect(station.check(citizen)["action"], "pass", "the action")
    for celsius, state, word in _TEMPERATURES:
        with step(f"登记体温 {celsius} ℃：{word}，微信收到提醒 · {celsius} °C registered: {state}, and WeChat tells"):
            before = len(citizen.messages())
            expect(station.measure(citizen, celsius)["state"], state, "the state")
            fields = _next_message(world, citizen, before)
            expect(fields["phrase1"], word, "the color in the message")
            world.transcript.note("微信: " + " | ".join(fields.values()))


def _next_message(world: World, citizen: Citizen, before: int) -> dict[str, str]:
    """The fields of the WeChat message that comes after the first `before` ones."""
    world.wait_until("the WeChat message", lambda: len(citizen.messages()) > before)
    return {part["key"]: part["value"] for part in citizen.messages()[before]["fields"]}


def quarantine(world: World) -> None:
    step = world.transcript.step
    symptomatic, silent = _newcomer(world, "b", "示例乙"), _newcomer(world, "c", "示例丙")
    citizen = world.citizens["a"]
    today = world.now().astimezone(BEIJING).date()
    with step("工作人员登记密接：橙码 · an officer records a close contact: orange"):
        for person in (citizen, symptomatic, silent):
            expect(world.record(person, "contact", exposed_on=today), "ORANGE", "the state")
        reason = _reasons(world, citizen, "ORANGE", "ORANGE-CONTACT")
        end = datetime.fromisoformat(reason["until"])
    with step("查验点劝返橙码，并告知去处 · the station stops an orange code and says where to turn"):
        _on_duty(world)
        answer = _station(world).check(citizen)
        expect(answer["action"], "stop", "the action")
        world.transcript.note(answer["instruction"])
    with step(
        "隔离最后一天：仍为橙码；甲无症状申报，乙有症状 · the last day: still orange; one declares well, one ill"
    ):
        world.advance_clock(end - timedelta(hours=3))
        _back_in(world)
        expect(citizen.declare().json()["state"], "ORANGE", "the state")
        expect(symptomatic.declare("cough").json()["state"], "ORANGE", "the state")
    with step("期满，时钟自行触发核验：甲转绿 · quarantine is over: the clock alone turns the first one green"):
        world.advance_clock(end)
        world.wait_until("GREEN", lambda: citizen.state() == "GREEN")
        _reasons(world, citizen, "GREEN", "GREEN-VERIFIED")
    with step("有症状者仍为橙码，并被告知缺什么 · with symptoms it stays orange, and says what is missing"):
        _stays_orange(world, symptomatic, "symptom-free-declaration")
    with step("未再申报者仍为橙码，并被告知缺什么 · without a fresh declaration it stays orange, and says so"):
        _stays_orange(world, silent, "declaration")
    with step("补报后转绿 · declared at last: green"):
        expect(silent.declare().json()["state"], "GREEN", "the state")


def fall_ill(world: World) -> None:
    step = world.transcript.step
    citizen, other = world.citizens["a"], world.citizens["c"]
    with step("疑似：红码 · suspected: red"):
        world.record(citizen, "suspected")
        _reasons(world, citizen, "RED", "RED-SUSPECTED")
    with step("确诊：红码 · confirmed: red"):
        world.record(citizen, "confirmed")
        _reasons(world, citizen, "RED", "RED-CONFIRMED")
    with step("正常体温不能使红码变轻 · a normal temperature makes a red code no milder"):
        _on_duty(world)
        expect(_station(world).measure(citizen, 36.5)["state"], "RED", "the state")
    with step("痊愈：先转橙码观察，不直接转绿 · recovered: orange under observation first, never straight to green"):
        world.record(citizen, "recovered")
        reason = _reasons(world, citizen, "ORANGE", "ORANGE-RECOVERED")
        end = datetime.fromisoformat(reason["until"])
    with step(
        "另一人疑似后排除：重新核验前不转绿 · another, suspected and ruled out: not green before re-verification"
    ):
        expect(world.record(other, "suspected"), "RED", "the state")
        expect(world.record(other, "ruled-out"), "ORANGE", "the state")
        world.wait_until("GREEN by re-verification", lambda: other.state() == "GREEN")
        _reasons(world, other, "GREEN", "GREEN-VERIFIED")
    with step("观察期满并无症状申报：转绿 · observation over, and declared well: green"):
        world.advance_clock(end - timedelta(hours=3))
        _back_in(world)
        citizen.declare()
        world.advance_clock(end)
        world.wait_until("GREEN", lambda: citizen.state() == "GREEN")
        _reasons(world, citizen, "GREEN", "GREEN-VERIFIED")


def explain(world: World) -> None:
    citizen = world.citizens["a"]
    with world.transcript.step(
        "每次变码都有规则、依据、机关与时间，中英对照 · every change is explained, in both languages"
    ):
        changes = citizen.call("GET", "/api/v1/code/history").json()["changes"]
        for change in reversed(changes):
            _explained(change)
            rule, authorities = change["rule"], sorted({item["authority"] for item in change["evidence"]})
            world.transcript.note(
                f"{change['decided_at']}  {change['previous']} → {change['state']}  {rule['rule']}  "
                f"{rule['title']['zh']} / {rule['title']['en']}  {'、'.join(authorities)}"
            )
        colors = {change["color"] for change in changes}
        expect(colors >= {"GREEN", "YELLOW", "ORANGE", "RED"}, True, "all four colors in the history")


def _newcomer(world: World, key: str, name: str) -> Citizen:
    """One more citizen, registered and green."""
    with world.transcript.step(f"{name} 注册并申报 · one more citizen registers and declares"):
        citizen = world.citizens[key] = Citizen(world, name)
        citizen.log_in_with_wechat()
        expect(citizen.register().status_code, 201, "the status")
        expect(citizen.declare().json()["state"], "GREEN", "the state")
    return citizen


def _back_in(world: World) -> None:
    """Everybody opens the mini-program again: their sessions have ended while the clock ran ahead."""
    for citizen in world.citizens.values():
        citizen.log_in_with_wechat()


def _on_duty(world: World) -> None:
    """The inspector's shift has ended with the days that passed: they log in anew."""
    _station(world).log_in()


def _station(world: World) -> Station:
    assert world.station is not None
    return world.station


def _reasons(world: World, citizen: Citizen, state: str, rule: str) -> dict[str, Any]:
    """Look at the code; its first reason, which must be the rule."""
    code = citizen.code()
    expect((code["state"], code["reasons"][0]["rule"]), (state, rule), "state and rule")
    reason: dict[str, Any] = code["reasons"][0]
    until = f"，至 {reason['until']}" if reason["until"] else ""
    world.transcript.note(
        f"{reason['title']}：{reason['explanation']}（{'、'.join(reason['authorities'])}，自 {reason['since']}{until}）"
    )
    return reason


def _stays_orange(world: World, citizen: Citizen, missing: str) -> None:
    world.wait_until("the look by the clock", lambda: bool(citizen.look("/api/v1/code").get("missing")))
    code = citizen.code()
    expect(
        (code["state"], [item["id"] for item in code["missing"]]), ("ORANGE", [missing]), "state and what is missing"
    )
    world.transcript.note(code["missing"][0]["text"])


def _explained(change: dict[str, Any]) -> None:
    """Raises NotTrue unless a change of color names rule, evidence, authority and times in both languages."""
    for part in ("title", "explanation", "advice"):
        there = {language for language, words in change["rule"][part].items() if words}
        expect({"zh", "en"} <= there, True, f"both languages of {part}")
    expect(
        all(item["authority"] and item["at"] for item in change["evidence"]), True, "authority and time of all evidence"
    )
    expect(bool(change["evidence"]), True, "evidence behind a change")


def _slug(answer: Any) -> str:
    """The slug of a problem."""
    return str(answer.json().get("type", "")).rsplit("/", 1)[-1]


CHAPTERS: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("登录与注册 · Log-in and registration", log_in),
    ("首页与栏目 · Home page and column", open_menu),
    ("申报与核验 · Declaration and verification", declare),
    ("出示吉祥码 · The code", show_code),
    ("查验与体温 · Check and temperature", measure),
    ("证件查验 · Check by document", check_documents),
    ("闸机与公交 · Gates and a bus", pass_machines),
    ("密接与隔离 · Contact and quarantine", quarantine),
    ("病例 · A case", fall_ill),
    ("红码之后 · After red", follow_up),
    ("服务窗口 · The service window", serve),
    ("场所入驻 · A venue", run_a_venue),
    ("场所码 · Venue codes", scan_a_venue),
    ("变码记录 · History", explain),
    ("没有订阅 · Without subscription", get_text_messages),
    ("公众号 · The official account", follow_official_account),
    ("家人 · Family", live_as_a_family),
    ("纸质码 · A card on paper", carry_paper),
    ("我的数据 · My data", own_data),
)
