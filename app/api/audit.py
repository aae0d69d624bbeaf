"""The door to the signed heads of the audit, open to everybody: whoever keeps them can hold us to them."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from app.audit import checkpoints
from app.web import get_services

views = APIBlueprint("audit", __name__, abp_tags=[Tag(name="Audit", description="Who did what")])


@views.get(
    "/.well-known/jixiang-audit", responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}}
)
def published_checkpoints() -> Any:
    """The signed heads of the audit's chain for the last 90 days, the newest first (docs/decisions/0016)."""
    with get_services().sessions() as database:
        return (
            checkpoints.published_checkpoints(database, get_services().clock.now()),
            200,
            {"Cache-Control": "public, max-age=300"},
        )
