"""What an operator does to the platform: JSON over HTTP under `/sandbox/`.

Nothing here exists at the real platform. Bad input is answered with 400 and one sentence.
"""

from typing import Any, TypeVar, cast

from flask import Blueprint, Response, current_app, jsonify, request
from pydantic import TypeAdapter, ValidationError

from platform_sandbox.contract import Code, Person, sentence
from platform_sandbox.world import Switch, World

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")

SWITCH = TypeAdapter(Switch)
PERSON = TypeAdapter(Person)
CODE = TypeAdapter(Code)
Kind = TypeVar("Kind")


class BadInput(ValueError):
    """The request cannot be read; the message says what to send."""


def here() -> World:
    """The platform that this application plays."""
    return cast(World, current_app.extensions["platform-sandbox"])


def _given(kind: TypeAdapter[Kind]) -> Kind:
    if request.mimetype != "application/json":
        raise BadInput("Send JSON, with Content-Type: application/json.")
    return kind.validate_json(request.get_data())


@blueprint.errorhandler(ValidationError)
def refuse_bad_json(error: ValidationError) -> tuple[Response, int]:
    return jsonify(error=sentence(error)), 400


@blueprint.errorhandler(BadInput)
def refuse_bad_input(error: BadInput) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


@blueprint.get("/switch")
def show_switch() -> Response:
    with here().look() as state:
        return jsonify(state.switch.model_dump())


@blueprint.put("/switch")
def set_switch() -> Response:
    """What is left out goes back to normal."""
    switch = _given(SWITCH)
    with here().change() as state:
        state.switch = switch
    return show_switch()


@blueprint.get("/people")
def list_people() -> Response:
    with here().look() as state:
        return jsonify([_shown(number, person) for number, person in state.people.items()])


@blueprint.put("/people/<number>")
def know_person(number: str) -> Response:
    person = _given(PERSON)
    with here().change() as state:
        state.people[number] = person
    return jsonify(_shown(number, person))


@blueprint.delete("/people/<number>")
def forget_person(number: str) -> Response:
    with here().change() as state:
        known = state.people.pop(number, None)
    return jsonify(forgotten=known is not None)


@blueprint.put("/codes/<issuer>")
def know_code(issuer: str) -> Response:
    code = _given(CODE)
    with here().change() as state:
        state.codes[issuer] = code
    return jsonify(issuer=issuer, **code.model_dump())


@blueprint.get("/calls")
def list_calls() -> Response:
    return jsonify(dict(here().calls))


@blueprint.post("/reset")
def reset() -> Response:
    here().reset()
    return jsonify(reset=True)


def _shown(number: str, person: Person) -> dict[str, Any]:
    return {"number": number, **person.model_dump(mode="json")}
