"""Endpoints for the machines of stations: what they are, checks, temperatures, batches, and the shapes of makers."""

from flask_openapi3 import APIBlueprint

from app.api.devices import batches, checks, shapes, temperatures

__all__ = ["views"]

views = APIBlueprint("devices", __name__, url_prefix="/api/v1/devices")
for part in (checks, temperatures, batches, shapes):
    views.register_api(part.views)
