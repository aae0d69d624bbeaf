"""Endpoints for partners: the seven interfaces that GB/T 38963 names, of which three are offered."""

from app.api.partners.interfaces import views

__all__ = ["views"]
