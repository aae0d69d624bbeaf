"""The device that calls, authenticated before its view runs, and what the API document says of how."""

from typing import Any, Final, cast

from flask import Request, g
from flask_openapi3 import Tag

from app.core.errors import Problem
from app.devices import signatures
from app.devices.device_cache import KnownDevice
from app.devices.shapes import ShapedRequest, find_terminal
from app.devices.signatures import SignedRequest
from app.runtime import Services

TAG: Final = Tag(name="Devices", description="Machines of stations; each request is signed (docs/reference/devices.md)")
SIGNED: Final[list[dict[str, list[str]]]] = [{"signature": []}]
SHAPES_PATH: Final = "/api/v1/devices/adapters/"


def authenticate(services: Services, request: Request) -> KnownDevice:
    """Return the device that has signed a request with its key. Raises Problem."""
    if request.query_string:  # is not covered by the signature, and nothing here reads one
        raise Problem("device-signature")
    path = request.environ.get("RAW_URI", request.path)
    return signatures.authenticate(
        services, SignedRequest(request.method, path, dict(request.headers), request.get_data())
    )


def authenticate_terminal(services: Services, request: Request) -> KnownDevice:
    """Return the terminal that speaks the shape of its maker, by what that shape proves it with. Raises Problem."""
    shape = request.path.removeprefix(SHAPES_PATH)
    body: Any = request.get_json(silent=True)
    fields = body if isinstance(body, dict) else {}
    return find_terminal(services, ShapedRequest(shape, fields, request.headers.get("Authorization", "")))


def current_device() -> KnownDevice:
    """Return the device that calls, checked by `api/authorization` before the view runs."""
    return cast(KnownDevice, g.device)


def per_device() -> str:
    """Return the key of a device for rate limits."""
    return f"device:{current_device().id}"
