"""Endpoints for checks by devices, and for what a device is."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from flask import Response
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, Field

from app.api.devices.caller import SIGNED, TAG, current_device
from app.api.devices.temperatures import ReadingOut, reading_out
from app.api.responses import DocumentCheckOut, IssuerOut, document_check_response, foreign_check_response
from app.api.stations.document_checks import DocumentCheckBody, read_identity
from app.api.stations.offline_checks import Id, ScannedText
from app.api.stations.paper_checks import PaperCheckBody
from app.citizens.document_checks.checks import Outcome
from app.core.clock import rfc3339
from app.core.errors import bad_field
from app.devices import checks
from app.devices.checks import DeviceCheck, DeviceResult, Proof
from app.devices.models import MAY, DeviceKind
from app.stations.foreign import ForeignCheck
from app.stations.models import Station
from app.web import RequestBody, get_services, json_response, language
from app.web.problems import problem_responses

views = APIBlueprint("device-checks", __name__, abp_tags=[TAG])

CheckNumber = Annotated[Id, Field(description="A UUID made by the device, and the same whenever this is sent again")]


class DeviceCheckBody(RequestBody):
    """One check. Exactly one of `token`, `document` and `paper` was shown."""

    number: CheckNumber
    token: ScannedText | None = None
    document: DocumentCheckBody | None = None
    paper: PaperCheckBody | None = None
    celsius: float | None = Field(
        default=None, allow_inf_nan=False, description="Measured of the person with this token; 34.0 to 43.0"
    )

    def asked(self) -> DeviceCheck:
        """Return what was asked. Raises Problem with every bad field."""
        given = [one for one in (self.token, self.document, self.paper) if one is not None]
        if len(given) != 1:
            raise bad_field("/token", "one-proof")
        if self.celsius is not None and self.token is None:
            raise bad_field("/celsius", "only-with-a-token")
        celsius = None if self.celsius is None else Decimal(str(self.celsius))
        return DeviceCheck(UUID(self.number), _proof(given[0]), celsius)


def _proof(given: str | DocumentCheckBody | PaperCheckBody) -> Proof:
    if isinstance(given, str):
        return given
    return given.scanned() if isinstance(given, PaperCheckBody) else read_identity(given)


class DeviceCheckOut(DocumentCheckOut):
    """As the check of an inspector, and what became of a temperature."""

    counted: bool = Field(description="False: the counters did not answer; submit the check of a token with a batch")
    reading: ReadingOut | None = Field(description="The temperature that joined this check, or that could not")
    issuer: IssuerOut | None = Field(
        default=None, description="Of a code of another province: state and color are the statement of this issuer"
    )


class DeviceOut(BaseModel):
    """What a device is, and what it needs to know; its clock must be that of `server_time`."""

    device: int
    station: str
    lane: str
    kind: str
    may: list[str]
    server_time: str
    fever_celsius: float = Field(description="A fever from this temperature on, by the policy; the firmware has no say")


@views.get("/me", responses={200: DeviceOut}, security=SIGNED)
def me() -> Response:
    """Return what this device is, what it may ask, and what time it is."""
    services, device = get_services(), current_device()
    with services.sessions() as database:
        station = database.get_one(Station, device.station)
    return json_response(
        DeviceOut(
            device=device.id,
            station=station.name,
            lane=device.lane,
            kind=device.kind,
            may=sorted(MAY[DeviceKind(device.kind)]),
            server_time=rfc3339(services.real_clock.now()),
            fever_celsius=float(services.policy.at(services.clock.now()).fever_celsius),
        )
    )


@views.post("/checks", responses={200: DeviceCheckOut, **problem_responses(409, 410, 429, 503, 504)}, security=SIGNED)
def check(body: DeviceCheckBody) -> Response:
    """Check what was shown to a device: the color now, and what to do. Sent again, it is answered and not counted."""
    return json_response(check_out(checks.check(get_services(), current_device(), body.asked())))


def check_out(done: DeviceResult) -> DeviceCheckOut:
    """Return the answer to a check of a device."""
    now = get_services().clock.now()
    measured = None if done.measured is None else reading_out(done.measured)
    if isinstance(done.result, ForeignCheck):
        stated = foreign_check_response(done.result, language(), now)
        outcome = Outcome(stated.state.lower())
        return DeviceCheckOut(**stated.model_dump(), outcome=outcome, counted=done.counted, reading=measured)
    shown = document_check_response(done.result, language(), now)
    return DeviceCheckOut(**shown.model_dump(), counted=done.counted, reading=measured)
