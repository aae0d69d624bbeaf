"""Endpoints for the code: its display and its history."""

from app.api.codes import history, service
from app.api.codes.display import views

__all__ = ["views"]

views.register_api(history.views)
views.register_api(service.views)
