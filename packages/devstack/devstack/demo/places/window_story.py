"""The chapter of the service window: somebody without a phone, a lost phone, and a clerk who enumerates people."""

import html
import re
from dataclasses import dataclass, field
from datetime import timedelta

from app.citizens.documents import check_digit
from devstack.demo.actors import Citizen, World
from devstack.demo.office import Desk
from devstack.demo.transcript import NotTrue, expect
from devstack.officers import WINDOW

CLERK, AUDITOR = "demo-clerk", "demo-auditor"
_NEW_PASSWORD = "Window-5c1d9e-2"  # noqa: S105 - of an invented person
_ENOUGH = 40  # look-ups, more than any ceiling of an hour


@dataclass
class Window:
    """The clerk of the demonstration at their window."""

    world: World
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self.world.place.web, CLERK)

    def send(self, path: str, **filled: str) -> str:
        """Send a form as the clerk; the page to which it leads. Raises NotTrue."""
        self.world.transcript.asked(f"{CLERK} POST {re.sub('[0-9]+', '…', path)}")
        return self.desk.send(path, **filled).partition("?")[0]

    def look_up(self, name: str, number: str) -> str:
        """Look up who is at the window; their visit."""
        return self.send("/console/window", type="id-card", number=number, name=name)

    def register(self, name: str, number: str) -> str:
        """Register who is at the window; their visit."""
        form = {"type": "id-card", "number": number, "name": name, "consent": "yes"}
        return self.send("/console/window/register", **form)

    def color(self, visit: str) -> str:
        """The color that the clerk shows the person."""
        found = re.search(r'class="color (\w+)"', self.desk.read(visit))
        if found is None:
            raise NotTrue("the visit shows no color")
        self.world.transcript.came("at the window", found[1].upper())
        return found[1].upper()


def serve(world: World) -> None:
    window = Window(world)
    _without_a_phone(world, window)
    _lost_phone(world, window)
    _enumerate(world, window)


def _without_a_phone(world: World, window: Window) -> None:
    """Somebody of whom officers know the number alone, and who has no phone."""
    step, now = world.transcript.step, world.now()
    name, number = "示例老人", _number(now.microsecond)
    with step("名单上的密接，没有手机：到窗口注册 · on a contact list, without a phone: registered at the window"):
        exposed = (now - timedelta(days=3)).date()
        world.transcript.came("the code is", world.office.record(number, "contact", exposed_on=exposed))
        visit = window.register(name, number)
        expect(window.color(visit), "ORANGE", "the color")
    with step("解除隔离后到窗口申报，平台核验，转绿 · released, declared at the window, verified: green"):
        world.transcript.came("the code is", world.office.release(number, "contact"))
        visit = window.look_up(name, number)
        window.send(f"{visit}/declare", contact="no", consent="yes")
        expect(window.color(visit), "GREEN", "the color")


def _lost_phone(world: World, window: Window) -> None:
    """Password and phone are lost; whoever has the phone now objects, and an auditor decides."""
    step, citizen = world.transcript.step, Citizen(world, "示例丁")
    citizen.log_in_with_wechat()
    citizen.register()
    with step("忘记密码又丢失手机：窗口找回，旧登录结束 · password and phone lost: recovered, old log-ins end"):
        visit = window.look_up(citizen.name, citizen.document)
        window.send(f"{visit}/recover", password=_NEW_PASSWORD, again=_NEW_PASSWORD)
        expect(citizen.call("GET", "/api/v1/accounts/me").status_code, 401, "the old session")
    with step("原绑定的微信看到提示并提出异议，账号冻结 · who was bound is shown it and objects: frozen"):
        citizen.session = ""
        citizen.log_in_with_wechat()
        shown = citizen.call("GET", "/api/v1/accounts/me/recovery").json()["recovery"]
        expect(shown["window"], WINDOW.name, "the window")
        answer = citizen.call("POST", "/api/v1/accounts/me/recovery/objection", {})
        expect(answer.status_code, 200, "the status")
    with step("审计员决定退还账号，原微信重新绑定 · an auditor gives it back: bound again"):
        auditor = Desk(world.place.web, AUDITOR)
        found = re.search(r"/console/audit/recoveries/\d+/decide", auditor.read("/console/audit?still=yes"))
        if found is None:
            raise NotTrue("the auditor sees no objection")
        auditor.send(found[0], outcome="undone")
        citizen.log_in_with_wechat()
        expect(citizen.call("GET", "/api/v1/accounts/me").status_code, 200, "the account")


def _enumerate(world: World, window: Window) -> None:
    """A clerk looks up one number after another."""
    step = world.transcript.step
    with step("逐个查找号码：达到上限即暂停 · one number after another: held at the ceiling"):
        for attempt in range(_ENOUGH):
            try:
                window.desk.send("/console/window", type="id-card", number=_number(attempt), name="示例某人")
            except NotTrue as refusal:
                if ": 409 " in str(refusal):
                    world.transcript.came(f"held after {attempt} more look-ups")
                    break
        else:
            raise NotTrue("nobody holds a clerk who enumerates people")
    with step("审计员看到预警并放行 · an auditor sees the alarm, and clears it"):
        auditor = Desk(world.place.web, AUDITOR)
        page = html.unescape(auditor.read("/console/audit?still=yes"))
        found = re.search(r"/console/audit/window-holds/\d+/clear", page)
        if found is None:
            raise NotTrue("the auditor sees no held clerk")
        auditor.send(found[0], reason="misunderstood")


def _number(n: int) -> str:
    """An invented number, which no region gives out."""
    first = f"2299991941{1 + n // 1000 % 12:02d}{1 + n // 7 % 28:02d}{n % 1000:03d}"
    return first + check_digit(first)
