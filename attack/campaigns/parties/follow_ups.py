"""Follow-ups: officers of another district, one officer for two, acts out of order, and those who are no officers."""

from collections.abc import Iterator
from typing import Any, Final

from app.follow_ups import keeping
from attack.campaigns.races import at_once
from attack.entering import approved
from attack.officers import THERE, Clerk
from attack.sending import Answer, Request, api, bearer, form
from attack.tally import Tally
from attack.world import NAME, Failed, World, take
from faults.people import Citizen

_PAGES: Final = "/console/follow-ups"
_HOSPITAL: Final = "示例医院"
_STATED: Final = {"receiver": _HOSPITAL, "reference": "示例 2020-003", "district": THERE}
_ACTS: Final = (
    "assign", "hand-over", "receive", "finish", "admit", "correct", "transfer", "accept", "decline", "withdraw", "end",
)  # fmt: skip


def run(world: World, tally: Tally) -> None:
    """Try each, of one person after another. Raises Failed."""
    victim = world.citizen()
    approved(tally, world.clerk("attack-recorder-0"), world.clerk("attack-approver-0"), "confirmed", victim.document)
    hospital = _find(world)
    for part in (_from_outside, _out_of_order, _alone, _to_another_district):
        if not tally.is_full:
            part(world, tally, hospital, victim)


def _find(world: World) -> int:
    """The follow-up of a hospital of who has just turned red, as the worker opens it every ten seconds."""
    with world.operating() as services:
        keeping.keep(services)
    serial = world.one("select serial from decisions where rule like 'RED%%' order by id desc limit 1")
    number = world.one("select max(id) from follow_ups where recipient = 'hospital' and serial = %s", serial)
    if number is None:
        raise Failed("nobody is followed up who has turned red")
    return int(number)


def _act(clerk: Clerk, number: int, act: str, **more: str) -> Request:
    return clerk.post(f"{_PAGES}/{number}", act=act, **{**_STATED, **more})


def _state(world: World, number: int) -> Any:
    return world.one("select state from follow_ups where id = %s", number)


def _everything(clerk: Clerk, number: int) -> Iterator[Request]:
    """Whatever there is of a follow-up, as this officer asks for it."""
    yield Request("GET", f"{_PAGES}/{number}", clerk.headers)
    yield clerk.post(f"{_PAGES}/{number}/person")
    yield from (_act(clerk, number, act) for act in _ACTS)


def _from_outside(world: World, tally: Tally, number: int, victim: Citizen) -> None:
    """Another district, another role, a citizen, an inspector, the patient: nobody of them sees or does anything."""
    for username in (
        "attack-recorder-there", "attack-approver-there", "attack-clerk", "attack-auditor", "attack-administrator",
        "attack-appeals",
    ):  # fmt: skip
        clerk = world.clerk(username)
        for request in _everything(clerk, number):
            take(tally, clerk.line, request, False, f"{username}: {request.path}")
        listed = clerk.get(_PAGES).body.decode(errors="replace")
        tally.hold(f"{_PAGES}/{number}" not in listed, f"{username} is shown a follow-up of another district")
    recorder, line = world.clerk("attack-recorder-0"), world.line()
    for headers in (bearer(victim.session), bearer(world.citizen().session), world.station(), ()):
        for request in _everything(recorder, number):
            asked = request._replace(headers=headers)
            take(tally, line, asked, False, "somebody who is no officer, at a follow-up")
    foreign = form(f"{_PAGES}/{number}", {**_STATED, "act": "hand-over"}, recorder.headers)
    take(tally, line, foreign, False, "a follow-up without the token of its form")
    tally.hold(_state(world, number) == "open", "somebody from outside has moved a follow-up")
    seen = recorder.line.send(Request("GET", f"{_PAGES}/{number}", recorder.headers))
    tally.judge(seen, f"{_PAGES}/{number}", True, "a recorder of the district")
    tally.hold(NAME.encode() not in seen.body, "a follow-up shows a name before it is an access")
    person = take(tally, recorder.line, recorder.post(f"{_PAGES}/{number}/person"), True, "a recorder who has to call")
    if NAME.encode() not in person.body:
        tally.miss("a recorder is not shown whom they follow up: nothing is tried")
    own = api("GET", "/api/v1/record/access", None, bearer(victim.session))
    read = take(tally, line, own, True, "one's own accesses").json.get("entries", ())
    tally.hold(bool(read), "the person reads nothing of who has looked")


