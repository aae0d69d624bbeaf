"""Pages of accounts: log-in, one's own, and the administration of officers, inspectors and devices."""

from app.console.accounts import devices, inspectors, login, officers, own

__all__ = ["devices", "inspectors", "login", "officers", "own"]  # imported to register their routes
