"""What an operator does to the platform: JSON over HTTP under `/sandbox/`.

Nothing here exists at the real platform. Bad input is answered with 400 and one sentence.
"""

from typing import Any, cast

from flask import Response, current_app, jsonify
from pydantic import TypeAdapter

from platform_sandbox.contract import Code, Person
from platform_sandbox.world import World
from sandbox_kit.control import make_control
from sandbox_kit.reading import given
from sandbox_kit.switch import switch_by_json

PERSON = TypeAdapter(Person)
CODE = TypeAdapter(Code)


def here() -> World:
    """The platform that this application plays."""
    return cast(World, current_app.extensions["platform-sandbox"])


blueprint = make_control(__name__, here)
switch_by_json(blueprint, here)


@blueprint.get("/people")
def list_people() -> Response:
    with here().look() as state:
        return jsonify([_shown(number, person) for number, person in state.people.items()])


@blueprint.put("/people/<number>")
def know_person(number: str) -> Response:
    person = given(PERSON)
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
    code = given(CODE)
    with here().change() as state:
        state.codes[issuer] = code
    return jsonify(issuer=issuer, **code.model_dump())


def _shown(number: str, person: Person) -> dict[str, Any]:
    return {"number": number, **person.model_dump(mode="json")}
