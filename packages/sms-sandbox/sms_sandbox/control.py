"""What an operator does to the gateway and to phones: JSON over HTTP under `/sandbox/`.

Nothing here exists at the real gateway. Bad input is answered with 400 and one sentence.
"""

from typing import TypeVar, cast

from flask import Blueprint, Response, current_app, jsonify, request
from pydantic import BaseModel, TypeAdapter, ValidationError

from sms_sandbox.world import Limits, Reply, Strict, Switch, World

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")
Kind = TypeVar("Kind")


class Carrier(Strict):
    """The carrier's word for messages to a number, such as MK:0001 for one that does not exist."""

    word: str


class Answered(Strict):
    text: str


SWITCH, LIMITS, CARRIER, ANSWERED = (
    TypeAdapter(Switch), TypeAdapter(Limits), TypeAdapter(Carrier), TypeAdapter(Answered),
)  # fmt: skip


class BadInput(ValueError):
    """The request cannot be read; the message says what to send."""


def here() -> World:
    """The gateway that this application plays."""
    return cast(World, current_app.extensions["sms-sandbox"])


def sentence(error: ValidationError) -> str:
    """The mistakes in one sentence, without the values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in mistake['loc']) or 'body'}: {mistake['msg']}"
        for mistake in error.errors(include_input=False, include_url=False)
    )


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


def _shown(model: BaseModel) -> Response:
    return jsonify(model.model_dump(mode="json"))


@blueprint.get("/switch")
def show_switch() -> Response:
    with here().look() as state:
        return _shown(state.switch)


@blueprint.put("/switch")
def set_switch() -> Response:
    """What is left out goes back to normal."""
    switch = _given(SWITCH)
    with here().change() as state:
        state.switch = switch
    return show_switch()


@blueprint.put("/limits")
def set_limits() -> Response:
    """What is left out goes back to the console's defaults."""
    limits = _given(LIMITS)
    with here().change() as state:
        state.limits = limits
    return _shown(limits)


@blueprint.get("/messages")
def list_messages() -> Response:
    """Every message that was taken; of one number with `?phone=+86…`."""
    phone = request.args.get("phone")
    with here().look() as state:
        found = [message for message in state.messages if phone in (None, message.phone)]
        return jsonify(messages=[message.model_dump(mode="json") for message in found])


@blueprint.put("/numbers/<phone>")
def set_carrier(phone: str) -> Response:
    word = _given(CARRIER).word
    with here().change() as state:
        state.numbers[phone] = word
    return jsonify(phone=phone, word=word)


@blueprint.post("/numbers/<phone>/reply")
def reply(phone: str) -> Response:
    """Somebody answers; T puts the number on the gateway's blacklist, as a refusal does."""
    text = _given(ANSWERED).text
    with here().change() as state:
        state.unread.append(Reply(phone=phone, text=text, at=here().now()))
        if text.strip().upper() in ("T", "TD", "R"):
            state.blacklist.add(phone)
    return jsonify(phone=phone)


@blueprint.get("/calls")
def list_calls() -> Response:
    return jsonify(dict(here().calls))


@blueprint.post("/reset")
def reset() -> Response:
    here().reset()
    return jsonify(reset=True)
