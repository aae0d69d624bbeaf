"""The API document, and the page that shows it: the refusals that follow from an endpoint's kind are added to each.

A view names its own responses, and with `problem_responses` its own refusals. Added here: 401 and 403 where a session
is needed, 400, 413 and 415 where a body is sent, 422 where there are fields, and everywhere 500 and 503.
"""

from typing import Any

from flask import Response, request
from flask_openapi3 import OpenAPI
from werkzeug.exceptions import NotFound

from app.api.authorization import ANYONE, ROUTE_ROLES
from app.web.problems import problem_responses

SECURITY_SCHEMES = {
    "session": {"type": "http", "scheme": "bearer"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "An HTTP Message Signature (RFC 9421) of a device, with Signature-Input and Content-Digest",
    },
    "partner": {
        "type": "apiKey",
        "in": "header",
        "name": "gjzwfwpt_sign",
        "description": "With gjzwfwpt_rid, _sid, _rtime and _bodysign (docs/reference/partners.md)",
    },
    "terminal": {"type": "http", "scheme": "basic", "description": "The id of a terminal and its secret"},
}
DOCUMENT = "openapi.doc_url"  # the endpoint of openapi.json
_OF_A_BODY = (400, 413, 415)  # by web/bodies.py
_PAGE_BLUEPRINTS = ("openapi", "swagger")
_PAGE_POLICY = (  # the page has its scripts and styles within
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class DocumentedApp(OpenAPI):
    """An application whose document lists the exact statuses of each endpoint; its page only where `swagger` is set."""

    def __init__(self, *names: Any, swagger: bool, **options: Any) -> None:
        super().__init__(*names, **options)
        if not swagger:
            self.before_request(_hide_page)
        self.after_request(_add_page_policy)

    def generate_spec_json(self) -> None:
        """Generate the document."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        for path, operations in self.spec_json["paths"].items():
            for method, operation in operations.items():
                own = {status: response for status, response in operation["responses"].items() if status != "422"}
                operation["responses"] = {
                    **problem_responses(*_common_statuses(method.upper(), path, operation)),
                    **own,
                }


def _hide_page() -> None:
    """Raise NotFound for the page, which runs scripts on the origin of the console; the document itself stays."""
    if request.blueprint in _PAGE_BLUEPRINTS and request.endpoint != DOCUMENT:
        raise NotFound


def _add_page_policy(response: Response) -> Response:
    if request.blueprint in _PAGE_BLUEPRINTS and response.mimetype == "text/html":
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


def _common_statuses(method: str, path: str, operation: dict[str, Any]) -> set[int]:
    statuses = {500, 503}
    if ROUTE_ROLES[method, path] != ANYONE:
        statuses |= {401, 403}
    if method == "POST" and path.startswith("/api/"):
        statuses |= set(_OF_A_BODY)
    if "requestBody" in operation or "parameters" in operation:
        statuses.add(422)
    return statuses
