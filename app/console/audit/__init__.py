"""Pages of auditors: oversight, the state of the chain, and the events."""

from app.console.audit import events, oversight

__all__ = ["events", "oversight"]  # imported to register their routes
