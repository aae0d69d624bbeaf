"""Pages of the service windows: the clerk's, those of the second officer, and their administration."""

from app.console.windows import administration, clerk, correction, family, statements

__all__ = ["administration", "clerk", "correction", "family", "statements"]  # imported to register their routes
