"""The first day: registered, declared, green, and measured at a station."""

import io
from datetime import timedelta

from devstack.demo.actors import PASSWORD, Citizen, Station, World
from devstack.demo.answers import reasons, slug
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
        expect(slug(citizen.call("POST", "/api/v1/wechat/login", {"code": code})), "wechat-code-refused", "the problem")
    with step("实名注册，返回内容已脱敏 · register with name, document and phone; the answer is masked"):
        answer = citizen.register()
        expect(answer.status_code, 201, "the status")
        if citizen.document in answer.text or "示例甲" in answer.text:
            raise NotTrue("name and number should be masked in the answer")
    with step("退出登录，旧会话作废 · log out; the old session is worth nothing"):
        expect(citizen.call("POST", "/api/v1/accounts/logout").status_code, 204, "the status")
        expect(slug(citizen.call("GET", "/api/v1/code")), "session-expired", "the problem")
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
        expect(slug(citizen.call("GET", entries["查看吉祥码"])), "not-declared", "the problem")


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
        reasons(world, citizen, "GREEN", "GREEN-VERIFIED")


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
