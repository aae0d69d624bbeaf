"""Endpoints for recognition: our keys as a DID document, and the trust list for the phones of stations."""

from typing import Any

from flask import Response, request
from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.types import ResponseDict

from app.core.errors import Problem
from app.trust import lists
from app.trust.did import did_document
from app.web import get_services
from app.web.problems import problem_responses

views = APIBlueprint(
    "recognition",
    __name__,
    abp_tags=[Tag(name="Recognition", description="Codes of other provinces, and ours elsewhere")],
)
_OBJECT: ResponseDict = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}


@views.get("/.well-known/jixiang-trust", responses={**_OBJECT, **problem_responses(404)})
def published_trust_list() -> Response:
    """Return the signed trust list in use here (see docs/reference/trust-list.md); its version is the ETag."""
    services = get_services()
    with services.sessions() as database:
        newest = lists.find_signed(database) if services.settings.trust.is_on else None
    if newest is None:
        raise Problem("not-found")
    known = request.if_none_match.contains(str(newest.version))
    response = Response(b"" if known else newest.content, mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=60"
    response.set_etag(str(newest.version))
    response.status_code = 304 if known else 200
    return response


@views.get("/.well-known/did.json", responses={**_OBJECT, **problem_responses(404)})
def published_did() -> Any:
    """Return our public keys as a DID document of the method did:web, where `trust.host` names our host."""
    services = get_services()
    if not services.settings.trust.host:
        raise Problem("not-found")
    key_set = services.tokens.key_set(services.clock.now())
    return did_document(services.settings.trust.host, key_set), 200, {"Cache-Control": "public, max-age=300"}
