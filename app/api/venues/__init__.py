"""Endpoints for venues: applications, what a manager does with inspectors and entrances, hand-overs, and counts."""

from app.api.venues import counts, handovers, inspectors, management, overview
from app.api.venues.applications import views

__all__ = ["counts", "handovers", "inspectors", "management", "overview", "views"]  # imported to register their routes
