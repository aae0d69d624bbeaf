"""`/sandbox/`: what an operator does to a sandbox by HTTP, JSON in and out. The real partner has nothing of it."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import ValidationError

from sandbox_kit.guards import refuse_other_sites
from sandbox_kit.memory import Memory
from sandbox_kit.reading import Impossible, sentence


def make_control(package: str, here: Callable[[], Memory[Any]]) -> Blueprint:
    """The paths that every sandbox has; bad input at any of them is answered with 400 and one sentence.

    `here` finds the memory of the application that answers.
    """
    control = Blueprint("control", package, url_prefix="/sandbox")
    control.before_request(refuse_other_sites)
    control.register_error_handler(ValidationError, _refuse_bad_json)
    control.register_error_handler(Impossible, _refuse_the_impossible)

    @control.get("/calls")
    def list_calls() -> Response:
        return jsonify(dict(here().calls))

    @control.post("/reset")
    def reset() -> Response:
        here().reset()
        return jsonify(reset=True)

    return control


def _refuse_bad_json(error: ValidationError) -> tuple[Response, int]:
    return jsonify(error=sentence(error)), 400


def _refuse_the_impossible(error: Impossible) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400
