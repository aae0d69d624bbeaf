"""Pages of entries: a new one, those that are saved, and cases."""

from app.console.entries import cases, new_entry, workflow

__all__ = ["cases", "new_entry", "workflow"]  # imported to register their routes
