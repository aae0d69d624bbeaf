"""Endpoints that are open to everybody: the public keys of codes, and the signed checkpoints of the audit chain."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag
from flask_openapi3.types import ResponseDict

from app.audit import checkpoints
from app.web import get_services

views = APIBlueprint("published", __name__)

_OBJECT: ResponseDict = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}
_FOR_CACHES = {"Cache-Control": "public, max-age=300"}


@views.get(
    "/.well-known/jixiang-keys",
    responses=_OBJECT,
    tags=[Tag(name="Codes", description="The code, its reasons and its history")],
)
def published_keys() -> Any:
    """Return the public keys with which anyone verifies a code without network (see docs/token.md)."""
    return get_services().tokens.key_set(get_services().clock.now()), 200, _FOR_CACHES


@views.get("/.well-known/jixiang-audit", responses=_OBJECT, tags=[Tag(name="Audit", description="The audit chain")])
def published_checkpoints() -> Any:
    """Return the signed checkpoints of the audit chain of the last 90 days, newest first (docs/decisions/0016).

    Whoever keeps them can prove a later change of the chain.
    """
    with get_services().sessions() as database:
        return checkpoints.published_checkpoints(database, get_services().clock.now()), 200, _FOR_CACHES
