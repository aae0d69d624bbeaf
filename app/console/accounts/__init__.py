"""Pages of accounts: log-in, one's own, and the administration of officers and inspectors."""

from app.console.accounts import inspectors, login, officers, own

__all__ = ["inspectors", "login", "officers", "own"]  # imported to register their routes
