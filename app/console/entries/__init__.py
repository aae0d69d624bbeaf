"""Pages of entries: a new one, those that are saved, cases, and the contacts of one case."""

from app.console.entries import cases, contacts, new_entry, workflow

__all__ = ["cases", "contacts", "new_entry", "workflow"]  # imported to register their routes
