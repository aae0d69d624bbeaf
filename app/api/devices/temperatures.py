"""The endpoint for thermal cameras, which measure and know nobody."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from flask import Response
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, Field

from app.api.devices.caller import SIGNED, TAG, current_device
from app.api.responses import CheckOut, check_response
from app.api.stations.offline_checks import Id, Moment
from app.core.texts import text
from app.devices import temperatures
from app.devices.lanes import Reading
from app.devices.temperatures import Measured
from app.web import RequestBody, get_services, json_response, language
from app.web.problems import problem_responses

views = APIBlueprint("device-temperatures", __name__, abp_tags=[TAG])


class ReadingBody(RequestBody):
    number: Annotated[Id, Field(description="A UUID made by the device, and the same whenever this is sent again")]
    celsius: float = Field(allow_inf_nan=False, description="34.0 to 43.0 with one decimal")
    at: Moment = Field(description="When it was measured, at most ten seconds ago")


class ReadingOut(BaseModel):
    """What became of a reading. Nothing is kept of one that is not `joined`."""

    result: str = Field(
        description="`joined`: evidence of whom the lane checked; `waiting`: it joins the check of the next ten "
        "seconds; `ambiguous`: more than one could be meant, so it is nobody's"
    )
    detail: str
    fever: bool = Field(description="By the policy's threshold")


class LaneReadingOut(ReadingOut):
    check: CheckOut | None = Field(description="The code that it joined, as it is now")


@views.post("/temperatures", responses={200: LaneReadingOut, **problem_responses(409, 410)}, security=SIGNED)
def take(body: ReadingBody) -> Response:
    """Take a temperature that was measured in the lane: it joins the token checked there within ten seconds."""
    services, device = get_services(), current_device()
    reading = Reading(device.id, UUID(body.number), Decimal(str(body.celsius)))
    measured = temperatures.read(services, device, reading, body.at)
    check = None
    if measured.check is not None:
        check = check_response(measured.check, language(), services.clock.now())
    return json_response(LaneReadingOut(**reading_out(measured).model_dump(), check=check))


def reading_out(measured: Measured) -> ReadingOut:
    """Return what became of a reading."""
    detail = text("readings", measured.result, language())
    return ReadingOut(result=measured.result, detail=detail, fever=measured.fever)
