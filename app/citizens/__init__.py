"""Citizens: registration and accounts, identity documents, health declarations and their verification."""

__all__: list[str] = []  # import its modules
