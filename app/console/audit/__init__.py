"""Pages of auditors: oversight, the state of the chain, the events, and cards on paper."""

from app.console.audit import cards, events, oversight, windows

__all__ = ["cards", "events", "oversight", "windows"]  # imported to register their routes
