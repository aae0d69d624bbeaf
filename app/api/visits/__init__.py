"""Endpoints for visits: the receipt of who has scanned the code at an entrance."""

from app.api.visits.receipts import views

__all__ = ["views"]
