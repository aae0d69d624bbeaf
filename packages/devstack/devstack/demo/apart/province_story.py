"""The chapters of recognition between provinces: two installations on this machine, and the list that both trust."""

import json
from pathlib import Path
from typing import NamedTuple

import requests

from devstack.demo.actors import Citizen, Station, World
from devstack.demo.answers import slug
from devstack.demo.transcript import expect, refused

_NAMES = {"jilin": ("220000", "吉林省", "Jilin", "길림성"), "example": ("990000", "示例省", "Example", "보기 성")}


class Provinces(NamedTuple):
    """Two installations, and the folder of who makes the trust list, with the root key in it."""

    jilin: World
    example: World
    folder: Path

    def file(self, name: str) -> str:
        return str(self.folder / name)


def add_partner(example: World, folder: Path) -> Path:
    """Example adds Jilin as a partner; return the file by which Jilin asks Example about its codes."""
    with example.transcript.step("示例省添加吉林省为合作方，可验码 · Example adds Jilin as a partner that may verify"):
        given = ("--name", "吉林省", "--interfaces", "verification")
        secret = example.decide("partner", "add", "jilin", *given).splitlines()[-1]
        file = folder / "partner-secret"
        file.touch(mode=0o600)
        file.write_text(secret, "utf-8")
        way = {"way": "issuer", "base_url": example.place.web, "requester_id": "jilin", "secret_file": str(file)}
        way |= {"service_id": "jx-verification", "path": "/api/v1/partners/verification"}
        lines = ["[example]", "signs_bodies = true", *(f"{name} = {json.dumps(value)}" for name, value in way.items())]
        (folder / "ways.toml").write_text("\n".join(lines) + "\n", "utf-8")
    return folder / "ways.toml"


def make_list(both: Provinces) -> None:
    """Who makes the list adds the published keys of both, and signs."""
    step = both.jilin.transcript.step
    for id_, world in (("jilin", both.jilin), ("example", both.example)):
        region, zh, en, ko = _NAMES[id_]
        with step(f"将{zh}的公钥列入名单 · the list gets the published keys of {en}"):
            keys = requests.get(f"{world.place.web}/.well-known/jixiang-keys", timeout=15).content
            Path(both.file(f"{id_}.keys")).write_bytes(keys)
            names = ("--zh", zh, "--en", en, "--ko", ko)
            given = ("--issuer", id_, "--region", region, *names, "--keys", both.file(f"{id_}.keys"))
            both.jilin.jixiang(
                "trust", "add", both.file("draft.json"), *given, show=f"trust add draft.json --issuer {id_} …"
            )
    with step("用根密钥签署名单 · the root key signs the list"):
        _sign(both, "first.json")


def recognise(both: Provinces) -> None:
    """Each installation takes the list into use, and shows the other's code as the statement of its issuer."""
    step = both.jilin.transcript.step
    citizens = {id_: _green(world) for id_, world in (("jilin", both.jilin), ("example", both.example))}
    with step("启用名单之前：不是本系统签发 · before the list: not issued by this system"):
        station = Station(both.jilin)
        station.log_in()
        expect(slug(_check(both.jilin, station, citizens["example"])), "token-unknown-key", "the problem")
    for id_, world, other in (("jilin", both.jilin, "example"), ("example", both.example, "jilin")):
        with step(
            f"{_NAMES[id_][1]}：两名管理员启用名单 · two administrators of {_NAMES[id_][2]} take the list into use"
        ):
            world.decide("trust", "import", both.file("first.json"))
        with step(
            f"{_NAMES[other][1]}的码显示为该地的认定 · the code of {_NAMES[other][2]} is the statement of its issuer"
        ):
            station = Station(world)
            station.log_in()
            said = _check(world, station, citizens[other]).json()
            expect((said["issuer"]["id"], said["state"], said["action"]), (other, "GREEN", "pass"), "the answer")
            world.transcript.note(said["issuer"]["statement"])
            own = _check(world, station, citizens[id_]).json()
            expect(own["issuer"], None, "the issuer of an own code")
        with step("单独计数，不并入本地 · counted apart, and merged into nothing"):
            today = world.call("GET", "/api/v1/stations/today", session=station.session).json()
            expect((today["foreign"], today["passed"]), (1, 1), "the counts")


def ask(both: Provinces) -> None:
    """The issuer is asked at each check: the color of now is shown, and none where there is no answer."""
    step, jilin, example = both.jilin.transcript.step, both.jilin, both.example
    citizen, station = _green(example), Station(jilin)
    station.log_in()
    token = citizen.code()["token"]
    with step("绿码出示后颜色改变，查验所见为此刻 · a green code whose color has changed is shown so"):
        citizen.declare("cough")
        body = {"token": token}
        said = jilin.call("POST", "/api/v1/checks", body=body, session=station.session).json()
        expect((said["issuer"]["id"], said["state"]), ("example", "YELLOW"), "the answer")
    with step("示例省吊销该合作方：没有答复，也不显示颜色 · the partner is revoked: no answer, and no color"):
        example.decide("partner", "revoke", "jilin")
        expect(slug(_check(jilin, station, citizen)), "foreign-check-failed", "the problem")


def revoke(both: Provinces) -> None:
    """A stolen key is revoked for the next check, and an older list does not bring it back."""
    step, world = both.jilin.transcript.step, both.jilin
    citizen, station = _green(both.example), Station(world)
    station.log_in()
    with step("示例省的密钥被盗：作废并签署新名单 · a key of Example is stolen: revoked, and another list signed"):
        [key] = requests.get(f"{both.example.place.web}/.well-known/jixiang-keys", timeout=15).json()["keys"]
        world.jixiang(
            "trust", "revoke", both.file("draft.json"), key["kid"], show=f"trust revoke draft.json {key['kid']}"
        )
        _sign(both, "second.json")
        world.decide("trust", "import", both.file("second.json"))
    with step("下一次查验即拒绝 · refused from the next check on"):
        expect(slug(_check(world, station, citizen)), "foreign-key-revoked", "the problem")
    with step("较旧的名单不再启用 · an older list is never taken again"):
        refused(lambda: world.decide("trust", "import", both.file("first.json")))
        expect(slug(_check(world, station, citizen)), "foreign-key-revoked", "the problem")


def _sign(both: Provinces, name: str) -> None:
    files = (both.file("draft.json"), both.file(name), "--root", both.file("root.json"))
    both.jilin.jixiang("trust", "sign", *files, show=f"trust sign draft.json {name} --root root.json")


def _green(world: World) -> Citizen:
    citizen = Citizen(world, "示例甲")
    citizen.log_in_with_wechat()
    citizen.register()
    expect(citizen.declare().json()["state"], "GREEN", "the state")
    return citizen


def _check(world: World, station: Station, citizen: Citizen) -> requests.Response:
    """Check at a station of one province the code that a citizen of either shows."""
    token = citizen.code()["token"]
    return world.call("POST", "/api/v1/checks", body={"token": token}, session=station.session)


CHAPTERS = (
    ("互认名单 · The trust list", make_list),
    ("两省互认 · Two provinces recognise each other", recognise),
    ("向发码地查询 · The issuer is asked", ask),
    ("作废被盗的密钥 · A stolen key is revoked", revoke),
)
