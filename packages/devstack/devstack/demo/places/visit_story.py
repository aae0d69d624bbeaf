"""场所码: a poster, a receipt that is scanned once, a photo that is worth nothing, and a notice of exposure."""

import base64
import json
import secrets
from datetime import timedelta
from typing import Any

from app.core.clock import BEIJING
from devstack.demo.actors import Citizen, Station, World
from devstack.demo.office import APPROVER, RECORDER
from devstack.demo.paper_story import read_page
from devstack.demo.transcript import expect

_VENUES, _RECEIPTS, _EXPOSURES = "/api/v1/venues", "/api/v1/visits/receipts", "/console/exposures"
_OWN_PASSWORD = "Gate-7b1e9c-2020"  # noqa: S105 - of an invented person


def scan_a_venue(world: World) -> None:
    step, manager, visitor = world.transcript.step, world.citizens["venue"], world.citizens["mall"]
    [venue] = manager.look(_VENUES)["venues"]
    body = {"venue": venue["id"], "entrance": venue["entrances"][0]["id"]}
    with step("负责人为入口打印场所码 · the manager prints the code of an entrance"):
        code = _print(world, manager, body)
        gate = _log_in(world, manager, {**body, "username": f"gate-{secrets.token_hex(3)}"})
    with step("居民扫码得到一分钟的凭证，查验员扫描放行；再用无效 · a receipt for a minute, scanned once"):
        receipt = _scan(visitor, code).json()
        world.transcript.note(" · ".join(str(receipt[name]) for name in ("name", "entrance", "word", "expires_in")))
        answers = [_check(world, gate, receipt["receipt"]) for _ in range(2)]
        expect((answers[0].json()["action"], _slug(answers[1])), ("pass", "receipt-used"), "the answers")
    with step("照片可在别处扫，凭证在别处无效，谁的颜色都不变 · a photo abroad: refused elsewhere, no color changes"):
        before = len(visitor.look("/api/v1/code/history")["changes"])
        station = Station(world)
        station.log_in()
        abroad = _check(world, station.session, _scan(visitor, code).json()["receipt"])
        expect(_slug(abroad), "receipt-elsewhere", "the problem")
        expect(len(visitor.look("/api/v1/code/history")["changes"]), before, "changes of color")
    with step("立即更换：照片上的旧码作废 · replaced at once: the photo is worth nothing"):
        _print(world, manager, {**body, "at_once": True})
        expect(_slug(_scan(visitor, code)), "venue-code-old", "the problem")
    _publish(world, venue)


def _publish(world: World, venue: dict[str, Any]) -> None:
    """Two officers publish where an infection was; the phones' own list has it, and the server looks for nobody."""
    with world.transcript.step("涉疫公告须两人，手机自行比对 · two officers publish a notice, phones compare it"):
        yesterday = f"{world.now().astimezone(BEIJING) - timedelta(days=1):%Y-%m-%d}"
        world.transcript.asked(f"{RECORDER} POST {_EXPOSURES} · {APPROVER} POST {_EXPOSURES}/…/publish")
        form = {"venue": venue["name"], "day": yesterday, "begins": "9", "ends": "11", "reason": "case"}
        world.office.recorder.send(_EXPOSURES, **form)
        number = world.office.approver.read(_EXPOSURES).split(f"{_EXPOSURES}/", 1)[1].partition("/")[0]
        expect(_published(world, venue), 0, "notices before the second officer")
        world.office.approver.send(f"{_EXPOSURES}/{number}/publish")
        expect(_published(world, venue), 1, "notices")


def _published(world: World, venue: dict[str, Any]) -> int:
    payload = world.call("GET", "/api/v1/visits/exposures").json()["payload"]
    notices = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["notices"]
    return sum(one["venue"] == venue["id"] for one in notices)


def _print(world: World, manager: Citizen, body: dict[str, Any]) -> str:
    """Make the next print; return what a camera reads from its poster."""
    expect(manager.call("POST", f"{_VENUES}/codes", body).status_code, 201, "the status")
    path = f"{_VENUES}/codes/current.pdf?venue={body['venue']}&entrance={body['entrance']}"
    code, words = read_page(manager.call("GET", path).content)
    expect((code[:4], "东门" in words), ("JX4:", True), "what is on the poster")
    world.transcript.note(f"{code[:24]}…  {len(code)} characters")
    return code


def _log_in(world: World, manager: Citizen, body: dict[str, Any]) -> str:
    """Add an inspector who chooses a password; return their session."""
    given = manager.call("POST", f"{_VENUES}/inspectors", body).json()["password"]
    login = {"username": body["username"], "password": given, "new_password": _OWN_PASSWORD}
    return str(world.call("POST", "/api/v1/stations/login", body=login).json()["session"])


def _scan(visitor: Citizen, code: str) -> Any:
    return visitor.call("POST", _RECEIPTS, {"code": code})


def _check(world: World, session: str, receipt: str) -> Any:
    return world.call("POST", "/api/v1/checks", body={"token": receipt}, session=session)


def _slug(answer: Any) -> str:
    return str(answer.json()["type"]).rsplit("/", 1)[-1]
