"""Endpoints for inspectors: their shift, checks, and checks made without network."""

from app.api.stations import offline_checks, paper_checks, shifts
from app.api.stations.checks import views

__all__ = ["shifts", "views"]  # shifts is imported to register its routes

views.register_api(offline_checks.views)
views.register_api(paper_checks.views)
