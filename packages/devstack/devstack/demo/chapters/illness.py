"""Contact, quarantine and a case, and what the record says of all changes."""

from datetime import datetime, timedelta
from typing import Any

from app.core.clock import BEIJING
from devstack.demo.actors import Citizen, Station, World
from devstack.demo.answers import reasons
from devstack.demo.transcript import expect


def quarantine(world: World) -> None:
    step = world.transcript.step
    symptomatic, silent = _newcomer(world, "b", "示例乙"), _newcomer(world, "c", "示例丙")
    citizen = world.citizens["a"]
    today = world.now().astimezone(BEIJING).date()
    with step("工作人员登记密接：橙码 · an officer records a close contact: orange"):
        for person in (citizen, symptomatic, silent):
            expect(world.record(person, "contact", exposed_on=today), "ORANGE", "the state")
        reason = reasons(world, citizen, "ORANGE", "ORANGE-CONTACT")
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
        reasons(world, citizen, "GREEN", "GREEN-VERIFIED")
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
        reasons(world, citizen, "RED", "RED-SUSPECTED")
    with step("确诊：红码 · confirmed: red"):
        world.record(citizen, "confirmed")
        reasons(world, citizen, "RED", "RED-CONFIRMED")
    with step("正常体温不能使红码变轻 · a normal temperature makes a red code no milder"):
        _on_duty(world)
        expect(_station(world).measure(citizen, 36.5)["state"], "RED", "the state")
    with step("痊愈：先转橙码观察，不直接转绿 · recovered: orange under observation first, never straight to green"):
        world.record(citizen, "recovered")
        reason = reasons(world, citizen, "ORANGE", "ORANGE-RECOVERED")
        end = datetime.fromisoformat(reason["until"])
    with step(
        "另一人疑似后排除：重新核验前不转绿 · another, suspected and ruled out: not green before re-verification"
    ):
        expect(world.record(other, "suspected"), "RED", "the state")
        expect(world.record(other, "ruled-out"), "ORANGE", "the state")
        world.wait_until("GREEN by re-verification", lambda: other.state() == "GREEN")
        reasons(world, other, "GREEN", "GREEN-VERIFIED")
    with step("观察期满并无症状申报：转绿 · observation over, and declared well: green"):
        world.advance_clock(end - timedelta(hours=3))
        _back_in(world)
        citizen.declare()
        world.advance_clock(end)
        world.wait_until("GREEN", lambda: citizen.state() == "GREEN")
        reasons(world, citizen, "GREEN", "GREEN-VERIFIED")


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
