"""Pages of figures, with their charts and files."""

from app.console.figures import pages

__all__ = ["pages"]  # imported to register its routes
