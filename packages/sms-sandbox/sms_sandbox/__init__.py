"""An SMS gateway for this machine: Tencent Cloud SMS, its signature, answers, limits, reports and errors.

Imports nothing of the rest of the project, so that a mistake in our client is never repeated here. Never logs: every
request has somebody's phone number.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request

from sms_sandbox import actions, control, page
from sms_sandbox.control import here
from sms_sandbox.wire import Account, Call, Denied, check
from sms_sandbox.world import Limits, World

__all__ = ["TEMPLATES", "Limits", "create_sandbox"]

TEMPLATES = {
    "1000001": "您的吉祥码有变化，请打开小程序查看。拒收请回复T",
    "1000002": "Your Jixiang code has changed. Open the mini-program to see it. Reply T to stop",
    "1000003": "길상코드가 변경되었습니다. 미니프로그램에서 확인하십시오. 수신거부 T",
    "1000004": "您的吉祥码账号有新消息，请打开小程序查看。拒收请回复T",
    "1000005": "There is news about your Jixiang account. Open the mini-program to read it. Reply T to stop",
    "1000006": "길상코드 계정에 새 소식이 있습니다. 미니프로그램에서 확인하십시오. 수신거부 T",
}

blueprint = Blueprint("gateway", __name__)


def create_sandbox(
    secret_id: str,
    secret_key: str,
    *,
    sdk_app_id: str = "1400000000",
    sign_name: str = "吉林政务",
    templates: Mapping[str, str] = TEMPLATES,
    limits: Limits | None = None,
    state_file: Path | str | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Flask:
    """The sandbox as a WSGI application; run it in one process, with as many threads as you like.

    `state_file` keeps messages, limits and the switch over a restart; without it they live in memory.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    account = Account(secret_id, secret_key, sdk_app_id, sign_name, templates)
    file = Path(state_file) if state_file else None
    app.extensions["sms-sandbox"] = World(account, limits or Limits(), file, now=now, sleep=sleep)
    for part in (blueprint, control.blueprint, page.blueprint):
        app.register_blueprint(part)
    return app


@blueprint.post("/")
def call() -> Response:
    """One request of API 3.0: the action is in a header, and every answer of the API is HTTP 200."""
    world = here()
    with world.look() as state:
        switch = state.switch
    world.count(request.headers.get("X-TC-Action", "none"))
    if not switch.on or switch.status is not None:
        return Response("<html>Service Unavailable</html>", switch.status or 503, content_type="text/html")
    try:
        if switch.error is not None:
            raise Denied(switch.error)
        action = check(world.account, _call(), world.now() + switch.skew)
        response = _response(actions.answer(world, action, request.get_data()))
    except Denied as denied:
        response = _response({"Error": {"Code": denied.code, "Message": denied.words}})
    world.sleep(switch.delay)
    if switch.body == "html":
        return Response("<html>welcome to the hotel</html>", content_type="text/html")
    if switch.body == "cut":
        return Response(response.get_data()[:20], content_type="application/json")
    return response


def _call() -> Call:
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.query_string.decode("latin-1")
    return Call(request.method, request.path, query, headers, request.get_data())


def _response(answer: dict[str, Any]) -> Response:
    return jsonify(Response={**answer, "RequestId": str(uuid.uuid4())})
