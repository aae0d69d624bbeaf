"""The chapter of one's own data: taken along, corrected on the platform's word, and deleted with a certificate."""

import json
import re

from devstack.demo.actors import PASSWORD, Citizen, World
from devstack.demo.office import Desk
from devstack.demo.transcript import expect

_ACCOUNT = "/api/v1/accounts/me"


def own_data(world: World) -> None:
    step = world.transcript.step
    citizen = world.citizens["data"] = Citizen(world, "示例庚")
    with step("示例庚 注册并申报 · one more citizen registers and declares"):
        citizen.log_in_with_wechat()
        citizen.register()
        expect(citizen.declare().json()["state"], "GREEN", "the state")
    with step("只凭会话不能导出 · a session alone exports nothing"):
        expect(citizen.call("POST", f"{_ACCOUNT}/export", {}).status_code, 422, "the status")
    with step("导出全部数据：JSON 和 PDF · everything that is kept, as JSON and as PDF"):
        made = citizen.call("POST", f"{_ACCOUNT}/export", {"password": PASSWORD}).json()
        expect((made["account"]["name"], len(made["declarations"])), (citizen.name, 1), "name and declarations")
        world.transcript.note(
            " · ".join(f"{part} {len(rows)}" for part, rows in made.items() if isinstance(rows, list))
        )
        page = citizen.call("POST", f"{_ACCOUNT}/export.pdf", {"wechat_code": citizen.wx_login()})
        expect((page.status_code, page.content[:5]), (200, b"%PDF-"), "the file")
    with step("导出记入「谁看过我的记录」 · the export is in the list that the person reads"):
        newest = citizen.call("GET", "/api/v1/record/access").json()["entries"][0]
        expect(newest["what"]["action"], "exported", "the action")
    with step("更正姓名：国家平台不认可的不改 · a name that the platform denies changes nothing"):
        world.platform("PUT", f"/sandbox/people/{citizen.document}", {"name": "示例庚新"})
        body = {"name": "示例旁人", "password": PASSWORD}
        expect(citizen.call("PUT", f"{_ACCOUNT}/name", body).status_code, 422, "the status")
    with step("国家平台认可的，立即更正 · one that it knows is corrected at once"):
        answer = citizen.call("PUT", f"{_ACCOUNT}/name", {"name": "示例庚新", "password": PASSWORD})
        expect((answer.status_code, answer.json()["name"]), (200, "示***"), "the name, masked")
    _another_document(world, citizen)
    with step("注销账号，得到签名的注销证明 · deleted, with a signed certificate"):
        certificate = citizen.call("POST", f"{_ACCOUNT}/erasure", {"password": PASSWORD}).json()["certificate"]
        expect(citizen.call("GET", "/api/v1/code").status_code, 401, "the status afterwards")
    with step("运维人员凭证明在审计链中找到这次注销 · by it the deletion is found in the audit chain"):
        world.wait_until("the event in the chain", lambda: _place(world, certificate) is not None, seconds=60)
        world.transcript.note(f"{certificate[:24]}…  audit {_place(world, certificate)}")


def _another_document(world: World, citizen: Citizen) -> None:
    """The national platform knows name and phone with a passport too; that is no proof, so two officers check."""
    step, appeals, approver = world.transcript.step, Desk(world.place.web, "demo-appeals"), world.office.approver
    passport = f"E{world.now().microsecond:08d}"
    with step("改用护照：平台认可，仍须两名工作人员核对 · another document waits for two officers"):
        wish = {"document": {"type": "passport", "number": passport}, "reason": "other-kind", "district": "长春市"}
        answer = citizen.call("PUT", f"{_ACCOUNT}/document", {**wish, "password": PASSWORD})
        expect((answer.status_code, answer.json().get("state")), (200, "waiting"), "status and state")
    with step("一人提请，另一人办理：颜色不变 · one proposes, another does it: the color stays"):
        listed = re.findall(r'href="(/console/corrections/[0-9]+)"', appeals.read("/console/corrections"))
        for desk, act in ((appeals, "propose"), (approver, "confirm")):
            desk.read(listed[-1])
            desk.send(f"{listed[-1]}/{act}")
        shown = citizen.call("GET", f"{_ACCOUNT}/document").json()
        expect((shown["state"], shown["account"]["document_type"]), ("done", "passport"), "state and document")
        expect(citizen.code()["state"], "GREEN", "the color")


def _place(world: World, certificate: str) -> int | None:
    """The place of the event in the chain, None until it is sealed."""
    found: int | None = json.loads(world.ask_jixiang("audit", "certificate", certificate, "--json"))["place"]
    return found
