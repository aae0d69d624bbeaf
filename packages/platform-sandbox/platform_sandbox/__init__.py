"""The national government service platform for this machine, which verifies declarations.

Owns `POST /verification` and `POST /guardianship`. Imports nothing of the rest of the project, so that a mistake in our
client is never repeated here. Never logs: every question is about a person.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, jsonify, request

from platform_sandbox import control, page
from platform_sandbox.contract import Call, Denied, check_signature, read_guardianship, read_question
from platform_sandbox.control import here
from platform_sandbox.world import World

__all__ = ["create_sandbox"]

blueprint = Blueprint("verification", __name__)
_BEIJING = ZoneInfo("Asia/Shanghai")


def create_sandbox(
    app_key: str,
    secret: str,
    state_file: Path | str | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Flask:
    """The sandbox as a WSGI application; run it in one process, with as many threads as you like.

    `state_file` keeps people, nonces and the switch over a restart; without it they live in memory.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    app.extensions["platform-sandbox"] = World(app_key, secret, Path(state_file) if state_file else None, now, sleep)
    for part in (blueprint, control.blueprint, page.blueprint):
        app.register_blueprint(part)
    return app


@blueprint.post("/verification")
def verify() -> Response:
    return _answer(_verified)


@blueprint.post("/guardianship")
def vouch() -> Response:
    return _answer(_vouched)


def _answer(answer: Callable[[World], Response]) -> Response:
    """What the switch says, or the answer."""
    world = here()
    world.count(request.path)
    with world.look() as state:
        switch = state.switch
    world.sleep(switch.delay)
    if not switch.on:
        raise Denied(503, 50300, "the service is switched off")
    if switch.status is not None:
        raise Denied(switch.status, switch.status * 100, "the service is in trouble")
    if switch.garbage:
        return Response('{"code":0,"message":"ok","data":{"res', content_type="application/json")
    return answer(world)


def _verified(world: World) -> Response:
    call = _call()
    check_signature(world.app_key, world.secret, call, world.now().timestamp(), world.first_use)
    question = read_question(call.body)
    known = world.person(question.document.number)
    mismatched = known.differences(question)
    data = {
        "result": "identity-mismatch" if mismatched else known.result,
        "reference": world.answer_reference(question.reference),
        "checked_at": world.now().astimezone(_BEIJING).isoformat(timespec="seconds"),
        "findings": [finding.model_dump(mode="json") for finding in known.findings],
    }
    if mismatched:
        data["mismatched"] = mismatched
    return jsonify(code=0, message="ok", data=data)


def _vouched(world: World) -> Response:
    call = _call()
    check_signature(world.app_key, world.secret, call, world.now().timestamp(), world.first_use)
    question = read_guardianship(call.body)
    child = world.person(question.child.document.number)
    data = {
        "result": "guardian" if child.has_guardian(question) else "not-guardian",
        "reference": world.answer_reference(question.reference),
        "checked_at": world.now().astimezone(_BEIJING).isoformat(timespec="seconds"),
    }
    if child.has_guardian(question) and child.born_on is not None:
        data["born_on"] = child.born_on.isoformat()
    return jsonify(code=0, message="ok", data=data)


def _call() -> Call:
    given = request.headers
    return Call(
        method=request.method,
        path=request.path,
        app_key=given.get("X-App-Key", ""),
        timestamp=given.get("X-Timestamp", ""),
        nonce=given.get("X-Nonce", ""),
        signature=given.get("X-Signature", ""),
        body=request.get_data(),
    )


@blueprint.errorhandler(Denied)
def deny(denied: Denied) -> tuple[Response, int]:
    return jsonify(code=denied.code, message=denied.message), denied.status
