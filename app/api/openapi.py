"""The API document: what a door may answer instead follows from the door, and is written down for each one.

A view names its own answers, and by `refused` the refusals that are its own; what all doors of a kind have in common
is added here: who needs a session hears 401 and 403, a body may be none, and anything may be out of reach.
"""

from typing import Any

from flask_openapi3 import OpenAPI

from app.api.authorization import ANYONE, ROUTE_ROLES
from app.web.problems import problem_responses

_OF_A_BODY = (400, 413, 415)  # of what is sent to the API, bodies.py


class DocumentedApp(OpenAPI):
    """An application whose document tells every status that a door answers with, and no other."""

    def generate_spec_json(self) -> None:
        """Make the document."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        for path, operations in self.spec_json["paths"].items():
            for method, operation in operations.items():
                own = {status: told for status, told in operation["responses"].items() if status != "422"}
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
