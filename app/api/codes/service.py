"""The endpoint that says whether the service goes on, and until when. After the end everything answers 410."""

from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from app.api.ending import EndingOut, ending_out
from app.web import get_services, json_response, language

views = APIBlueprint("service", __name__, abp_tags=[Tag(name="Codes")])


class ServiceOut(BaseModel):
    """Whether the service goes on."""

    state: Literal["running", "announced"]
    ending: EndingOut | None


@views.get("/api/v1/service", responses={200: ServiceOut})
def service() -> Response:
    """Return whether an end of the service is announced, and what to do before it."""
    ending = ending_out(get_services().generation.service, language())
    return json_response(ServiceOut(state="announced" if ending else "running", ending=ending))
