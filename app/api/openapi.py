"""The API document: the refusals that follow from the kind of an endpoint are added to each.

A view names its own responses, and with `problem_responses` its own refusals. Added here: 401 and 403 where a session
is needed, 400, 413 and 415 where a body is sent, 422 where there are fields, and everywhere 500 and 503.
"""

from typing import Any

from flask_openapi3 import OpenAPI

from app.api.authorization import ANYONE, ROUTE_ROLES
from app.web.problems import problem_responses

_OF_A_BODY = (400, 413, 415)  # by web/bodies.py


class DocumentedApp(OpenAPI):
    """An application whose document lists exactly the statuses of each endpoint."""

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


def _common_statuses(method: str, path: str, operation: dict[str, Any]) -> set[int]:
    statuses = {500, 503}
    if ROUTE_ROLES[method, path] != ANYONE:
        statuses |= {401, 403}
    if method == "POST" and path.startswith("/api/"):
        statuses |= set(_OF_A_BODY)
    if "requestBody" in operation or "parameters" in operation:
        statuses.add(422)
    return statuses
