"""The callbacks by HTTP under `/sandbox/`: where they go, what became of them, and what sets them off.

Answers never hold the token or the key of the push settings.
"""

from typing import Annotated, Any

from flask import Response, jsonify, request
from pydantic import Field, TypeAdapter

from sandbox_kit.reading import Impossible, Strict, given
from wechat_sandbox.api.wire import here
from wechat_sandbox.control.views import blueprint
from wechat_sandbox.phones import leaving
from wechat_sandbox.push import events
from wechat_sandbox.push.pushing import Push, Pusher
from wechat_sandbox.state import PushSettings

OFF = "Callbacks are pushed nowhere. Set a URL and a token first: PUT /sandbox/push."
Text = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]*$")]


class Revocation(Strict):
    info: list[Annotated[str, Field(pattern=r"^[0-9]{1,4}$")]] = Field(min_length=1, max_length=20)


class Entrance(Strict):
    session_from: Text = ""


class Debug(Strict):
    debug_str: Text


PUSH_SETTINGS = TypeAdapter(PushSettings)
REVOCATION = TypeAdapter(Revocation)
ENTRANCE = TypeAdapter(Entrance)
DEBUG = TypeAdapter(Debug)


@blueprint.get("/push")
def show_push() -> Response:
    settings = here().push_settings()
    return jsonify(settings.model_dump(exclude={"token", "aes_key"}) if settings else None)


@blueprint.put("/push")
def set_push() -> Response:
    here().set_push(given(PUSH_SETTINGS))
    return show_push()


@blueprint.delete("/push")
def stop_push() -> Response:
    here().set_push(None)
    return show_push()


@blueprint.post("/push/check")
def check_url() -> Response:
    reply = here().pusher.check_url()
    if reply is None:
        raise Impossible(OFF)
    return jsonify(ok=not reply.fault, status=reply.status, fault=reply.fault)


@blueprint.post("/push/debug")
def push_debug() -> Response:
    world = here()
    push = world.pusher.put(events.debug(world.appid, given(DEBUG).debug_str, world.now()))
    if push is None:
        raise Impossible(OFF)
    return jsonify(_shown(world.pusher.wait(push)))


@blueprint.get("/pushes")
def list_pushes() -> Response:
    pusher = here().pusher
    if request.args.get("wait") == "1":
        pusher.flush()
    return jsonify(pushes_shown(pusher))


def pushes_shown(pusher: Pusher) -> list[dict[str, Any]]:
    """What became of the pushes, newest first."""
    return [_shown(push) for push in pusher.list()]


def _shown(push: Push) -> dict[str, Any]:
    shown = {name: getattr(push, name) for name in ("id", "outcome", "attempts", "status", "answer", "fault")}
    return {**shown, "event": push.event.name, "openid": push.event.user, "time": push.at.isoformat()}


@blueprint.post("/users/<name>/revoke")
def revoke(name: str) -> Response:
    leaving.revoke(here(), name, given(REVOCATION).info)
    return jsonify(done=True)


@blueprint.post("/users/<name>/cancel")
def cancel(name: str) -> Response:
    leaving.cancel(here(), name)
    return jsonify(done=True)


@blueprint.post("/users/<name>/modified")
def modify(name: str) -> Response:
    leaving.modify(here(), name)
    return jsonify(done=True)


@blueprint.post("/users/<name>/enter")
def enter(name: str) -> Response:
    leaving.enter(here(), name, given(ENTRANCE).session_from if request.get_data() else "")
    return jsonify(done=True)
