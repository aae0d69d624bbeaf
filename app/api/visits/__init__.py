"""Endpoints for visits: the receipt of who has scanned the code at an entrance, and the notices of exposure."""

from app.api.visits import exposures
from app.api.visits.receipts import views

__all__ = ["exposures", "views"]  # exposures: imported to register its route
