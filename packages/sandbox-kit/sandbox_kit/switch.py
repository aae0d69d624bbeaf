"""The switch of a partner, by JSON and by a form: off, late, or in trouble.

It is the `switch` of the state. What is left out of a new one goes back to normal.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import Field, TypeAdapter
from werkzeug.wrappers import Response as AnyResponse

from sandbox_kit.memory import Memory
from sandbox_kit.page import back
from sandbox_kit.reading import Strict, filled, given


class Switch(Strict):
    """How a partner behaves; each sandbox adds what it can answer instead. The delay is in seconds."""

    on: bool = True
    delay: float = Field(default=0, ge=0, le=120)
    status: int | None = Field(default=None, ge=400, le=599)


def switch_by_json(control: Blueprint, here: Callable[[], Memory[Any]]) -> None:
    """Add `GET` and `PUT /sandbox/switch`."""

    @control.get("/switch")
    def show_switch() -> Response:
        with here().look() as state:
            return jsonify(state.switch.model_dump())

    @control.put("/switch")
    def set_switch() -> Response:
        _turn(here(), given(TypeAdapter(_kind(here()))))
        return show_switch()


def switch_by_form(page: Blueprint, here: Callable[[], Memory[Any]]) -> None:
    """Add `POST /switch`, for the form of `switch.html`."""

    @page.post("/switch")
    def set_switch() -> AnyResponse:
        _turn(here(), _kind(here()).model_validate(filled(), strict=False))
        return back()


def _kind(memory: Memory[Any]) -> type[Switch]:
    """Which switch the state has, as the sandbox declares it."""
    with memory.look() as state:
        return type(state.switch)


def _turn(memory: Memory[Any], switch: Switch) -> None:
    with memory.change() as state:
        state.switch = switch
