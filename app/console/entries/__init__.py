"""Pages of entries: a new one, those that are saved, cases, and what follows a red or orange code."""

from app.console.entries import cases, follow_ups, new_entry, workflow

__all__ = ["cases", "follow_ups", "new_entry", "workflow"]  # imported to register their routes
