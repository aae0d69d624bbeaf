"""Pages of auditors: oversight, the state of the chain, and the events."""

from app.console.audit import events, oversight, windows

__all__ = ["events", "oversight", "windows"]  # imported to register their routes
