"""The export of a citizen's data: what it has, how it is collected, and both forms of it."""

from app.api.citizens.export import endpoints

__all__ = ["endpoints"]  # imported to register its routes
