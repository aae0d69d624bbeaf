"""The chapter of who has no phone in hand: a station checks their document, and they read of it later."""

from typing import Any

from app.citizens.documents import check_digit
from devstack.demo.actors import Citizen, World
from devstack.demo.transcript import NotTrue, expect

PATH = "/api/v1/checks/document"
_FIRST = "22999919000101999"  # of a region that does not exist
_NOBODYS = _FIRST + check_digit(_FIRST)
_FIELDS = {"outcome", "state", "color", "word", "action", "instruction", "as_of", "stale"}


def check_documents(world: World) -> None:
    citizen, step = world.citizens["a"], world.transcript.step
    with step("读卡器读出类型、号码、姓名：只得颜色与处置 · kind, number and name give color and action alone"):
        answer = _check(world, citizen)
        expect((answer["outcome"], answer["action"]), ("green", "pass"), "outcome and action")
        expect(set(answer), _FIELDS, "the fields of the answer")
    with step("号码不存在与姓名不符，答复相同 · an unknown number and a wrong name get the same answer"):
        unknown, wrong = _check(world, citizen, number=_NOBODYS), _check(world, citizen, name="示例他人")
        expect(_without_time(unknown), _without_time(wrong), "the answer to an unknown number")
        expect((wrong["outcome"], wrong["action"]), ("not-found", "ask"), "outcome and action")
        world.transcript.note(wrong["instruction"])
    for celsius, outcome in ((37.5, "yellow"), (36.6, "green")):
        with step(f"按证件登记体温 {celsius} ℃ · {celsius} °C registered by document: {outcome}"):
            expect(_check(world, citizen, celsius=celsius)["outcome"], outcome, "the outcome")
    with step("本人可见何时在何处被查验，审计中没有 · the person reads when and where; the audit has none of it"):
        world.wait_until("the checks in the person's list", lambda: len(_seen(citizen)) == 3)
        seen = _seen(citizen)[0]
        world.transcript.note(f"{seen['at']}  {seen['who']['authority']}  {seen['what']['words']}")
        if any(one["what"]["action"] == "document-checked" for one in _accesses(citizen)["entries"]):
            raise NotTrue("checks by document should not be in the audit")


def _check(world: World, citizen: Citizen, **changed: Any) -> dict[str, Any]:
    """Read the citizen's document at the station, with something else in it."""
    body = {"type": "id-card", "number": citizen.document, "name": citizen.name, **changed}
    path = f"{PATH}/temperature" if "celsius" in changed else PATH
    assert world.station is not None
    answer: dict[str, Any] = world.call("POST", path, body=body, session=world.station.session).json()
    return answer


def _without_time(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "as_of"}


def _seen(citizen: Citizen) -> list[dict[str, Any]]:
    checks: list[dict[str, Any]] = _accesses(citizen)["document_checks"]
    return checks


def _accesses(citizen: Citizen) -> dict[str, Any]:
    body: dict[str, Any] = citizen.look("/api/v1/record/access")
    return body
