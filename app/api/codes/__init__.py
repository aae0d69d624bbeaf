"""Endpoints for the code: its display and its history."""

from app.api.codes import history
from app.api.codes.display import views

__all__ = ["views"]

views.register_api(history.views)
