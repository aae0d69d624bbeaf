"""The endpoint for the exposure notices, which phones compare with the visits that they keep."""

from hashlib import sha256
from typing import Final

from flask import Response, current_app, request
from flask_openapi3.types import ResponseDict

from app.api.visits.receipts import views
from app.visits.published import ExposureList
from app.web import get_services

_MADE: Final = "jixiang-exposures"
_OBJECT: ResponseDict = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}


@views.get("/exposures", responses=_OBJECT)
def published_exposures() -> Response:
    """Return the signed list of exposure notices; who reads it says nothing of where they were."""
    services, made = get_services(), current_app.extensions.setdefault(_MADE, ExposureList())
    with services.sessions() as database:
        content = made.read(services, database)
    tag = sha256(content.encode()).hexdigest()[:16]
    known = request.if_none_match.contains(tag)
    response = Response(b"" if known else content, mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.set_etag(tag)
    response.status_code = 304 if known else 200
    return response
