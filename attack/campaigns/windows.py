"""Service windows: a clerk who enumerates people, asks who is known, declares for the absent, takes accounts over."""

from typing import Final
from uuid import uuid4

from attack.officers import HERE, Clerk
from attack.sending import Answer, api, bearer
from attack.tally import Tally
from attack.world import World, take
from faults.people import Citizen, document_number

_NAME: Final = "示例甲"  # of every citizen of the attack
_MOST: Final = 40  # look-ups, more than the ceiling of an hour in app/windows/ceilings.toml


def run(world: World, tally: Tally) -> None:
    """Try what a clerk alone must not be able to do. Raises Failed."""
    clerk, victim = world.clerk("attack-clerk"), world.citizen()
    _one_answer(world, tally, clerk, victim)
    _declare_for_the_absent(world, tally, clerk, victim)
    _correct_alone(world, tally, clerk, victim)
    _take_over(world, tally, clerk, victim)
    _enumerate(world, tally, clerk)


def _look_up(tally: Tally, clerk: Clerk, name: str, number: str) -> Answer:
    request = clerk.post("/console/window", type="id-card", number=number, name=name)
    answer = clerk.line.send(request)
    tally.judge(answer, request.path, None, f"a look-up by {clerk.username}")
    return answer


def _one_answer(world: World, tally: Tally, clerk: Clerk, victim: Citizen) -> None:
    """A wrong name says no more than an unknown number, and its person reads of it."""
    before = _accesses(world, tally, victim)
    wrong, unknown = (
        _look_up(tally, clerk, "示例某", victim.document),
        _look_up(tally, clerk, "示例某", document_number()),
    )
    tally.hold(wrong.status == unknown.status and not wrong.location, "a wrong name is answered otherwise")
    tally.hold(len(wrong.body) == len(unknown.body), "the page of a wrong name is another one")
    tally.hold(_accesses(world, tally, victim) > before, "a look-up under another name leaves no trace")


def _declare_for_the_absent(world: World, tally: Tally, clerk: Clerk, victim: Citizen) -> None:
    """A clerk alone makes nobody worse, in whichever order they try."""
    visit = _look_up(tally, clerk, _NAME, victim.document).location.partition("?")[0]
    stated = {"symptoms": "fever", "contact": "no", "contact_on": "", "consent": "yes"}
    take(tally, clerk.line, clerk.post(f"{visit}/declare", **stated), None, "a declaration for somebody absent")
    for number in range(1, 4):
        request = clerk.post(f"/console/statements/{number}/confirm")
        take(tally, clerk.line, request, False, "a clerk confirms what they have recorded")
    there = world.clerk("attack-clerk-there")
    request = there.post("/console/statements/1/confirm")
    take(tally, there.line, request, False, "a clerk of another district confirms")
    tally.hold(not world.is_worse(victim), "a clerk alone makes somebody worse")


def _correct_alone(world: World, tally: Tally, clerk: Clerk, victim: Citizen) -> None:
    """A clerk alone gives nobody another document, and a former number gives nobody a fresh code."""
    visit = _look_up(tally, clerk, _NAME, victim.document).location.partition("?")[0]
    wished = {"new_type": "id-card", "new_number": document_number(), "reason": "mistyped"}
    take(tally, clerk.line, clerk.post(f"{visit}/document", **wished), True, "a correction of somebody absent")
    elsewhere = world.clerk("attack-appeals-there")
    id_ = world.one("select max(id) from document_corrections")
    for officer, what in ((clerk, "a clerk confirms their own proposal"), (elsewhere, "another district confirms")):
        for act in ("propose", "confirm", "refuse"):
            take(tally, officer.line, officer.post(f"/console/corrections/{id_}/{act}"), False, what)
    unseen = world.clerk("attack-appeals")
    take(tally, unseen.line, unseen.post(f"/console/corrections/{id_}/confirm"), False, "confirmed unseen")
    tally.hold(world.one("select count(*) from former_documents") == 0, "one officer gives somebody another document")
    asked = {"document": {"type": "id-card", "number": document_number()}, "reason": "renewed", "district": HERE}
    path, proof = "/api/v1/accounts/me/document", {"password": "not-the-Password-1"}
    take(tally, world.line(), api("PUT", path, {**asked, **proof}, bearer(victim.session)), False, "without a proof")


def _take_over(world: World, tally: Tally, clerk: Clerk, victim: Citizen) -> None:
    """Who was bound to an account that is taken over is shown it, and objects."""
    visit = _look_up(tally, clerk, _NAME, victim.document).location.partition("?")[0]
    password = f"Taken-{uuid4()}"
    form = clerk.post(f"{visit}/recover", username=f"taken.{uuid4().hex[:8]}", password=password, again=password)
    take(tally, clerk.line, form, None, "a recovery of somebody absent")
    victim.session = ""
    victim.log_in(world.hosts[0])
    path = "/api/v1/accounts/me/recovery"
    shown = take(tally, world.line(), api("GET", path, None, bearer(victim.session)), True, "the recovery")
    tally.hold(bool(shown.json.get("recovery")), "who was bound is not shown the recovery")
    take(tally, world.line(), api("POST", f"{path}/objection", {}, bearer(victim.session)), True, "an objection")
    state = world.one("select state from recoveries order by id desc limit 1")
    tally.hold(state == "objected", f"an objection leaves the recovery {state}")


def _enumerate(world: World, tally: Tally, clerk: Clerk) -> None:
    """One number after another meets a ceiling, which no other page and no registration gets around."""
    statuses = [_look_up(tally, clerk, "示例某", document_number()).status for _ in range(_MOST)]
    tally.figures["look-ups of one clerk before they are held"] = statuses.count(404)
    tally.hold(statuses[-1] == 409, "nobody holds a clerk who enumerates people")
    form = {"type": "id-card", "number": document_number(), "name": "示例某", "consent": "yes"}
    answer = take(tally, clerk.line, clerk.post("/console/window/register", **form), False, "a held clerk registers")
    tally.hold(answer.status == 409, "a held clerk registers somebody")
    clear = clerk.post("/console/audit/window-holds/1/clear", reason="busy-day")
    take(tally, clerk.line, clear, False, "a held clerk clears the hold")


def _accesses(world: World, tally: Tally, citizen: Citizen) -> int:
    answer = take(tally, world.line(), api("GET", "/api/v1/record/access", None, bearer(citizen.session)), True, "own")
    return len(answer.json.get("entries", ()))
