"""家人: a grandmother and a child on one phone, through orange and back, by consent."""

from datetime import datetime, timedelta
from typing import Any

from app.citizens.documents import check_digit
from app.core.clock import BEIJING
from devstack.demo.actors import Citizen, World
from devstack.demo.transcript import expect

_FAMILY = "/api/v1/family"
_CHILD = "示例孩"


def live_as_a_family(world: World) -> None:
    step = world.transcript.step
    with step("母亲与祖母注册并申报 · a mother and a grandmother register and declare"):
        mother, grandmother = _citizen(world, "示例母", "19860101"), _citizen(world, "示例祖母", "19400101")
    mother.subscribe(4)
    _agree(world, mother, grandmother)
    child = _add_child(world, mother)
    with step("一部手机三个码，各是各的令牌 · three codes on one phone, each with a token of its own"):
        tokens = {member["code"]["token"] for member in _members(mother)} | {mother.code()["token"]}
        expect(len(tokens), 3, "the number of tokens")
    until = _turn_orange(world, mother, grandmother, child)
    _come_back(world, mother, grandmother, until)
    with step("祖母结束，即刻不再出示 · the grandmother ends it, and at once she is not shown"):
        holder = grandmother.look(f"{_FAMILY}/holders")["holders"][0]
        world.transcript.note(f"今天出示 shown today: {holder['shown_today']}")
        answer = grandmother.call("POST", f"{_FAMILY}/holders/end", {"id": holder["id"]})
        expect(answer.status_code, 204, "the status")
        expect([member["consent"] for member in _members(mother)], ["guardian"], "who is left")


def _citizen(world: World, name: str, born: str) -> Citizen:
    citizen = Citizen(world, name)
    citizen.document = _number(born, citizen.document)
    citizen.log_in_with_wechat()
    expect(citizen.register().status_code, 201, "the status")
    expect(citizen.declare().json()["state"], "GREEN", "the state")
    return citizen


def _number(born: str, like: str) -> str:
    """A number of somebody born that day, with the sequence of another invented one."""
    first = f"229999{born}{like[14:17]}"
    return first + check_digit(first)


def _named(name: str, number: str) -> dict[str, Any]:
    return {"name": name, "document": {"type": "id-card", "number": number}}


def _members(holder: Citizen) -> list[dict[str, Any]]:
    members: list[dict[str, Any]] = holder.look(_FAMILY)["members"]
    return members


def _agree(world: World, mother: Citizen, grandmother: Citizen) -> None:
    step = world.transcript.step
    with step("邀请：本人、错误姓名、无此人，答复一样 · an invitation: right, wrong name, nobody: one answer"):
        people = ((grandmother.name, grandmother.document), ("示例他人", grandmother.document))
        unknown = ("示例无人", _number("19410101", grandmother.document))
        for name, number in (*people, unknown):
            answer = mother.call("POST", f"{_FAMILY}/invitations", _named(name, number))
            expect((answer.status_code, list(answer.json())), (202, ["expires_at"]), "the answer")
        expect(_members(mother), [], "who is shown before anybody agreed")
    with step("祖母看到是谁，同意并允许代为申报 · she sees who asks, and agrees, to declarations too"):
        [asked] = grandmother.call("GET", f"{_FAMILY}/invitations").json()["invitations"]
        world.transcript.note(f"{asked['name']} · …{asked['phone_ends']}")
        accepted = {"id": asked["id"], "may_declare": True}
        expect(grandmother.call("POST", f"{_FAMILY}/invitations/accept", accepted).status_code, 201, "the status")
        expect([one["code"]["state"] for one in _members(mother)], ["GREEN"], "the codes that are shown")


def _add_child(world: World, mother: Citizen) -> str:
    """Add a child, and return its number."""
    number = _number("20150501", mother.document)
    child = {**_named(_CHILD, number), "consent": True}
    with world.transcript.step("不是监护人的，不能添加孩子 · who is no guardian adds no child"):
        answer = mother.call("POST", f"{_FAMILY}/children", child)
        expect((answer.status_code, answer.json()["type"]), (422, "/problems/not-guardian"), "the answer")
    with world.transcript.step("国家平台核实监护关系，代为申报：绿码 · the platform vouches; declared for: green"):
        known = {"name": _CHILD, "born_on": "2015-05-01", "guardians": [mother.document]}
        world.platform("PUT", f"/sandbox/people/{number}", known)
        answer = mother.call("POST", f"{_FAMILY}/children", child)
        expect(answer.status_code, 201, "the status")
        expect(_declare_for(mother, answer.json()["id"])["state"], "GREEN", "the state")
    return number


def _declare_for(holder: Citizen, member: str) -> dict[str, Any]:
    statement = {"id": member, "symptoms": [], "contact": False, "consent": True}
    answer: dict[str, Any] = holder.call("POST", f"{_FAMILY}/members/declarations", statement).json()
    return answer


def _turn_orange(world: World, mother: Citizen, grandmother: Citizen, child: str) -> datetime:
    """Both become orange; returns the end of it."""
    step, before = world.transcript.step, len(mother.messages())
    today = world.now().astimezone(BEIJING).date()
    with step("祖母和孩子登记为密接：橙码，母亲仍绿 · both are contacts: orange, and the mother stays green"):
        for number in (grandmother.document, child):
            expect(world.office.record(number, "contact", exposed_on=today), "ORANGE", "the state")
        members = _members(mother)
        expect([one["code"]["state"] for one in members], ["ORANGE", "ORANGE"], "the codes that are shown")
        expect(mother.state(), "GREEN", "the state")
    with step("母亲的微信收到两条提醒，写明是谁 · two messages reach the mother's WeChat, and say who"):
        world.wait_until("two messages", lambda: len(mother.messages()) == before + 2)
        for message in mother.messages()[before:]:
            world.transcript.note("微信: " + " | ".join(part["value"] for part in message["fields"]))
    return datetime.fromisoformat(members[0]["code"]["until"])


def _come_back(world: World, mother: Citizen, grandmother: Citizen, until: datetime) -> None:
    with world.transcript.step("期满前由母亲代为申报，期满皆转绿 · declared for by the mother: green when it is over"):
        world.advance_clock(until - timedelta(hours=3))
        for person in (mother, grandmother):
            person.log_in_with_wechat()
        for member in _members(mother):
            expect(_declare_for(mother, member["id"])["state"], "ORANGE", "the state")
        world.advance_clock(until)
        green = ["GREEN", "GREEN"]
        world.wait_until("GREEN", lambda: [one["code"]["state"] for one in _members(mother)] == green)
