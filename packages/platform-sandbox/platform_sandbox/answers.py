"""What the platform answers about people, whatever the envelope, and what its switch says instead."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, request

from platform_sandbox.contract import CodeQuestion, Denied, GuardianshipQuestion, Question
from platform_sandbox.control import here
from platform_sandbox.world import World

_BEIJING = ZoneInfo("Asia/Shanghai")


def in_its_state(answer: Callable[[World], Response]) -> Response:
    """What the switch says, or the answer. Raises Denied."""
    world = here()
    world.count(request.path)
    with world.look() as state:
        switch = state.switch
    world.sleep(switch.delay)
    if not switch.on:
        raise Denied(503, 50300, "the service is switched off")
    if switch.status is not None:
        raise Denied(switch.status, switch.status * 100, "the service is in trouble")
    if switch.garbage:
        return Response('{"code":0,"message":"ok","data":{"res', content_type="application/json")
    return answer(world)


def verification_data(world: World, question: Question) -> dict[str, Any]:
    """Whether name, document and phone belong together, and the records of authorities."""
    known = world.person(question.document.number)
    mismatched = known.differences(question)
    data = {
        "result": "identity-mismatch" if mismatched else known.result,
        **_answered(world, question.reference),
        "findings": [finding.model_dump(mode="json") for finding in known.findings],
    }
    return {**data, "mismatched": mismatched} if mismatched else data


def guardianship_data(world: World, question: GuardianshipQuestion) -> dict[str, Any]:
    """Whether the one is a guardian of the other, and then the day of birth."""
    child = world.person(question.child.document.number)
    vouched = child.has_guardian(question)
    data = {"result": "guardian" if vouched else "not-guardian", **_answered(world, question.reference)}
    return {**data, "born_on": child.born_on.isoformat()} if vouched and child.born_on else data


def code_data(world: World, question: CodeQuestion) -> dict[str, Any] | None:
    """What the codes of an issuer say now; None for one that is not known."""
    with world.look() as state:
        code = state.codes.get(question.issuer)
    return None if code is None else {"state": code.state, **_answered(world, question.reference)}


def _answered(world: World, reference: str) -> dict[str, str]:
    now = world.now().astimezone(_BEIJING).isoformat(timespec="seconds")
    return {"reference": world.answer_reference(reference), "checked_at": now}
