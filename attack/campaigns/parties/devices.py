"""Devices: requests replayed, changed and dated anew, keys of others, another lane, batches, and after the end."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from secrets import token_hex
from typing import Any, Final, NamedTuple
from uuid import uuid4

from app.devices import registry
from app.devices.registry import NewDevice
from app.devices.shapes import sign
from app.runtime import Services
from app.staff.context import OPERATOR, begin_as
from attack.campaigns.races import at_once
from attack.sending import Answer, Line, Request, api
from attack.signing import DEVICES, Device, header, shifted, with_header
from attack.tally import Tally
from attack.world import ELSEWHERE, NAME, World, take
from devstack.people import STATION
from faults.people import Citizen, document_number

_WRONG_CLOCK: Final = 90  # seconds; 60 are allowed, and a request may be on its way for some
_RIGHT_CLOCK: Final = 20
_FEVER: Final = 39.0
_TRIES: Final = 3  # of what ten seconds may not be enough for, on a device with much to do
_DEEP: Final = 100_000
_LARGE: Final = 2 * 1024 * 1024  # bytes


class Lane(NamedTuple):
    """The devices of a lane."""

    name: str
    gate: Device
    camera: Device


def run(world: World, tally: Tally) -> None:
    """Try each. Raises Failed."""
    tally.secrets = (NAME.encode(), json.dumps(NAME).encode())
    with world.operating() as services:
        ours, theirs = _open_lane(services, STATION), _open_lane(services, ELSEWHERE)
        for part in (_replay, _forge, _date_anew, _reach_another_lane, _batch, _step_outside):
            if not tally.is_full:
                part(world, tally, ours, theirs)
        if not tally.is_full:
            _speak_as_a_maker(world, tally, services)
        _go_on_after_the_end(world, tally, services, ours)


def _open_lane(services: Services, station: str) -> Lane:
    lane = token_hex(4)
    gate, camera = (_add(services, NewDevice(station, lane, kind)) for kind in ("gate", "thermal"))
    return Lane(lane, gate, camera)


def _add(services: Services, new: NewDevice) -> Device:
    with begin_as(services, OPERATOR) as context:
        added = registry.add_device(context, new)
        return Device(added.device.id, added.secret)


def _shown(world: World, citizen: Citizen) -> str:
    citizen.show(world.hosts[0])
    return citizen.token


def _replay(world: World, tally: Tally, ours: Lane, _theirs: Lane) -> None:
    """One request is answered once, at whichever host, also when it comes twice at one moment."""
    token = _shown(world, world.citizen())
    request = ours.gate.check(token)
    take(tally, world.line(), request, True, "a gate checks a code")
    for host in (0, 1, 0):
        take(tally, world.line(host), request, False, "a request of a gate once more")
    for _ in range(5):
        again = ours.gate.check(token)
        answers = at_once(tally, [(world.line(number % 2), again) for number in range(4)])
        good = sum(answer.is_good for answer in answers)
        tally.hold(good <= 1, f"one request of a gate at four moments at once is answered {good} times")


def _forge(world: World, tally: Tally, ours: Lane, theirs: Lane) -> None:
    """Nobody speaks as a device without its key, nor with what another request was signed for."""
    token, line = _shown(world, world.citizen()), world.line()
    for how, request in _forged(ours, theirs, token).items():
        take(tally, line, request, False, f"a request of a gate {how}")
    for id_ in ("0", "-1", "9" * 18, "9" * 40, "x", "%31", ""):
        fresh = ours.gate.check(token)
        named = header(fresh, "signature-input").replace(f'keyid="{ours.gate.id}"', f'keyid="{id_}"')
        take(tally, line, with_header(fresh, "Signature-Input", named), False, "a device that there is not")
    take(tally, line, ours.gate.check(token), True, "a gate with its own key")


def _forged(ours: Lane, theirs: Lane, token: str) -> Mapping[str, Request]:
    """Each what an attacker who has listened, or who has another device, could make."""
    gate, genuine = ours.gate, ours.gate.check(token)
    signed, other = header(genuine, "signature-input"), ours.gate.check(token)
    later = f"created={int(shifted(5).timestamp())}"
    return {
        "with the key of another": Device(gate.id, theirs.gate.secret).check(token),
        "in the name of another": Device(theirs.gate.id, gate.secret).check(token),
        "with another body": gate.check(token)._replace(body=other.body),
        "with another body and its digest": with_header(
            gate.check(token)._replace(body=other.body), "Content-Digest", header(other, "content-digest")
        ),
        "for another address": gate.check(token)._replace(path=f"{DEVICES}/batches"),
        "with a query": gate.check(token)._replace(path=f"{DEVICES}/checks?station=1"),
        "for another method": gate.send("GET", f"{DEVICES}/me")._replace(method="POST", path=f"{DEVICES}/checks"),
        "with another nonce": with_header(genuine, "Signature-Input", signed.replace('nonce="', 'nonce="A')),
        "of another moment": with_header(genuine, "Signature-Input", re.sub("created=[0-9]+", later, signed)),
        "for something else": with_header(genuine, "Signature-Input", signed.replace("jixiang-device", "jixiang")),
        "with less signed": with_header(genuine, "Signature-Input", signed.replace('"@path"', "")),
        "signed twice": with_header(genuine, "Signature-Input", f"{signed}, {signed.replace('device=', 'other=', 1)}"),
        "without a signature": api("POST", f"{DEVICES}/checks", json.loads(genuine.body)),
    }


def _date_anew(world: World, tally: Tally, ours: Lane, _theirs: Lane) -> None:
    """A device whose clock is wrong is refused, fast or slow; one that is a little off is not."""
    token, line = _shown(world, world.citizen()), world.line()
    for ahead in (_WRONG_CLOCK, -_WRONG_CLOCK, 86_400, -86_400, 10**9):
        take(tally, line, ours.gate.check(token, ahead), False, f"a gate whose clock is {ahead} s ahead")
    for ahead in (_RIGHT_CLOCK, -_RIGHT_CLOCK):
        take(tally, line, ours.gate.check(token, ahead), True, "a gate whose clock is a little off")


def _reach_another_lane(world: World, tally: Tally, ours: Lane, theirs: Lane) -> None:
    """A camera measures who is in its own lane: nobody of another station, whatever its requests name."""
    victim, line = world.citizen(), world.line()
    token = _shown(world, victim)
    take(tally, line, theirs.gate.check(token), True, "a gate of another station")
    for named in ({"lane": theirs.name}, {"station": 1}, {"device": theirs.gate.id}, {"token": token}):
        take(tally, line, ours.camera.measure(_FEVER, **named), False, f"a camera that names the {next(iter(named))}")
    take(tally, line, ours.camera.measure(_FEVER), True, "a camera in its own lane")
    late = {"at": shifted(-_WRONG_CLOCK).isoformat()}
    take(tally, line, theirs.camera.measure(_FEVER, **late), False, "a reading of long ago")
    tally.hold(not world.is_worse(victim), "a camera measures somebody in the lane of another station")
    for _ in range(_TRIES):  # and the camera that is there
        if not world.is_worse(victim):
            line.send(theirs.gate.check(token))
            take(tally, line, theirs.camera.measure(_FEVER), True, "a camera in the lane of somebody with a fever")
    if not world.is_worse(victim):
        tally.miss("a camera measures nobody in its own lane: nothing is tried")


def _batch(world: World, tally: Tally, ours: Lane, _theirs: Lane) -> None:
    """Whatever a batch has twice counts once; what is forged, old or of tomorrow not at all; none breaks anything."""
    token, line, id_ = _shown(world, world.citizen()), world.line(), str(uuid4())
    twice = [_made(token, number=id_), _made(token, number=id_)]
    answer = take(tally, line, _sent(ours, twice), True, "a batch with one number twice")
    tally.hold(_counted(answer) <= 1, "one check is counted twice in a batch")
    if not _counted(answer):
        tally.miss("a check of a batch is not counted: nothing is tried")
    answer = take(tally, line, _sent(ours, [_made(token) for _ in range(100)]), True, "one token, a hundred numbers")
    tally.hold(not _counted(answer), "a token that was counted is counted again")
    other = _shown(world, world.citizen())
    for ahead in (timedelta(hours=-25), timedelta(hours=1)):
        answer = take(tally, line, _sent(ours, [_made(other, ahead)]), True, "a check of another day")
        tally.hold(not _counted(answer), f"a check is counted that is {ahead} ahead")
    forged = [_made(other[:20] + letter + other[21:]) for letter in "ABCDEFGH" if letter != other[20]]
    answer = take(tally, line, _sent(ours, forged), True, "forged tokens in a batch")
    tally.hold(not _counted(answer), "a forged token is counted")
    for how, body in _broken(other).items():
        take(tally, line, ours.gate.send("POST", f"{DEVICES}/batches", body), False, f"a batch that is {how}")


def _made(token: str, ahead: timedelta = timedelta(), number: str = "") -> dict[str, Any]:
    return {"number": number or str(uuid4()), "token": token, "at": (shifted() + ahead).isoformat()}


def _sent(lane: Lane, checks: list[dict[str, Any]]) -> Request:
    return lane.gate.post("batches", {"checks": checks})


def _counted(answer: Answer) -> int:
    return answer.body.count(b'"counted"')


def _broken(token: str) -> Mapping[str, bytes]:
    """Bodies that a parser, or what follows, could choke on."""
    one = _made(token)
    return {
        "larger than a batch": json.dumps({"checks": [_made(token) for _ in range(101)]}).encode(),
        "empty": b'{"checks": []}',
        "huge": json.dumps({"checks": [{**one, "token": "A" * _LARGE}]}).encode(),
        "deep": b'{"checks": ' + b"[" * _DEEP + b"]" * _DEEP + b"}",
        "a deep name": b'{"a":' * 1000 + b"1" + b"}" * 1000,
        "of no number": json.dumps({"checks": [{**one, "celsius": float("nan")}]}).encode(),
        "endless": json.dumps({"checks": [{**one, "celsius": float("inf")}]}).encode(),
        "of another type": json.dumps({"checks": {"0": one}}).encode(),
    }


def _step_outside(world: World, tally: Tally, ours: Lane, theirs: Lane) -> None:
    """A camera checks nobody, and what a device is answered does not say who somebody is."""
    victim, line = world.citizen(), world.line()
    token = _shown(world, victim)
    document = {"type": "id-card", "number": victim.document, "name": NAME}
    take(tally, line, ours.camera.check(token), False, "a camera that checks")
    take(tally, line, _sent(ours._replace(gate=ours.camera), [_made(token)]), False, "a camera that submits checks")
    looked_up = {"number": str(uuid4()), "document": document}
    take(tally, line, ours.camera.post("checks", looked_up), False, "a camera that looks somebody up")
    wrong = {"number": str(uuid4()), "document": {**document, "name": "示例丁"}}
    unknown = {"number": str(uuid4()), "document": {**document, "number": document_number(), "name": "示例丁"}}
    said = [_said(take(tally, line, theirs.gate.post("checks", one), True, "a wrong name")) for one in (wrong, unknown)]
    tally.hold(said[0] == said[1], "a wrong name is told from an unknown number at a gate")
    found = take(tally, line, theirs.gate.post("checks", looked_up), True, "a document with its name")
    if found.json.get("state") != "GREEN":
        tally.miss("a document is not found at a gate: nothing is tried")


def _said(answer: Answer) -> dict[str, Any]:
    return {name: value for name, value in answer.json.items() if name not in ("as_of", "reading")}


def _speak_as_a_maker(world: World, tally: Tally, services: Services) -> None:
    """Terminals with a secret: each with its own alone, a signed request once, a number alone is nobody."""
    token, line = _shown(world, world.citizen()), world.line()
    guns = [_add(services, NewDevice(STATION, token_hex(4), "scanner", shape=registry.CODE_GUN)) for _ in range(2)]
    gate = _add(services, NewDevice(STATION, token_hex(4), "gate", shape=registry.SIGNED_GATE))
    gun, other = guns
    for id_, secret in ((gun.id, other.secret), (gun.id, gate.secret), (gun.id, ""), (gate.id, gate.secret)):
        take(tally, line, _gun(Device(id_, secret), token), False, "a code gun with a secret that is not its own")
    take(tally, line, _gun(gun, token), True, "a code gun with its secret")
    number = take(tally, line, _gun(gun, world.citizen().document, 1), True, "a number without a name")
    tally.hold(number.json.get("status") == "" and number.json.get("code") == 1, "a number alone shows a color")
    genuine = _signed(gate, token)
    take(tally, line, genuine, True, "a gate in the shape of its maker")
    changed = _signed(gate, token, code_content=_shown(world, world.citizen()))
    for how, request in {
        "once more": genuine,
        "with another code": changed,
        "of another hour": _signed(gate, token, -3600),
        "with another secret": _signed(Device(gate.id, gun.secret), token),
        "in the name of another": _signed(gate, token, appId=str(gun.id)),
    }.items():
        take(tally, line, request, False, f"a gate in the shape of its maker, {how}")


def _gun(gun: Device, shown: str, kind: int = 2) -> Request:
    basic = base64.b64encode(f"{gun.id}:{gun.secret}".encode()).decode()
    body = {"cardNoType": kind, "idCardNo": shown, "temperature": "0", "deviceIndexCode": "1"}
    return api("POST", f"{DEVICES}/adapters/code-gun", body, (("Authorization", f"Basic {basic}"),))


def _signed(gate: Device, token: str, ahead: int = 0, **changes: str) -> Request:
    """The request of a gate, in which `changes` are made after it was signed."""
    at = str(int(shifted(ahead).timestamp() * 1000))
    fields = {"appId": str(gate.id), "timestamp": at, "code_content": token}
    return api("POST", f"{DEVICES}/adapters/signed-gate", {**fields, "sign": sign(fields, gate.secret), **changes})


def _go_on_after_the_end(world: World, tally: Tally, services: Services, ours: Lane) -> None:
    """A device that was revoked is refused with its next request, at each host."""
    token, kept = _shown(world, world.citizen()), ours.gate.check("A")
    lines: list[Line] = [world.line(host) for host in range(len(world.hosts))]
    for line in lines:
        take(tally, line, ours.gate.check(token), True, "a gate before its end")
    with begin_as(services, OPERATOR) as context:
        registry.revoke_device(context, ours.gate.id)
    for line in lines:
        for request in (ours.gate.check(token), ours.gate.send("GET", f"{DEVICES}/me"), _sent(ours, [_made(token)])):
            take(tally, line, request, False, "a gate that was revoked")
    take(tally, lines[0], kept, False, "a request of before the end of a gate")
