"""场所入驻: a mall applies; its manager adds an inspector, cuts a lost phone off, reads counts and hands it over."""

import secrets
import time
from typing import Any

from app.core.identity.credit_codes import is_credit_code
from devstack.demo.actors import Citizen, World
from devstack.demo.office import Desk
from devstack.demo.transcript import expect

_VENUES, _ADMINISTRATOR = "/api/v1/venues", "demo-administrator"
_OWN_PASSWORD = "Gate-7b1e9c-2020"  # noqa: S105 - of an invented person
_CUT_OFF_SECONDS = 5.0


def run_a_venue(world: World) -> None:
    step = world.transcript.step
    with step("商场负责人注册、申报，申请场所 · who runs a mall registers, declares and applies"):
        manager, heir = _citizen(world, "示例店长"), _citizen(world, "示例副店长")
        world.citizens["mall"], world.citizens["venue"] = manager, heir  # who manages it in the end
        manager.subscribe(1)
        answer = manager.call("POST", f"{_VENUES}/applications", _form())
        expect(answer.status_code, 201, "the status")
    venue = _approve(world, manager, answer.json()["id"])
    _lose_a_phone(world, manager, venue)
    with step("按入口、按小时的次数，小数隐藏 · counts by entrance and hour, small numbers hidden"):
        world.wait_until("the roll-up", lambda: _hours(manager, venue) == ["<10"])
        expect(_hours(manager, venue), ["<10"], "what passed")
    with step("移交场所，对方接受后生效 · the venue is handed over, once the other accepts"):
        person = {"name": heir.name, "document": {"type": "id-card", "number": heir.document}}
        expect(_act(manager, "handovers", venue, **person).status_code, 202, "the status")
        expect(_act(heir, "handovers/accept", venue).status_code, 204, "the status")
        expect([len(one.look(_VENUES)["venues"]) for one in (manager, heir)], [0, 1], "venues that each manages")


def _citizen(world: World, name: str) -> Citizen:
    citizen = Citizen(world, name)
    citizen.log_in_with_wechat()
    expect(citizen.register().status_code, 201, "the status")
    expect(citizen.declare().json()["state"], "GREEN", "the state")
    return citizen


def _form() -> dict[str, Any]:
    """An invented mall with another name and another code each time."""
    begin = f"91220101MA{secrets.randbelow(10**7):07d}"
    code = next(code for last in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_credit_code(code := begin + last))
    return {
        "name": f"示例商场{secrets.token_hex(3)}",
        "kind": "mall",
        "district": "长春市",
        "address": "示例大街 1 号",
        "credit_code": code,
        "hours": ["08:00-22:00"] * 7,
        "entrances": ["东门", "西门"],
    }


def _approve(world: World, manager: Citizen, application: int) -> dict[str, Any]:
    """Have an administrator approve; return the venue as its manager sees it."""
    before = len(manager.messages())
    with world.transcript.step(
        "系统管理员查看后批准，微信通知 · an administrator sees and approves it; WeChat says so"
    ):
        desk, page = Desk(world.place.web, _ADMINISTRATOR), f"/console/venues/applications/{application}"
        desk.read(page)
        world.transcript.asked(f"{_ADMINISTRATOR} POST /console/venues/applications/…/approve")
        desk.send(f"{page}/approve")
        [venue] = manager.look(_VENUES)["venues"]
        expect([one["name"] for one in venue["entrances"]], ["东门", "西门"], "the entrances")
        world.wait_until("the message", lambda: len(manager.messages()) == before + 1)
        world.transcript.note("微信: " + " | ".join(part["value"] for part in manager.messages()[-1]["fields"]))
    return dict(venue)


def _lose_a_phone(world: World, manager: Citizen, venue: dict[str, Any]) -> None:
    step, username = world.transcript.step, f"gate-{secrets.token_hex(3)}"
    with step("负责人添加查验员，本人首次登录自设密码 · an inspector is added, and chooses a password"):
        place = venue["entrances"][0]["id"]
        given = _act(manager, "inspectors", venue, entrance=place, username=username).json()["password"]
        expect(_log_in(world, username, given).status_code, 403, "the status with the given password")
        lost = _log_in(world, username, given, new_password=_OWN_PASSWORD).json()["session"]
        kept = _log_in(world, username, _OWN_PASSWORD).json()["session"]
        expect(_check(world, manager, kept), "pass", "the action")
    with step("手机丢失：那一次登录立即被拒绝，另一部继续 · a lost phone is refused at once, the other goes on"):
        [inspector] = manager.look(_VENUES)["venues"][0]["inspectors"]
        session = inspector["sessions"][-1]["id"]
        began = time.monotonic()
        ended = _act(manager, "inspectors/sessions/end", venue, inspector=inspector["id"], session=session)
        expect(ended.status_code, 204, "the status")
        expect([_check(world, manager, one) for one in (lost, kept)], [401, "pass"], "what each is answered")
        seconds = time.monotonic() - began
        expect(seconds < _CUT_OFF_SECONDS, True, "cut off in time")
        world.transcript.note(f"{seconds:.2f} s")


def _act(citizen: Citizen, act: str, venue: dict[str, Any], **body: Any) -> Any:
    return citizen.call("POST", f"{_VENUES}/{act}", {"venue": venue["id"], **body})


def _log_in(world: World, username: str, password: str, **more: str) -> Any:
    return world.call("POST", "/api/v1/stations/login", body={"username": username, "password": password, **more})


def _check(world: World, citizen: Citizen, session: str) -> str | int:
    """The action for somebody at the entrance, or the status of a refusal."""
    token = citizen.look("/api/v1/code")["token"]
    answer = world.call("POST", "/api/v1/checks", body={"token": token}, session=session)
    return str(answer.json()["action"]) if answer.ok else answer.status_code


def _hours(manager: Citizen, venue: dict[str, Any]) -> list[str]:
    east = manager.look(f"{_VENUES}/counts?venue={venue['id']}")["entrances"][0]
    return [one["passed"] for one in east["hours"]]
