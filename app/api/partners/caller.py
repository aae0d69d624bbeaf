"""The partner that calls, authenticated before its view runs, and what the API document says of how."""

from typing import Final, cast

from flask import Request, g
from flask_openapi3 import Tag

from app.core.errors import Problem
from app.partners import envelope
from app.partners.envelope import Envelope, KnownPartner
from app.partners.models import Interface
from app.runtime import Services
from app.web import bodies

TAG: Final = Tag(name="Partners", description="Programs of partners; see docs/reference/partners.md")
SIGNED: Final[list[dict[str, list[str]]]] = [{"partner": []}]
PATH: Final = "/api/v1/partners"


def authenticate(services: Services, request: Request) -> KnownPartner:
    """Return the partner that has signed a request. Raises Problem."""
    if request.query_string:  # is not covered by a signature, and nothing here reads one
        raise Problem("partner-signature")
    bodies.bound_body()  # a signature covers the body, which is read here
    interface = Interface(request.path.removeprefix(f"{PATH}/"))
    return envelope.authenticate(services, interface, Envelope.of(dict(request.headers)), request.get_data())


def current_partner() -> KnownPartner:
    """Return the partner that calls, checked by `api/authorization` before the view runs."""
    return cast(KnownPartner, g.partner)


def per_partner() -> str:
    """Return the key of a partner for rate limits."""
    return f"partner:{current_partner().id}"


def rate() -> str:
    """Return the rate of the partner, which holds for each interface."""
    return current_partner().rate
