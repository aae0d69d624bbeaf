"""The official account by HTTP under `/sandbox/`: who follows, what arrived, and where its callbacks go."""

from flask import Response, jsonify, request
from pydantic import TypeAdapter

from sandbox_kit.reading import Strict, given
from wechat_sandbox.api.wire import here
from wechat_sandbox.control.push import PUSH_SETTINGS, pushes_shown
from wechat_sandbox.control.views import blueprint, message_shown
from wechat_sandbox.phones import following
from wechat_sandbox.phones.people import phone_named


class Attitude(Strict):
    rejects: bool | None = None
    has_unionid: bool | None = None


ATTITUDE = TypeAdapter(Attitude)


@blueprint.post("/users/<name>/follow")
def follow(name: str) -> Response:
    phone = following.follow(here(), name)
    return jsonify(openid=phone.follower)


@blueprint.post("/users/<name>/unfollow")
def unfollow(name: str) -> Response:
    phone = following.follow(here(), name, follows=False)
    return jsonify(openid=phone.follower)


@blueprint.patch("/users/<name>/official")
def change_attitude(name: str) -> Response:
    attitude = given(ATTITUDE)
    if attitude.rejects is not None:
        following.reject_official(here(), name, attitude.rejects)
    if attitude.has_unionid is not None:
        following.leave_open_platform(here(), name, attitude.has_unionid)
    with here().look() as state:
        phone = phone_named(state, name)
        return jsonify(rejects=phone.rejects_official, has_unionid=phone.has_unionid)


@blueprint.get("/users/<name>/official-messages")
def list_official_messages(name: str) -> Response:
    with here().look() as state:
        phone = phone_named(state, name)
        return jsonify([message_shown(message) for message in phone.official_messages])


@blueprint.put("/official/push")
def set_official_push() -> Response:
    settings = given(PUSH_SETTINGS)
    here().set_official_push(settings)
    return jsonify(settings.model_dump(exclude={"token", "aes_key"}))


@blueprint.get("/official/pushes")
def list_official_pushes() -> Response:
    pusher = here().official_pusher
    if request.args.get("wait") == "1":
        pusher.flush()
    return jsonify(pushes_shown(pusher))