def _out_of_order(world: World, tally: Tally, number: int, _victim: Citizen) -> None:
    """Nothing is done before what comes before it, nor twice, nor by who may only do another act."""
    recorder, approver = world.clerk("attack-recorder-0"), world.clerk("attack-approver-0")
    for clerk in (recorder, approver):
        for act in ("receive", "finish", "admit", "correct", "transfer", "accept", "decline", "withdraw", "end", "x"):
            _refused(tally, clerk, _act(clerk, number, act), f"{act} before a hand-over")
    _refused(tally, approver, _act(approver, number, "hand-over"), "an approver hands over")
    for nobody in ("", "示", "示" * 81, "示例\x07医院"):
        _refused(tally, recorder, _act(recorder, number, "hand-over", receiver=nobody), "a hand-over to nobody")
    again = [(world.line(host), _act(recorder, number, "hand-over")) for host in (0, 1, 0, 1)]
    moved = sum("done=follow-up-done" in answer.location for answer in at_once(tally, again))
    tally.hold(moved <= 1, f"one hand-over of four at once is done {moved} times")
    if _state(world, number) != "handed-over":
        tally.miss(f"a hand-over leaves a follow-up {_state(world, number)}: nothing is tried")
    _refused(tally, recorder, _act(recorder, number, "receive"), "a recorder confirms the receipt")
    _done(tally, recorder, _act(recorder, number, "withdraw"), "a hand-over is taken back")


def _alone(world: World, tally: Tally, number: int, _victim: Citizen) -> None:
    """An officer of both roles confirms nothing of their own, nor do they undo an admission that they recorded."""
    both, approver = world.clerk("attack-both"), world.clerk("attack-approver-0")
    _done(tally, both, _act(both, number, "hand-over"), "a hand-over")
    _refused(tally, both, _act(both, number, "receive"), "an officer confirms their own hand-over")
    tally.hold(_state(world, number) == "handed-over", "one officer has confirmed their own hand-over")
    _done(tally, approver, _act(approver, number, "receive"), "another officer confirms the receipt")
    _refused(tally, both, _act(both, number, "finish"), "a hospital that finishes as a community")
    _done(tally, both, _act(both, number, "admit"), "an admission")
    _refused(tally, both, _act(both, number, "correct"), "an officer takes back an admission of their own")
    tally.hold(_state(world, number) == "admitted", "one officer has taken back an admission of their own")


def _to_another_district(world: World, tally: Tally, number: int, _victim: Citizen) -> None:
    """A transfer shows no person before it is accepted; who proposed it accepts nothing, and has it no more."""
    both, there = world.clerk("attack-both"), world.clerk("attack-approver-there")
    _done(tally, both, _act(both, number, "transfer"), "a transfer")
    for clerk in (both, world.clerk("attack-approver-0"), world.clerk("attack-recorder-there")):
        for act in ("accept", "decline"):
            _refused(tally, clerk, _act(clerk, number, act), f"{clerk.username} would {act} a transfer")
    _refused(tally, there, there.post(f"{_PAGES}/{number}/person"), "a person before a transfer is accepted")
    _done(tally, there, _act(there, number, "accept"), "the receiving district accepts")
    for request in _everything(both, number):
        take(tally, both.line, request, False, f"the district that has transferred somebody: {request.path}")
    shown = take(tally, there.line, there.post(f"{_PAGES}/{number}/person"), True, "the district that has accepted")
    if NAME.encode() not in shown.body:
        tally.miss("who has accepted a transfer is not shown the person: nothing is tried")


def _refused(tally: Tally, clerk: Clerk, request: Request, words: str) -> Answer:
    return take(tally, clerk.line, request, False, words)


def _done(tally: Tally, clerk: Clerk, request: Request, words: str) -> None:
    """What an officer may do comes about."""
    answer = take(tally, clerk.line, request, True, words)
    if "done=follow-up-" not in answer.location:
        tally.miss(f"{words} is not done: nothing is tried")
