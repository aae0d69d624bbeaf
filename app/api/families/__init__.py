"""Endpoints for families: whose codes the caller shows, who shows the caller's, and invitations to it."""

from app.api.families import children, holders, invitations, members, notices
from app.api.families.members import views

__all__ = ["children", "holders", "invitations", "members", "notices", "views"]  # imported to register their routes
