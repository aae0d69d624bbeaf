"""Endpoints for venues: applications, what a manager does with inspectors and entrances, hand-overs, and counts."""

from app.api.venues import codes, counts, handovers, inspectors, management, overview
from app.api.venues.applications import views

__all__ = [
    "codes",
    "counts",
    "handovers",
    "inspectors",
    "management",
    "overview",
    "views",
]  # imported to register their routes
