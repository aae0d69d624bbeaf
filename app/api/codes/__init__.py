"""Endpoints for the code: its display, its history, and text messages about it."""

from app.api.codes import history, recognition, service, text_messages
from app.api.codes.display import views

__all__ = ["views"]

views.register_api(history.views)
views.register_api(recognition.views)
views.register_api(service.views)
views.register_api(text_messages.views)
