"""The chapter after red: handed over, received and taken in, a check that alerts, and the discharge."""

import re

from devstack.demo.actors import Citizen, World
from devstack.demo.office import APPROVER, RECORDER
from devstack.demo.transcript import NotTrue, expect

_LIST = "/console/follow-ups"


def follow_up(world: World) -> None:
    step, citizen = world.transcript.step, Citizen(world, "示例壬")
    with step("确诊转红：跟进任务移交医院和社区 · confirmed: red, handed over to a hospital and a community"):
        citizen.log_in_with_wechat()
        citizen.register()
        citizen.declare()
        expect(world.record(citizen, "confirmed"), "RED", "the state")
        world.wait_until("the follow-ups", lambda: len(_next(citizen)) == 2)
        world.transcript.note(" · ".join(_next(citizen).values()))
    with step("列表只有编号，没有姓名 · the list has numbers and no name"):
        page = world.office.recorder.read(_LIST)
        expect(citizen.name in page or citizen.document in page, False, "a name in the list")
        hospital = _newest(world, "医院名称")
    with step("移交、另一人确认接收、入院：颜色不变 · handed over, received, in hospital: still red"):
        _act(world, RECORDER, hospital, act="hand-over", receiver="示例医院")
        _act(world, APPROVER, hospital, act="receive")
        _act(world, RECORDER, hospital, act="admit", reference="示例入院 001")
        expect(citizen.code()["state"], "RED", "the state")
        world.transcript.note(_next(citizen)["hospital"])
    with step("红码被查验：辖区只看到小时和编号 · checked: the district sees an hour and a number"):
        assert world.station is not None
        world.station.log_in()
        for _ in range(3):
            expect(world.station.check(citizen)["action"], "stop", "the action")
        hours = re.compile(r"\d\d:00–\d\d:00")
        world.wait_until("the alert", lambda: bool(hours.search(world.office.recorder.read(_LIST))))
        world.transcript.came("the district sees", hours.findall(world.office.recorder.read(_LIST))[0])
    with step("出院按录入办理，转橙码，医院任务结束 · discharged: orange, the hospital's follow-up ends"):
        expect(world.record(citizen, "recovered"), "ORANGE", "the state")
        world.wait_until("the end of the hospital's follow-up", lambda: set(_next(citizen)) == {"community"})


def _next(citizen: Citizen) -> dict[str, str]:
    """What the citizen reads of what comes next, by who takes care of them."""
    return {one["recipient"]: one["text"] for one in citizen.look("/api/v1/code")["follow_ups"]}


def _newest(world: World, field: str) -> str:
    """The newest follow-up whose page asks for this field."""
    found: list[str] = re.findall(rf'href="({_LIST}/\d+)"', world.office.recorder.read(_LIST))
    for path in sorted(set(found), key=lambda path: -int(path.rpartition("/")[2])):
        if field in world.office.recorder.read(path):
            return path
    raise NotTrue("no follow-up asks for a hospital")


def _act(world: World, officer: str, path: str, **filled: str) -> None:
    desk = world.office.recorder if officer == RECORDER else world.office.approver
    world.transcript.asked(f"{officer} POST {_LIST}/…  {filled['act']}")
    desk.send(path, **filled)
