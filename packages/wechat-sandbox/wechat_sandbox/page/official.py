"""The buttons of the official account on the page of the phones."""

from flask import request
from werkzeug.wrappers import Response

from sandbox_kit.page import back
from wechat_sandbox.api.wire import here
from wechat_sandbox.page.views import blueprint
from wechat_sandbox.phones import following


@blueprint.post("/phones/follow")
def follow() -> Response:
    following.follow(here(), request.form["name"])
    return back()


@blueprint.post("/phones/unfollow")
def unfollow() -> Response:
    following.follow(here(), request.form["name"], follows=False)
    return back()


@blueprint.post("/phones/reject-official")
def reject_official() -> Response:
    following.reject_official(here(), request.form["name"], request.form["rejects"] == "yes")
    return back()
