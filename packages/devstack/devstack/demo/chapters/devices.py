"""The chapter of the machines: a gate with a key, a thermal camera in its lane, and a bus without network."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import requests

from devstack.demo.actors import Citizen, World
from devstack.demo.transcript import NotTrue, expect
from devstack.people import STATION

PATH = "/api/v1/devices"


class _Machine:
    """A device in a lane, which signs what it asks; each act is printed."""

    def __init__(self, world: World, kind: str, lane: str) -> None:
        from station_bridge.signing import Signer  # not there where only what runs is installed

        self._world = world
        said = world.jixiang("device", "add", "--station", STATION, "--lane", lane, "--kind", kind)
        self.number = int("".join(char for char in said.splitlines()[0] if char.isdigit()))
        self.signer = Signer.of_text(self.number, said.splitlines()[-1])

    def post(self, path: str, body: Mapping[str, Any]) -> requests.Response:
        """Ask with a signature made for this once."""
        content = json.dumps(body).encode()
        url = self._world.place.web + f"{PATH}/{path}"
        headers = {"Accept-Language": "zh-CN", "Content-Type": "application/json"}
        return self.send(path, content, {**headers, **self.signer.headers("POST", url, content, datetime.now(UTC))})

    def send(self, path: str, content: bytes, headers: Mapping[str, str]) -> requests.Response:
        """Ask with headers that may have been used before."""
        self._world.transcript.asked(f"POST {PATH}/{path}  (device {self.number})")
        answer = requests.post(self._world.place.web + f"{PATH}/{path}", data=content, headers=headers, timeout=15)
        body = answer.json()
        shown = (body.get(name) for name in ("state", "action", "result", "title"))
        self._world.transcript.came(" ".join([str(answer.status_code), *[str(one) for one in shown if one]]))
        return answer


def pass_machines(world: World) -> None:
    citizen, step, lane = world.citizens["a"], world.transcript.step, f"lane-{secrets.token_hex(4)}"
    with step("添加闸机，密钥只显示一次；扫码即放行 · a gate is added, its key shown once; it scans and opens"):
        gate, camera = _Machine(world, "gate", lane), _Machine(world, "thermal", lane)
        token = _token(citizen)
        answer = gate.post("checks", {"number": str(uuid4()), "token": token}).json()
        expect((answer["state"], answer["action"]), ("GREEN", "pass"), "state and action")
    with step("同一请求重放，被拒绝 · the same request again is refused"):
        _replay(world, gate, token)
    with step("测温仪的体温归于本通道刚查验的人，阈值以政策为准 · a reading joins whom the lane has checked"):
        gate.post("checks", {"number": str(uuid4()), "token": token})
        answer = camera.post("temperatures", _reading(37.3)).json()
        expect((answer["result"], answer["check"]["state"]), ("joined", "YELLOW"), "result and state")
        assert world.station is not None
        expect(world.station.measure(citizen, 36.6)["state"], "GREEN", "the state")
    with step("十秒内两个码：不猜测是谁的 · two codes within ten seconds: nobody guesses whose it is"):
        for one in (_token(citizen), _token(citizen)):
            gate.post("checks", {"number": str(uuid4()), "token": one})
        expect(camera.post("temperatures", _reading(38.0)).json()["result"], "ambiguous", "the result")
    with step("公交车离线核验，联网后补报，重发不重复计数 · a bus verifies on board and submits later, each once"):
        _ride(world, citizen, _Machine(world, "bus", lane))
    with step("吊销闸机，下一次请求即被拒绝 · the gate is revoked: its next request is refused"):
        world.jixiang("device", "revoke", str(gate.number))
        refused = gate.post("checks", {"number": str(uuid4()), "token": token})
        expect(refused.json()["type"], "/problems/device-revoked", "the problem")


def _token(citizen: Citizen) -> str:
    return str(citizen.look("/api/v1/code")["token"])


def _reading(celsius: float) -> dict[str, Any]:
    return {"number": str(uuid4()), "celsius": celsius, "at": datetime.now(UTC).isoformat()}


def _replay(world: World, gate: _Machine, token: str) -> None:
    """Send one request twice, byte for byte, as somebody who has listened could."""
    content = json.dumps({"number": str(uuid4()), "token": token}).encode()
    url = f"{world.place.web}{PATH}/checks"
    headers = {"Content-Type": "application/json", **gate.signer.headers("POST", url, content, datetime.now(UTC))}
    expect(gate.send("checks", content, headers).status_code, 200, "the first answer")
    expect(gate.send("checks", content, headers).json()["type"], "/problems/device-replayed", "the problem")


def _ride(world: World, citizen: Citizen, bus: _Machine) -> None:
    """Verify on board by the published keys, and submit twice what was checked: it counts once."""
    from jixiang_verifier import Code, KeySet, verify
    from station_bridge.server import Server
    from station_bridge.store import Kept

    keys = KeySet.parse(world.call("GET", "/.well-known/jixiang-keys").json())
    token, now = _token(citizen), world.now()
    read = verify(token, keys, now)
    if not isinstance(read, Code) or read.state != "GREEN":
        raise NotTrue("the bus should read a green code by the published keys")
    server, part = Server(world.place.web, bus.signer), [Kept(str(uuid4()), token, now.isoformat())]
    results = [next(iter(server.submit(part).values())) for _ in range(2)]
    expect(results, ["counted", "known"], "the results of the same part sent twice")
    world.transcript.note(" · ".join(results))
