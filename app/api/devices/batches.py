"""The endpoint for checks that a device made without network, such as a bus between two stops with reception."""

from decimal import Decimal
from uuid import UUID

from flask import Response
from flask_openapi3 import APIBlueprint
from pydantic import BaseModel, Field

from app.api.devices.caller import SIGNED, TAG, current_device, per_device
from app.api.stations.offline_checks import MAX_CHECKS, Id, Moment, ScannedText
from app.core.texts import slugs, text
from app.devices import batches
from app.stations.offline import SubmittedCheck
from app.web import RequestBody, get_services, json_response, language, limits
from app.web.problems import problem_responses

views = APIBlueprint("device-batches", __name__, abp_tags=[TAG])


class BatchCheck(RequestBody):
    """One check made by the token alone, or one temperature; a person checked and then measured is two."""

    number: Id = Field(description="Made by the device, and the same whenever this is sent again")
    token: ScannedText
    at: Moment = Field(description="When it was made; the token must have been valid then")
    celsius: float | None = Field(default=None, allow_inf_nan=False, description="Of a temperature; or null")


class BatchBody(RequestBody):
    """A part of what waits: as much as the time with network allows. Whatever has a result is not sent again."""

    checks: list[BatchCheck] = Field(min_length=1, max_length=MAX_CHECKS)


class BatchedCheckOut(BaseModel):
    number: str
    result: str = Field(description="`counted`, `registered`, `known` or a problem, as at /api/v1/checks/offline")
    detail: str


class BatchOut(BaseModel):
    results: list[BatchedCheckOut] = Field(description="In the order in which the checks were sent; each is final")


@views.post("/batches", responses={200: BatchOut, **problem_responses(409, 429)}, security=SIGNED)
@limits.limiter.limit(limits.from_settings(lambda limit: limit.device_batches), key_func=per_device)
def submit(body: BatchBody) -> Response:
    """Submit a part of the checks made without network, each processed by itself, as of its moment, and once."""
    made = [SubmittedCheck(UUID(one.number), one.token, one.at, _celsius(one)) for one in body.checks]
    outcomes = batches.submit(get_services(), current_device(), made)
    return json_response(
        BatchOut(
            results=[_out(one.number, outcome.outcome) for one, outcome in zip(body.checks, outcomes, strict=True)]
        )
    )


def _celsius(made: BatchCheck) -> Decimal | None:
    return None if made.celsius is None else Decimal(str(made.celsius))


def _out(number: str, outcome: str) -> BatchedCheckOut:
    section = "offline" if outcome in slugs("offline") else "problems"
    return BatchedCheckOut(number=number, result=outcome, detail=text(section, outcome, language()))
