"""Health officers: accounts, roles, sessions and one-time codes."""
