"""Endpoints for citizens: registration, account, passwords, declarations, appeals, and who accessed their record."""

from app.api.citizens import (
    access,
    appeals,
    bindings,
    correction,
    declarations,
    documents,
    export,
    paper_cards,
    passwords,
    recovery,
    registration,
)
from app.api.citizens.accounts import views

__all__ = [
    "appeals",
    "bindings",
    "correction",
    "documents",
    "export",
    "passwords",
    "recovery",
    "registration",
    "views",
]  # bindings, correction, export …: imported to register their routes

views.register_api(access.views)
views.register_api(declarations.views)
views.register_api(paper_cards.views)
