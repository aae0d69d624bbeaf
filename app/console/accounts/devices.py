"""Administration of devices: added to the lane of a station of the district, listed, and revoked.

A secret is shown once, in the answer to the form that made it.
"""

from flask import Response
from pydantic import Field

from app.console.forms import parse_form
from app.console.pages import page, redirect_to, views
from app.console.paging import read_choices, read_page
from app.core.errors import Problem
from app.devices import heard, registry
from app.devices.models import DeviceKind
from app.devices.registry import SHAPES, NewDevice
from app.staff import inspectors
from app.staff.context import begin_officer
from app.web import RequestBody, current_officer, get_services


class DeviceForm(RequestBody):
    """The form of a new device."""

    station: str = Field(max_length=60)
    lane: str = Field(max_length=40)
    kind: str = Field(max_length=20)
    public_key: str = Field(default="", max_length=64)
    shape: str = Field(default="", max_length=20)


@views.get("/devices")
def list_devices() -> Response:
    return _devices_page()


@views.post("/devices")
def add_device() -> Response:
    """Add a device, and show its secret once."""
    filled = None
    try:
        filled = parse_form(DeviceForm)
        with begin_officer(get_services(), current_officer()) as context:
            added = registry.add_device(context, NewDevice(**filled.model_dump()))
            device, secret = added.device, added.secret
    except Problem as problem:
        return _devices_page(filled, problem)
    if not secret:
        return redirect_to("console.list_devices", done="device-added")
    return page("device-secret.html", device=device, station=filled.station, secret=secret)


@views.post("/devices/<int:id_>/revoke")
def revoke_device(id_: int) -> Response:
    """Revoke a device at once."""
    with begin_officer(get_services(), current_officer()) as context:
        registry.revoke_device(context, id_)
    return redirect_to("console.list_devices", done="device-revoked")


def _devices_page(filled: DeviceForm | None = None, problem: Problem | None = None) -> Response:
    services = get_services()
    with begin_officer(services, current_officer()) as context:
        devices = read_page(lambda part: registry.list_devices(context, part))
        stations = read_choices(lambda part: inspectors.list_stations(context, part))
    return page(
        "devices.html", devices=devices, stations=stations, kinds=list(DeviceKind), shapes=SHAPES,
        heard=heard.last_heard(services), filled=filled, problem=problem,
    )  # fmt: skip
