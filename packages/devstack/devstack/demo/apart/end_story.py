"""The chapters of the end of the service, on an installation of its own: announced, ended, proved, and nothing left."""

import json
from collections.abc import Callable
from datetime import date, timedelta

import requests

from devstack.demo.actors import TWO, Citizen, Station, World
from devstack.demo.transcript import expect, refused

_NOTICE_DAYS = 15
_KEPT = "published-keys.json"


def announce(world: World) -> None:
    """Two administrators announce the last day, and everybody sees it."""
    step, citizen = world.transcript.step, Citizen(world, "示例甲")
    world.citizens["a"] = citizen
    with step("示例甲 注册并申报：绿码 · a citizen registers and declares: green"):
        citizen.log_in_with_wechat()
        citizen.register()
        expect(citizen.declare().json()["state"], "GREEN", "the state")
    last = world.now().date() + timedelta(days=_NOTICE_DAYS)
    with step("一名管理员不能单独公告 · one administrator alone cannot announce it"):
        refused(lambda: world.decide("service", "announce", "--on", last.isoformat(), two=(TWO[0], TWO[0])))
    with step("两名管理员公告最后一天 · two administrators announce the last day"):
        world.decide("service", "announce", "--on", last.isoformat())
        world.wait_until("the home page with the announcement", lambda: _announced(world) == last, seconds=30)
    with step("最后一天之前不能结束 · before that day nobody ends it"):
        refused(lambda: world.decide("service", "end"))
    with step("留存公布的公钥，以便日后核验报告 · somebody keeps the published keys, to verify the report with"):
        keys = world.call("GET", "/.well-known/jixiang-keys")
        (world.place.directory / _KEPT).write_bytes(keys.content)


def end(world: World) -> None:
    """After that day the two end it: no color is shown any more, and the report can be verified."""
    step, citizen, station = world.transcript.step, world.citizens["a"], Station(world)
    with step("最后一天过去 · the last day goes by"):
        world.advance_clock(world.now() + timedelta(days=_NOTICE_DAYS + 1))
        station.log_in()
        citizen.log_in_with_wechat()
        token = citizen.code()["token"]
    with step("试运行：将销毁什么 · a dry run: what would be destroyed"):
        world.transcript.note(world.jixiang("service", "end", "--dry-run").splitlines()[1])
    with step("两名管理员结束服务 · two administrators end the service"):
        world.decide("service", "end", typed="jixiang\n")
        world.wait_until("410 of every process", lambda: _always(f"{world.place.web}/api/v1/home", 410))
    with step("不再有颜色：亮码、查验、登录都是 410 · no color: to show, to check, to log in are 410"):
        asked = [
            world.call("GET", "/api/v1/code", session=citizen.session),
            world.call("POST", "/api/v1/checks", body={"token": token}, session=station.session),
            world.call("POST", "/api/v1/wechat/login", body={"code": "any"}),
        ]
        expect([answer.status_code for answer in asked], [410, 410, 410], "the statuses")


def prove(world: World) -> None:
    """Anybody verifies the report with the keys that were published before."""
    step, directory = world.transcript.step, world.place.directory
    with step("经签名的报告，用此前公布的公钥核验 · the signed report, verified with keys of before"):
        address = f"{world.place.web}/.well-known/jixiang-end"
        world.wait_until("the report of every process", lambda: _always(address, 200), seconds=30)
        report = requests.get(address, timeout=15)
        (directory / "report.json").write_bytes(report.content)
        words = world.jixiang(
            "service", "verify-report", str(directory / "report.json"), "--keys", str(directory / _KEPT)
        )
        expect("genuine" in words or "真实" in words, True, "that it is genuine")
        content = json.loads(report.json()["signed"])
        world.transcript.note(", ".join(f"{kind}: {sum(rows.values())}" for kind, rows in content["rows"].items()))
        expect(content["rows"]["personal"]["citizens"] > 0, True, "that citizens were destroyed")
    with step("密钥目录只剩墓碑文件 · of the keys only the tombstone is left"):
        expect([file.name for file in (directory / "keys").iterdir()], ["ended.json"], "the key directory")
    with step("再没有命令能打开数据 · no command opens the data any more"):
        refused(lambda: world.jixiang("officers", "list"))
    with step("给人看的页面 · the page for people"):
        page = requests.get(f"{world.place.web}/.well-known/jixiang-end.html", timeout=15).text
        expect("吉祥码服务已结束" in page, True, "that the page says so")


def _always(address: str, status: int) -> bool:
    """Whether each of some requests is answered so: several processes answer, and each learns of the end by itself."""
    return all(requests.get(address, timeout=15).status_code == status for _ in range(8))


def _announced(world: World) -> date | None:
    ending = requests.get(f"{world.place.web}/api/v1/service", timeout=15).json()["ending"]
    return None if ending is None else date.fromisoformat(ending["ends_on"])


CHAPTERS: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("公告 · The announcement", announce),
    ("服务结束 · The end of the service", end),
    ("核验 · The proof", prove),
)
