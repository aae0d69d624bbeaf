"""What an operator does to the gateway and to phones: JSON over HTTP under `/sandbox/`.

Nothing here exists at the real gateway. Bad input is answered with 400 and one sentence.
"""

from typing import cast

from flask import Response, current_app, jsonify, request
from pydantic import TypeAdapter

from sandbox_kit.control import make_control
from sandbox_kit.reading import Strict, given
from sandbox_kit.switch import switch_by_json
from sms_sandbox.world import Limits, Reply, World


class Carrier(Strict):
    """The carrier's word for messages to a number, such as MK:0001 for one that does not exist."""

    word: str


class Answered(Strict):
    text: str


LIMITS, CARRIER, ANSWERED = TypeAdapter(Limits), TypeAdapter(Carrier), TypeAdapter(Answered)


def here() -> World:
    """The gateway that this application plays."""
    return cast(World, current_app.extensions["sms-sandbox"])


blueprint = make_control(__name__, here)
switch_by_json(blueprint, here)


@blueprint.put("/limits")
def set_limits() -> Response:
    """What is left out goes back to the console's defaults."""
    limits = given(LIMITS)
    with here().change() as state:
        state.limits = limits
    return jsonify(limits.model_dump(mode="json"))


@blueprint.get("/messages")
def list_messages() -> Response:
    """Every message that was taken; of one number with `?phone=+86…`."""
    phone = request.args.get("phone")
    with here().look() as state:
        found = [message for message in state.messages if phone in (None, message.phone)]
        return jsonify(messages=[message.model_dump(mode="json") for message in found])


@blueprint.put("/numbers/<phone>")
def set_carrier(phone: str) -> Response:
    word = given(CARRIER).word
    with here().change() as state:
        state.numbers[phone] = word
    return jsonify(phone=phone, word=word)


@blueprint.post("/numbers/<phone>/reply")
def reply(phone: str) -> Response:
    """Somebody answers; T puts the number on the gateway's blacklist, as a refusal does."""
    text = given(ANSWERED).text
    with here().change() as state:
        state.unread.append(Reply(phone=phone, text=text, at=here().now()))
        if text.strip().upper() in ("T", "TD", "R"):
            state.blacklist.add(phone)
    return jsonify(phone=phone)
