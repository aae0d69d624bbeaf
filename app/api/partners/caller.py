"""The partner that calls, authenticated before its view runs, and what the API document says of how."""

from typing import Final, cast

import flask
from flask import Request, Response, g
from flask_openapi3 import Tag

from app.core.errors import Problem
from app.core.metrics import PARTNER_REQUESTS
from app.partners import counts, envelope
from app.partners.envelope import Envelope, KnownPartner
from app.partners.models import Interface
from app.runtime import Services
from app.web import bodies

TAG: Final = Tag(name="Partners", description="Programs of partners; see docs/reference/partners.md")
SIGNED: Final[list[dict[str, list[str]]]] = [{"partner": []}]
PATH: Final = "/api/v1/partners"
PROBLEM: Final = "application/problem+json"


def authenticate(services: Services, request: Request) -> KnownPartner:
    """Return the partner that has signed a request. Raises Problem."""
    if request.query_string:  # is not covered by a signature, and nothing here reads one
        raise Problem("partner-signature")
    bodies.bound_body()  # a signature covers the body, which is read here
    headers = Envelope.of(dict(request.headers))
    return envelope.authenticate(services, interface_of(request), headers, request.get_data())


def interface_of(request: Request) -> Interface:
    """Return the interface whose route this is."""
    return Interface(request.path.removeprefix(f"{PATH}/"))


def measure(response: Response) -> Response:
    """Count a question by its interface and outcome, also one that was refused before its view ran."""
    outcome = counts.ANSWERED
    if response.mimetype == PROBLEM:
        outcome = str(response.get_json()["type"]).removeprefix("/problems/")
    PARTNER_REQUESTS.labels(interface_of(flask.request), outcome).inc()
    return response


def current_partner() -> KnownPartner:
    """Return the partner that calls, checked by `api/authorization` before the view runs."""
    return cast(KnownPartner, g.partner)


def per_partner() -> str:
    """Return the key of a partner for rate limits."""
    return f"partner:{current_partner().id}"


def rate() -> str:
    """Return the rate of the partner, which holds for each interface."""
    return current_partner().rate
