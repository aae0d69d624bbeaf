"""Health officers: accounts, roles, sessions and one-time codes."""

__all__: list[str] = []  # import its modules
