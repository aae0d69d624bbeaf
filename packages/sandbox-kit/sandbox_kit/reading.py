"""How a sandbox reads what people send: strictly, and with one sentence about what is wrong, without the values."""

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

Kind = TypeVar("Kind")


class Strict(BaseModel):
    """A shape that takes no field that it does not name, and no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Impossible(ValueError):
    """What is asked for cannot be done; the message says why."""


def given(kind: TypeAdapter[Kind]) -> Kind:
    """The JSON body as this kind. Raises Impossible or ValidationError."""
    if request.mimetype != "application/json":
        raise Impossible("Send JSON, with Content-Type: application/json.")
    return kind.validate_json(request.get_data())


def filled() -> dict[str, str]:
    """The fields of the form that are not left empty."""
    return {name: value.strip() for name, value in request.form.items() if value.strip()}


def sentence(error: ValidationError) -> str:
    """The mistakes in one sentence, without the values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in mistake['loc']) or 'body'}: {mistake['msg']}"
        for mistake in error.errors(include_input=False, include_url=False)
    )
