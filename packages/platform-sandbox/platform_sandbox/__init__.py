"""The national government service platform for this machine, which verifies declarations.

Owns `POST /verification` and `POST /guardianship`, and the same in the envelope with four headers (`national`). Imports
nothing of the rest of the project, so that a mistake in our client is never repeated here. Never logs: every question
is about a person.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Blueprint, Flask, Response, jsonify, request

from platform_sandbox import control, national, page
from platform_sandbox.answers import guardianship_data, in_its_state, verification_data
from platform_sandbox.contract import Call, Denied, check_signature, read_guardianship, read_question
from platform_sandbox.world import World

__all__ = ["create_sandbox"]

blueprint = Blueprint("verification", __name__)


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
    for part in (blueprint, national.blueprint, control.blueprint, page.blueprint):
        app.register_blueprint(part)
    return app


@blueprint.post("/verification")
def verify() -> Response:
    return in_its_state(_verified)


@blueprint.post("/guardianship")
def vouch() -> Response:
    return in_its_state(_vouched)


def _verified(world: World) -> Response:
    question = read_question(_signed_body(world))
    return jsonify(code=0, message="ok", data=verification_data(world, question))


def _vouched(world: World) -> Response:
    question = read_guardianship(_signed_body(world))
    return jsonify(code=0, message="ok", data=guardianship_data(world, question))


def _signed_body(world: World) -> bytes:
    call = _call()
    check_signature(world.app_key, world.secret, call, world.now().timestamp(), world.first_use)
    return call.body


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
