"""Endpoints for inspectors: their shift, checks, checks by document, and checks made without network."""

from app.api.stations import document_checks, offline_checks, paper_checks, shifts
from app.api.stations.checks import views

__all__ = ["shifts", "views"]  # shifts is imported to register its routes

views.register_api(offline_checks.views)
views.register_api(document_checks.views)
views.register_api(paper_checks.views)
