"""The page's buttons for callbacks and phone numbers: where to push, and what a person does to set a push off.

Plain forms that do what `/sandbox/` does.
"""

from flask import request
from werkzeug.wrappers import Response

from sandbox_kit.page import back
from sandbox_kit.reading import Impossible, filled
from wechat_sandbox.api.wire import here
from wechat_sandbox.control.push import DEBUG, OFF, PUSH_SETTINGS, REVOCATION
from wechat_sandbox.control.views import ACCOUNT
from wechat_sandbox.page.views import blueprint
from wechat_sandbox.phones import leaving, numbers
from wechat_sandbox.push import events


@blueprint.post("/push")
def set_push() -> Response:
    """The token and the key are never on the page: left empty they stay as they are."""
    current = here().push_settings()
    secrets = {"token": current.token, "aes_key": current.aes_key} if current else {}
    here().set_push(PUSH_SETTINGS.validate_python({**secrets, **filled()}))
    return back()


@blueprint.post("/push/stop")
def stop_push() -> Response:
    here().set_push(None)
    return back()


@blueprint.post("/push/check")
def check_url() -> Response:
    reply = here().pusher.check_url()
    if reply is None:
        raise Impossible(OFF)
    if reply.fault:
        raise Impossible(reply.fault)
    return back()


@blueprint.post("/push/debug")
def push_debug() -> Response:
    world, text = here(), DEBUG.validate_python({"debug_str": request.form.get("debug_str", "")}).debug_str
    push = world.pusher.put(events.debug(world.appid, text, world.now()))
    if push is None:
        raise Impossible(OFF)
    world.pusher.wait(push)
    return back()


@blueprint.post("/phones/number")
def set_number() -> Response:
    number = ACCOUNT.validate_python({"number": request.form.get("number", "").strip()}).number
    numbers.set_number(here(), request.form["name"], number, None)
    return back()


@blueprint.post("/phones/phone-code")
def allow_number() -> Response:
    numbers.allow_number(here(), request.form["name"])
    return back()


@blueprint.post("/phones/revoke")
def revoke() -> Response:
    asked = REVOCATION.validate_python({"info": [request.form["info"]]})
    leaving.revoke(here(), request.form["name"], asked.info)
    return back()


@blueprint.post("/phones/cancel")
def cancel() -> Response:
    leaving.cancel(here(), request.form["name"])
    return back()


@blueprint.post("/phones/modified")
def modify() -> Response:
    leaving.modify(here(), request.form["name"])
    return back()


@blueprint.post("/phones/enter")
def enter() -> Response:
    leaving.enter(here(), request.form["name"], "")
    return back()
