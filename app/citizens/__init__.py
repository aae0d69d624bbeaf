"""Accounts, identity documents and health declarations."""

__all__: list[str] = []  # import its modules
